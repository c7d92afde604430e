#include "ebt/think/infill_ebt.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "ebt/kernels/ranking.h"
#include "ebt/think/answer_chunk.h"

namespace ebt {
namespace {

template <class T, class S>
AnswerSpace<T, S> answer_space(const InfillModelConfig& config,
                               const InfillThinkingConfig& thinking) {
  AnswerSpace<T, S> space;
  space.row_length = config.row_length;
  space.tokens.vocab_size = config.vocab_size;
  space.tokens.mirror = thinking.update == InfillUpdate::kMirror;
  return space;
}

// Rows whose energies are wanted as they are: candidates, their features and given tokens.
template <class T, class S>
struct ScoredRows {
  using Step = ThinkingStep<AnswerSpace<T, S>, AnswerStream<T, S>>;

  ScoredRows(Arena& arena, const InfillModelConfig& model, const AnswerSpace<T, S>& space,
             int64_t n)
      : given(arena.take<int32_t>({n, model.row_length})),
        features(arena, model, n),
        step(arena, answer_stack_shape(model, n), Pooling::kSum, space, n, false, false) {}

  Tensor<int32_t> given;  // (n, N)
  AnswerFeatures<T> features;
  Step step;
};

}  // namespace

// The buffers of chunks of n rows.
template <class T, class S>
struct InfillEbt<T, S>::Workspace {
  using Space = AnswerSpace<T, S>;
  using Stream = AnswerStream<T, S>;

  Workspace(Arena& arena, const InfillModelConfig& model, const InfillThinkingConfig& thinking,
            int64_t n, bool train)
      : training(train),
        space(answer_space<T, S>(model, thinking)),
        buffers(arena, answer_stack_shape(model, n), Pooling::kSum, space, n, thinking,
                thinking.steps_max, train),
        answers(arena, model, n),
        token_step(arena.take<T>(answers.targets.shape)),
        gradient_norm(arena.take<T>({n})) {
    if (train && thinking.ranking > 0) {
      ranked.emplace(arena, model, space, 3 * n);
      wrong_rows = arena.take<int32_t>({n});
      energy_bar = arena.take<T>({3 * n});
    }
  }

  bool training;
  Space space;  // without weights
  PassBuffers<Space, Stream> buffers;
  AnswerChunk<T> answers;
  Tensor<T> token_step;     // (n N)
  Tensor<T> gradient_norm;  // (n)
  // Of the ranking term: truths, corrupted answers and the model's own, one behind the other.
  std::optional<ScoredRows<T, S>> ranked;
  Tensor<int32_t> wrong_rows;  // (n): -1 where a corrupted answer is the truth
  Tensor<T> energy_bar;        // (3 n)
};

namespace {

// One chunk (thinking_pass.h).
template <class T, class S, class Workspace>
struct InfillProblem {
  using Space = AnswerSpace<T, S>;
  using Stream = AnswerStream<T, S>;

  const InfillLandscape<T, S>& landscape;
  const InfillWeights<T>& gradients;
  Workspace& workspace;
  InfillSums& sums;
  Space space;

  typename Stream::Params at(size_t /*i*/) const { return landscape.energy(); }
  typename Stream::Grads grads(size_t /*i*/) const { return landscape.energy_grads(gradients); }
  T learned_alpha() const { return landscape.weights.values().step_size[0]; }
  T& alpha_bar() const { return gradients.step_size[0]; }
  void set_step_sizes(double /*alpha*/, Tensor<const T> sizes) {
    kernels::rows<T>().scale(sizes.count(), space.row_length, sizes.data,
                             workspace.answers.asked.data, workspace.token_step.data);
  }

