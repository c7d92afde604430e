#include "ebt/think/infill_looped.h"

#include <algorithm>
#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/core/phase.h"
#include "ebt/kernels/elementwise.h"
#include "ebt/layers/linear.h"
#include "ebt/layers/vocabulary.h"
#include "ebt/think/answer_chunk.h"
#include "ebt/think/simplex.h"

namespace ebt {

// The buffers of chunks of n rows: of every round that is learned from, else of one.
template <class T, class S>
struct InfillLooped<T, S>::Workspace {
  struct Round {
    Round(Arena& arena, const InfillModelConfig& model, int64_t n, bool learns)
        : stack(arena, answer_stack_shape(model, n),
                learns ? StackUse::kGradient : StackUse::kForward),
          p(arena.take<S>({n * model.row_length, model.vocab_size})),
          features(learns ? arena.take<T>({p.dim(0), model.width}) : Tensor<T>{}) {}
    AnswerStack<T, S> stack;
    Tensor<S> p;         // (n N, V) what it started from
    Tensor<T> features;  // (n N, D) what its output layer read
  };

  // kept_rounds = 0: nothing is learned.
  Workspace(Arena& arena, const InfillModelConfig& model, int64_t n, int64_t kept_rounds)
      : kept(kept_rounds),
        answers(arena, model, n),
        logits(arena.take<T>({n * model.row_length, model.vocab_size})) {
    for (int64_t i = 0; i < std::max<int64_t>(kept, 1); ++i) {
      rounds.emplace_back(arena, model, n, kept > 0);
    }
    if (kept > 0) {
      slope = arena.take<T>(logits.shape);
      p_bar = arena.take<T>(logits.shape);
      features_bar = arena.take<T>(answer_stack_shape(model, n).stream());
    }
  }

