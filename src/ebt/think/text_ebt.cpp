#include "ebt/think/text_ebt.h"

#include <algorithm>
#include <utility>

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/ranking.h"
#include "ebt/kernels/rows.h"
#include "ebt/layers/cross_entropy.h"
#include "ebt/layers/target_sums.h"

namespace ebt {
namespace {

// One chunk (thinking_pass.h).
template <class T, class S>
struct TextProblem : CausalProblem<Simplex<T, S>> {
  const TextThinkingConfig& thinking;
  TextExtra<T, S>& extra;
  double inverse_token_count;
  bool learns;
  LossSums& sums;

  Tensor<const int32_t> targets() const { return extra.targets; }

  void set_step_sizes(double alpha, Tensor<const T> /*sizes*/) {
    // No entry of the prediction may move by more than clamp_gradient at the nominal step size.
    if (extra.bound) {
      kernels::elementwise<T>().fill(
          extra.bound.count(), static_cast<T>(thinking.clamp_gradient) / static_cast<T>(alpha),
          extra.bound.data);
    }
    this->space.bound = extra.bound;
  }

  StepLoss measure(size_t i, size_t last, Tensor<const T> logits, T scale, Tensor<T> row_loss,
                   Tensor<T> slope) const {
    const double smoothing =
        !learns || last == 0
            ? 0.0
            : thinking.soften_targets * static_cast<double>(last - i) / static_cast<double>(last);
    CrossEntropy<T>::loss_and_gradient({targets(), static_cast<T>(smoothing)}, logits, scale,
                                       row_loss, slope);
    const double loss = sum_over_targets<T>(row_loss, targets());
    return {loss, loss};
  }

  double energy_sum(Tensor<const T> energy) const { return sum_over_targets(energy, targets()); }

