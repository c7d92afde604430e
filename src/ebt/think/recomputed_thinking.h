// Thinking without cached keys: every step computes the whole prefix anew, through the streams of
// training, with a candidate at every position. This is how implementations generate that have
// nothing but their training pass; generation is proved and measured against it.
#pragma once

#include <span>
#include <vector>

#include "ebt/core/arena.h"
#include "ebt/model/parameters.h"
#include "ebt/think/plan.h"
#include "ebt/think/text_ebt.h"
#include "ebt/think/thoughts.h"

namespace ebt {

template <class T, class S = T>
class RecomputedThinking {
 public:
  // For `positions` tokens. `weights`, which must outlive it, are copied where products need that.
  RecomputedThinking(const TextModelConfig& model, const TextThinkingConfig& trained,
                     const ParameterBlock<T>& weights, int64_t positions,
                     ThinkingNoise<T> noise = counter_based_noise<T>());

  // Where one candidate's thought about a token led.
  struct Thought {
    std::vector<T> logits;         // (V)
    std::vector<double> energies;  // before every step and after the last
    int64_t steps = 0;
  };
  // Thinks about the token after each of `tokens` (positions), at most `most_steps` steps. Of
  // `options` all that concerns one candidate counts; `noise` addresses the first token thought
  // about, which the others follow.
  std::vector<Thought> think(std::span<const int32_t> tokens, const ThinkOptions& options,
                             NoiseAddress noise, int64_t most_steps = kMaxThinkSteps);

 private:
  struct Buffers {
    Buffers(Arena& arena, const TextModelConfig& model, const TextThinkingConfig& trained,
            int64_t positions);
    ContextWork<T, S> work;
    CausalContext<T, S> context;
    ThinkingStep<Simplex<T, S>, PredictionStream<T, S>> step;
    Tensor<T> logits, start, noise;  // (positions, V)
    Tensor<T> step_size, bound;      // (positions)
  };
  Tensor<T> row(Tensor<T> all, int64_t position) const {
    return all.slice(position, 1).reshape({config_.vocab_size});
  }
  // Computes the context under a landscape, and gives the parameters of energies there.
  typename PredictionStream<T, S>::Params read(Tensor<const int32_t> tokens, int64_t landscape);
  void take_start(const ThinkOptions& options, NoiseAddress noise, int64_t step);

  TextModelConfig config_;
  TextThinkingConfig trained_;
  SequenceOperands<T, S> operands_;
  RotaryTable<T> rotary_;
  ThinkingNoise<T> noise_;
  Arena arena_;
  Buffers buffers_;
};

}  // namespace ebt