  StepLoss measure(size_t i, size_t /*last*/, Tensor<const T> state, T scale,
                   Tensor<T> /*row_loss*/, Tensor<T> slope) const {
    const double loss =
        workspace.answers.measure(i, space.by_token(state), scale, space.by_token(slope), sums);
    return {loss, loss};
  }
  double energy_sum(Tensor<const T> energy) const { return sum_of(energy); }
  template <class Buffers>
  Tensor<const T> energy_bar(size_t /*i*/, Buffers& /*buffers*/) const {
    return {};
  }
};

}  // namespace

template <class T, class S>
InfillEbt<T, S>::InfillEbt(const InfillModelConfig& model, const InfillThinkingConfig& thinking,
                           int64_t rows, const EngineOptions& options)
    : Shell(model, options, workspace_bytes(model, thinking, rows, options)),
      thinking_(thinking),
      rotary_(model.row_length, model.head_width(), model.rope_theta) {
  if (thinking_.learned_steps == 0) {
    // The pass would take it for the published truncation: alpha alone learns from earlier steps.
    thinking_.learned_steps = thinking_.steps_max;
  }
}

template <class T, class S>
InfillEbt<T, S>::~InfillEbt() = default;

template <class T, class S>
size_t InfillEbt<T, S>::workspace_bytes(const InfillModelConfig& model,
                                        const InfillThinkingConfig& thinking, int64_t rows,
                                        const EngineOptions& options) {
  Arena measure;
  const Workspace workspace(measure, model, thinking, largest_chunk(model, rows, options),
                            options.training);
  return measure.peak_bytes();
}

template <class T, class S>
template <class Visit>
void InfillEbt<T, S>::for_each_chunk(const InfillRows& rows, bool training, const Visit& visit) {
  for_each_answer_chunk(this->config(), this->options(), rows, [&](const Chunk& chunk) {
    if (workspace_ == nullptr || workspace_->answers.rows != chunk.rows ||
        workspace_->training != training) {
      this->arena_.rewind();
      workspace_ = std::make_unique<Workspace>(this->arena_, this->config(), thinking_, chunk.rows,
                                               training);
    }
    Workspace& workspace = *workspace_;
    workspace.answers.place(rows.tokens.slice(chunk.first_row, chunk.rows),
                            rows.known.slice(chunk.first_row, chunk.rows),
                            this->operands().values());
    workspace.space.tokens.matrix = this->operands().vocabulary();
    workspace.space.tokens.matrix_bar = this->gradients_by_role().vocabulary;
    workspace.space.tokens.given = workspace.answers.given;
    workspace.space.features = &workspace.answers.features;
    workspace.space.gradients = &this->gradients_by_role();
    workspace.space.token_step = workspace.token_step;
    visit(chunk, workspace);
  });
}

template <class T, class S>
InfillSums InfillEbt<T, S>::run(const InfillRows& rows, const InfillLearning* learning,
                                const ThinkingDraws<T>& draws, const StepObserver<T>& observe) {
  const bool learns = learning != nullptr;
  const InfillLandscape<T, S> landscape = this->landscape();
  InfillSums sums(draws.landscapes.size());
  for_each_chunk(rows, learns, [&](const Chunk& chunk, Workspace& workspace) {
    using Problem = InfillProblem<T, S, Workspace>;
    InfillSums of_chunk(draws.landscapes.size());
    of_chunk.rows = chunk.rows;
    of_chunk.count = count_targets(workspace.answers.targets);
    Problem problem{landscape, this->gradients_by_role(), workspace, of_chunk, workspace.space};
    ThinkingPass<Problem> pass(problem, thinking_, draws, chunk, workspace.buffers, of_chunk);
    pass.run(learns, learns ? learning->inverse_token_count : 0, observe);
    if (learns && workspace.ranked && learning->corrupted) {
      rank(rows, chunk, *learning, pass.result(), workspace, of_chunk);
    }
    sums.add(of_chunk);
  });
  return sums;
}

template <class T, class S>
void InfillEbt<T, S>::rank(const InfillRows& rows, const Chunk& chunk,
                           const InfillLearning& learning, Tensor<const T> result,
                           Workspace& workspace, InfillSums& sums) {
  const PhaseScope scope(Phase::kVocabulary);
  const int64_t n = chunk.rows;
  ScoredRows<T, S>& ranked = *workspace.ranked;
  const Tensor<const int32_t> truth = rows.tokens.slice(chunk.first_row, n);
  const Tensor<const int32_t> corrupted = learning.corrupted.slice(chunk.first_row, n);
  const Tensor<const uint8_t> known = rows.known.slice(chunk.first_row, n);
  const int64_t length = truth.dim(1);
  std::copy(truth.begin(), truth.end(), ranked.given.data);
  std::copy(corrupted.begin(), corrupted.end(), ranked.given.data + n * length);
  std::copy(workspace.answers.given.begin(), workspace.answers.given.end(),
            ranked.given.data + 2 * n * length);
  for (int64_t row = 0; row < n; ++row) {
    const auto same = [&](const int32_t* at) {
      return std::equal(at, at + length, corrupted.data + row * length);
    };
    workspace.wrong_rows[row] = same(truth.data + row * length) ? -1 : 0;
  }
  // Candidates that are given everywhere have logits of no account.
  const Tensor<T> state = ranked.step.next;
  kernels::elementwise<T>().fill(2 * result.count(), T(0), state.data);
  kernels::elementwise<T>().copy(result.count(), result.data, state.slice(2 * n, n).data);

  AnswerSpace<T, S> space = workspace.space;
  space.tokens.given = ranked.given.reshape({ranked.given.count()});
  space.features = &ranked.features;
  ranked.features.forward(known, this->operands().values());
  const auto at = this->landscape().energy();
  measure_energy(space, at, Tensor<const T>(state), ranked.step);

  const Tensor<const T> energy = ranked.step.energy;
  const double scale = thinking_.ranking * learning.inverse_ranking_count;
  const Tensor<T> loss = workspace.buffers.row_loss;
  const Tensor<T> truth_bar = workspace.energy_bar.slice(0, n);
  kernels::elementwise<T>().fill(n, T(0), truth_bar.data);
  for (const int64_t kind : {1, 2}) {  // corrupted, the model's own
    const Tensor<T> bar = workspace.energy_bar.slice(kind * n, n);
    if (kind == 2) {
      std::fill_n(workspace.wrong_rows.data, n, 0);
    }
    kernels::ranking<T>().loss_and_gradient(n, energy.data, energy.data + kind * n,
                                            workspace.wrong_rows.data, scale, loss.data, bar.data);
    kernels::elementwise<T>().add(n, T(1), bar.data, truth_bar.data);
    kernels::elementwise<T>().scale(n, T(-1), bar.data);
    sums.ranking +=
        learning.inverse_ranking_count * sum_over_targets<T>(loss, workspace.wrong_rows);
  }
  sums.objective += thinking_.ranking * sums.ranking / learning.inverse_token_count;
  auto grads = this->landscape().energy_grads(this->gradients_by_role());
  const Tensor<const S> e_bar = ranked.step.stream.vjp(at, workspace.energy_bar, grads);
  space.add_embedding_gradients(ranked.step.candidate, e_bar, ranked.step.stream.gradient());
}

template <class T, class S>
InfillSums InfillEbt<T, S>::train(const InfillRows& rows, const InfillLearning& learning,
                                  uint64_t seed, uint64_t training_step) {
  const DrawAddress address = address_of(rows, seed, training_step);
  ThinkingDraws<T> draws = training_draws<T>(thinking_, 1, address);
  draws.initial = address.initial_noise<T>(thinking_.initial_scale);
  return run(rows, &learning, draws, {});
}

template <class T, class S>
InfillSums InfillEbt<T, S>::evaluate(const InfillRows& rows, uint64_t seed, int64_t steps) {
  ThinkingDraws<T> draws;
  draws.initial = address_of(rows, seed, 0).template initial_noise<T>(thinking_.initial_scale);
  draws.landscapes = inference_landscapes(1, thinking_, steps);
  InfillSums sums = run(rows, nullptr, draws, {});
  sums.objective = sums.losses.back();
  return sums;
}

template <class T, class S>
void InfillEbt<T, S>::think(const InfillRows& rows, int64_t steps, Tensor<T> logits,
                            const InfillObserver<T>& observe) {
  const auto at = landscape().energy();
  const auto alpha = std::max(this->operands().values().step_size[0], T(kSmallestStepSize));
  for_each_chunk(rows, false, [&](const Chunk& chunk, Workspace& workspace) {
    const int64_t n = chunk.rows;
    const AnswerSpace<T, S>& space = workspace.space;
    auto& step = workspace.buffers.steps.front();
    const Tensor<T> state = step.next;
    const Tensor<T> of_chunk = logits.slice(chunk.first_row, n);
    kernels::elementwise<T>().copy(state.count(), of_chunk.data, state.data);
    const Tensor<T> sizes = workspace.token_step;
    kernels::elementwise<T>().copy(sizes.count(), workspace.answers.asked.data, sizes.data);
    kernels::elementwise<T>().scale(sizes.count(), alpha, sizes.data);
    for (int64_t i = 0; i < steps; ++i) {
      think_once(space, at, Tensor<const T>(state), Tensor<const T>{}, step);
      if (observe) {
        const Tensor<const T> g = step.candidate.g;
        kernels::rows<T>().dot(g.dim(0), g.dim(1), g.data, g.data,
                               workspace.answers.token_value.data);
        kernels::rows<T>().dot(n, space.row_length, workspace.answers.token_value.data,
                               workspace.answers.asked.data, workspace.gradient_norm.data);
        for (T& norm : workspace.gradient_norm) {
          norm = std::sqrt(norm);
        }
        observe({i, chunk.first_row, state.reshape({n, space.row_length, space.tokens.vocab_size}),
                 step.energy, workspace.gradient_norm});
      }
    }
    kernels::elementwise<T>().copy(state.count(), state.data, of_chunk.data);
  });
}

template <class T, class S>
void InfillEbt<T, S>::score(const InfillRows& rows, Tensor<T> energies) {
  const auto at = landscape().energy();
  for_each_chunk(rows, false, [&](const Chunk& chunk, Workspace& workspace) {
    const Tensor<const int32_t> tokens = rows.tokens.slice(chunk.first_row, chunk.rows);
    std::copy(tokens.begin(), tokens.end(), workspace.answers.given.begin());
    auto& step = workspace.buffers.steps.front();
    kernels::elementwise<T>().fill(step.next.count(), T(0), step.next.data);
    measure_energy(workspace.space, at, Tensor<const T>(step.next), step);
    kernels::elementwise<T>().copy(chunk.rows, step.energy.data, energies.data + chunk.first_row);
  });
}

template class InfillEbt<float>;
template class InfillEbt<double>;
template class InfillEbt<float, Bfloat16>;

}  // namespace ebt