  int64_t kept;
  AnswerChunk<T> answers;
  Tensor<T> logits;  // (n N, V)
  std::vector<Round> rounds;
  Tensor<T> slope, p_bar;  // (n N, V): derivatives of the loss by logits and probabilities
  Tensor<T> features_bar;  // (n, N, D)
};

template <class T, class S>
InfillLooped<T, S>::InfillLooped(const InfillModelConfig& model,
                                 const InfillThinkingConfig& thinking, int64_t rows,
                                 const EngineOptions& options)
    : Shell(model, options, workspace_bytes(model, thinking, rows, options)),
      thinking_(thinking),
      rotary_(model.row_length, model.head_width(), model.rope_theta) {
  if (!is_looped()) {
    thinking_.steps_min = thinking_.steps_max = 1;
  }
}

template <class T, class S>
InfillLooped<T, S>::~InfillLooped() = default;

template <class T, class S>
size_t InfillLooped<T, S>::workspace_bytes(const InfillModelConfig& model,
                                           const InfillThinkingConfig& thinking, int64_t rows,
                                           const EngineOptions& options) {
  const int64_t rounds = model.arch == InfillArchitecture::kLooped ? thinking.steps_max : 1;
  Arena measure;
  const Workspace workspace(measure, model, largest_chunk(model, rows, options),
                            options.training ? rounds : 0);
  return measure.peak_bytes();
}

template <class T, class S>
typename InfillLooped<T, S>::Workspace& InfillLooped<T, S>::prepare(const InfillRows& rows,
                                                                    const Chunk& chunk,
                                                                    int64_t kept_rounds) {
  if (workspace_ == nullptr || workspace_->answers.rows != chunk.rows ||
      workspace_->kept != kept_rounds) {
    this->arena_.rewind();
    workspace_ = std::make_unique<Workspace>(this->arena_, this->config(), chunk.rows, kept_rounds);
  }
  workspace_->answers.place(rows.tokens.slice(chunk.first_row, chunk.rows),
                            rows.known.slice(chunk.first_row, chunk.rows),
                            this->operands().values());
  return *workspace_;
}

template <class T, class S>
void InfillLooped<T, S>::take_round(size_t slot, Workspace& workspace) {
  const PhaseScope scope(Phase::kVocabulary);
  typename Workspace::Round& round = workspace.rounds[slot];
  const Tensor<T> logits = workspace.logits;
  if (!is_looped()) {
    kernels::elementwise<T>().fill(logits.count(), T(0), logits.data);
  }
  const Tensor<T> e = as_rows(round.stack.embedded());
  typename EmbedPrediction<T, S>::Saved saved{round.p, {}};
  EmbedPrediction<T, S>::forward({this->operands().vocabulary(), true, workspace.answers.given},
                                 logits, e, saved);
  kernels::elementwise<T>().add(e.count(), T(1), workspace.answers.features.vectors().data, e.data);
  const Tensor<const T> features = as_rows(round.stack.forward(landscape().stack()));
  if (round.features) {
    kernels::elementwise<T>().copy(features.count(), features.data, round.features.data);
  }
  typename Linear<T>::Saved unused;
  Linear<T>::forward({this->operands().values().output, {}}, features, logits, unused);
}

template <class T, class S>
void InfillLooped<T, S>::learn(size_t rounds, Workspace& workspace) {
  const PhaseScope scope(Phase::kVocabulary);
  const InfillWeights<T>& gradients = this->gradients_by_role();
  const auto at = landscape().stack();
  auto grads = landscape().stack_grads(gradients);
  for (size_t i = rounds; i-- > 0;) {
    typename Workspace::Round& round = workspace.rounds[i];
    typename Linear<T>::Grads output{gradients.output, {}};
    Linear<T>::vjp({this->operands().values().output, {}}, {round.features}, workspace.slope,
                   as_rows(workspace.features_bar), Write::kReplace, &output);
    round.stack.vjp(at, workspace.features_bar, &grads);
    workspace.answers.features.vjp(as_rows(round.stack.gradient()), gradients);
    const Tensor<const S> e_bar = as_rows(round.stack.gradient_stored());
    const typename EmbedPrediction<T, S>::Params embedding{this->operands().vocabulary(), true,
                                                           workspace.answers.given};
    typename EmbedPrediction<T, S>::Grads vocabulary{gradients.vocabulary};
    if (i == 0) {
      EmbedPrediction<T, S>::vjp_of_weight(embedding, round.p, e_bar, &vocabulary);
    } else {
      EmbedPrediction<T, S>::vjp(embedding, {round.p, workspace.p_bar}, e_bar, workspace.slope,
                                 Write::kReplace, &vocabulary);
    }
  }
}

template <class T, class S>
InfillSums InfillLooped<T, S>::run(const InfillRows& rows, const InfillLearning* learning,
                                   size_t rounds,
                                   const std::function<void(int64_t first, Tensor<T>)>& initial) {
  const bool learns = learning != nullptr;
  InfillSums sums(rounds);
  for_each_answer_chunk(this->config(), this->options(), rows, [&](const Chunk& chunk) {
    Workspace& workspace = prepare(rows, chunk, learns ? thinking_.steps_max : 0);
    initial(chunk.first_row, workspace.logits);
    InfillSums of_chunk(rounds);
    of_chunk.energies.clear();
    of_chunk.rows = chunk.rows;
    of_chunk.count = count_targets(workspace.answers.targets);
    for (size_t i = 0; i < rounds; ++i) {
      take_round(learns ? i : 0, workspace);
      const bool last = i + 1 == rounds;
      const T scale = learns && last ? static_cast<T>(learning->inverse_token_count) : T(0);
      of_chunk.losses[i] = workspace.answers.measure(
          i, workspace.logits, scale, learns && last ? workspace.slope : Tensor<T>{}, of_chunk);
    }
    of_chunk.objective = of_chunk.losses.back();
    if (learns) {
      learn(rounds, workspace);
    }
    sums.add(of_chunk);
  });
  sums.energies.clear();
  return sums;
}

template <class T, class S>
std::function<void(int64_t first, Tensor<T>)> InfillLooped<T, S>::initial(
    const InfillRows& rows, uint64_t seed, uint64_t training_step) const {
  const DrawAddress address{seed, training_step, rows.first_row,
                            this->config().row_length * this->config().vocab_size};
  return address.initial_noise<T>(initial_scale());
}

template <class T, class S>
InfillSums InfillLooped<T, S>::train(const InfillRows& rows, const InfillLearning& learning,
                                     uint64_t seed, uint64_t training_step) {
  const size_t rounds =
      training_draws<T>(thinking_, 1, {seed, training_step, 0, 0}).landscapes.size();
  return run(rows, &learning, rounds, initial(rows, seed, training_step));
}

template <class T, class S>
InfillSums InfillLooped<T, S>::evaluate(const InfillRows& rows, uint64_t seed, int64_t steps) {
  const size_t rounds = inference_landscapes(1, thinking_, steps).size();
  return run(rows, nullptr, rounds, initial(rows, seed, 0));
}

template <class T, class S>
void InfillLooped<T, S>::think(const InfillRows& rows, int64_t steps, Tensor<T> logits,
                               const InfillObserver<T>& observe) {
  for_each_answer_chunk(this->config(), this->options(), rows, [&](const Chunk& chunk) {
    Workspace& workspace = prepare(rows, chunk, 0);
    const Tensor<T> of_chunk = logits.slice(chunk.first_row, chunk.rows);
    kernels::elementwise<T>().copy(of_chunk.count(), of_chunk.data, workspace.logits.data);
    for (int64_t i = 0; i < steps; ++i) {
      take_round(0, workspace);
      if (observe) {
        observe({i, chunk.first_row, workspace.logits.reshape(of_chunk.shape), {}, {}});
      }
    }
    kernels::elementwise<T>().copy(of_chunk.count(), workspace.logits.data, of_chunk.data);
  });
}

template <class T, class S>
void InfillLooped<T, S>::score(const InfillRows& /*rows*/, Tensor<T> /*energies*/) {
  fail("a {} model has no energy to score answers by", enum_name(this->config().arch));
}

template class InfillLooped<float>;
template class InfillLooped<double>;
template class InfillLooped<float, Bfloat16>;

}  // namespace ebt