  // The contrastive term: the energy of the truth should lie below that of the last candidate,
  //   weight * log(1 + exp(E_truth - E_candidate)).
  // Adds the truth's share of the gradients and returns the derivative by the candidate's energies.
  template <class Buffers>
  Tensor<const T> energy_bar(size_t i, Buffers& buffers) {
    if (!extra.truth) {
      return {};
    }
    auto& truth = *extra.truth;
    const Tensor<T> one_hot = truth.next;
    kernels::rows<T>().one_hot(one_hot.dim(0), one_hot.dim(1), targets().data, one_hot.data);
    Simplex<T, S> given = this->space;
    given.normalize = false;
    const auto at = this->at(i);
    measure_energy(given, at, Tensor<const T>(one_hot), truth);
    const Tensor<const T> energy = buffers.steps[buffers.keeps_all ? i : 0].energy;
    const double scale = thinking.contrastive * inverse_token_count;
    kernels::ranking<T>().loss_and_gradient(energy.count(), truth.energy.data, energy.data,
                                            targets().data, scale, buffers.row_loss.data,
                                            extra.energy_bar.data);
    sums.objective += thinking.contrastive * sum_over_targets<T>(buffers.row_loss, targets());
    auto grads = this->grads(i);
    given.add_matrix_gradient(truth.candidate,
                              as_rows(truth.stream.vjp(at, extra.energy_bar, grads)));
    kernels::elementwise<T>().scale(extra.energy_bar.count(), T(-1), extra.energy_bar.data);
    return extra.energy_bar;
  }
};

// Lays out a workspace.
template <class Workspace, class T, class S>
std::unique_ptr<Workspace> lay_out(Arena& arena, const TextModelConfig& model,
                                   const TextThinkingConfig& thinking, const CausalWork& work,
                                   const EngineOptions& options, Tensor<int32_t>& tokens) {
  tokens = arena.take<int32_t>({work.batch, work.range.end});
  // Positions per chunk that keep products large and logits in the cache of a core or near it.
  return std::make_unique<Workspace>(arena, model, thinking,
                                     text_candidates<T, S>(model, thinking, {}), work, options,
                                     default_chunk_positions(model.vocab_size));
}

}  // namespace

template <class T, class S>
Simplex<T, S> text_candidates(const TextModelConfig& config, const TextThinkingConfig& thinking,
                              const SequenceOperandViews<T, S>& weights) {
  Simplex<T, S> space;
  space.matrix = weights.vocabulary;
  space.vocab_size = config.vocab_size;
  space.normalize = config.normalize;
  space.clamped = thinking.clamp_gradient > 0;
  return space;
}

template <class T, class S>
TextExtra<T, S>::TextExtra(Arena& arena, const SequenceConfig& config,
                           const ThinkingSettings& thinking, const Space& space, const Chunk& chunk,
                           bool training) {
  const int64_t n = chunk.count();
  targets = arena.take<int32_t>({n});
  bound = space.clamped ? arena.take<T>({n}) : Tensor<T>{};
  if (training && static_cast<const TextThinkingConfig&>(thinking).contrastive > 0) {
    energy_bar = arena.take<T>({chunk.rows, chunk.queries});
    truth.emplace(arena, StackShape{config, config.layers, chunk.rows, chunk.queries},
                  Pooling::kNone, space, n, false, false);
  }
}

template <class T, class S>
TextEbt<T, S>::TextEbt(const TextModelConfig& model, const TextThinkingConfig& thinking,
                       int64_t rows, int64_t context, const EngineOptions& options)
    : Shell(model, options, workspace_bytes(model, thinking, rows, context, options)),
      thinking_(thinking),
      rotary_(context + model.lead() + 1, model.head_width(), model.rope_theta) {}

template <class T, class S>
size_t TextEbt<T, S>::workspace_bytes(const TextModelConfig& model,
                                      const TextThinkingConfig& thinking, int64_t rows,
                                      int64_t context, const EngineOptions& options) {
  return larger_layout_bytes(options.training, [&](Arena& arena, bool training) {
    Tensor<int32_t> tokens;
    lay_out<Workspace, T, S>(arena, model, thinking, {rows, context, {0, context}, training},
                             options, tokens);
  });
}

template <class T, class S>
typename TextEbt<T, S>::Workspace& TextEbt<T, S>::prepare(const CausalWork& work) {
  if (workspace_ == nullptr || !(workspace_->work == work)) {
    this->arena_.rewind();
    workspace_ = lay_out<Workspace, T, S>(this->arena_, this->config(), thinking_, work,
                                          this->options(), tokens_);
  }
  return *workspace_;
}

template <class T, class S>
LossSums TextEbt<T, S>::run(const TrainingRows<T>& rows, const ThinkingDraws<T>& draws,
                            const StepObserver<T>& observe, bool learns) {
  const int64_t context = rows.targets.dim(1);
  const QueryRange range = range_of_targets(rows.targets);
  Workspace& workspace = prepare({rows.targets.dim(0), context, range, learns});
  LossSums sums(draws.landscapes.size(), count_targets(rows.targets));
  if (rows.final_logits && range.count() < context) {
    // What is not thought about is nothing, rather than what lay there.
    kernels::elementwise<T>().fill(rows.final_logits.count(), T(0), rows.final_logits.data);
  }
  if (workspace.chunks.empty()) {
    return sums;
  }
  for (int64_t row = 0; row < tokens_.dim(0); ++row) {
    std::copy_n(rows.inputs.data + row * context, range.end, tokens_.data + row * range.end);
  }
  const SequenceOperandViews<T, S>& weights = this->operands().views();
  const CausalParts<T, S> parts{this->config(), weights, this->gradients_by_role(), rotary_};
  Simplex<T, S> space = text_candidates(this->config(), thinking_, weights);
  space.matrix_bar = this->gradients_by_role().vocabulary.weight;
  run_causal_pass(
      parts, {tokens_, {}}, draws.landscapes, learns, workspace,
      [&](const Chunk& chunk, typename Workspace::ChunkMemory& memory) {
        chunk.for_each_run([&](int64_t first, int64_t at, int64_t n) {
          std::copy_n(rows.targets.data + first, n, memory.extra.targets.data + at);
        });
        TextProblem<T, S> problem{{parts, workspace.contexts, chunk, draws.landscapes, space},
                                  thinking_,
                                  memory.extra,
                                  rows.inverse_token_count,
                                  learns,
                                  sums};
        ThinkingPass<TextProblem<T, S>> pass(problem, thinking_, draws, chunk, memory.buffers,
                                             sums);
        pass.run(learns, rows.inverse_token_count, observe);
        if (rows.final_logits) {
          const Tensor<const T> result = pass.result();
          chunk.for_each_run([&](int64_t first, int64_t at, int64_t n) {
            const Tensor<const T> part = result.slice(at, n);
            kernels::elementwise<T>().copy(part.count(), part.data,
                                           rows.final_logits.data + first * result.dim(1));
          });
        }
      });
  return sums;
}

template <class T, class S>
LossSums TextEbt<T, S>::train(const TrainingRows<T>& rows, uint64_t seed, uint64_t training_step) {
  const int64_t vocab = this->config().vocab_size;
  const DrawAddress address{seed, training_step, rows.first_row * rows.inputs.dim(1), vocab};
  ThinkingDraws<T> draws = training_draws<T>(thinking_, this->config().landscapes, address);
  if (rows.initial_logits) {
    draws.initial = [&](int64_t first, Tensor<T> out) {
      kernels::elementwise<T>().copy(out.count(), rows.initial_logits.data + first * vocab,
                                     out.data);
    };
  } else if (thinking_.initial == InitialPrediction::kRandomNoise) {
    draws.initial = address.initial_noise<T>(thinking_.initial_scale);
  }
  return run(rows, draws, {}, true);
}

template <class T, class S>
LossSums TextEbt<T, S>::evaluate(Tensor<const int32_t> inputs, Tensor<const int32_t> targets,
                                 const PassOptions& options) {
  TrainingRows<T> rows;
  rows.inputs = inputs;
  rows.targets = targets;
  ThinkingDraws<T> draws;
  draws.landscapes = inference_landscapes(this->config().landscapes, thinking_, options.steps);
  if (thinking_.initial == InitialPrediction::kRandomNoise) {
    const DrawAddress address{options.seed, 0, options.first_row * targets.dim(1),
                              this->config().vocab_size};
    draws.initial = address.initial_noise<T>(thinking_.initial_scale);
  }
  LossSums sums = run(rows, draws, {}, false);
  sums.objective = sums.losses.back();
  return sums;
}

#define EBT_INSTANTIATE(T, S)                                                               \
  template Simplex<T, S> text_candidates(const TextModelConfig&, const TextThinkingConfig&, \
                                         const SequenceOperandViews<T, S>&);                \
  template struct TextExtra<T, S>;                                                          \
  template class TextEbt<T, S>;
EBT_INSTANTIATE(float, float)
EBT_INSTANTIATE(float, Bfloat16)
EBT_INSTANTIATE(double, double)
#undef EBT_INSTANTIATE

}  // namespace ebt
