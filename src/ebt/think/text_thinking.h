// Thinking about text: logits move down the energy of the token they predict.
//
// One step, from logits z (N, V) at N = B * Q positions:
//   p = softmax(z)        e = p W        E = energy(context, e)        u = dE/de
//   z' = p - alpha clamp(u W^T)
// The gradient is taken with respect to p, and the step starts from p (docs/architecture.md).
#pragma once

#include <optional>
#include <vector>

#include "ebt/core/arena.h"
#include "ebt/layers/vocabulary.h"
#include "ebt/model/context_stream.h"
#include "ebt/model/landscape.h"
#include "ebt/model/prediction_stream.h"
#include "ebt/model/thinking_config.h"

namespace ebt {

// A context under one landscape.
template <class T, class S>
struct TextContext {
  TextContext(Arena& arena, const ModelConfig& config, int64_t batch, int64_t context, Keep keep,
              const ContextWork<T, S>& work)
      : vectors(arena, config), stream(arena, config, batch, context, keep, work) {}
  void forward(const ModelWeights<T, S>& weights, const RotaryTable<T>& rotary,
               Tensor<const int32_t> tokens, int64_t landscape) {
    vectors.forward(weights.values, landscape);
    stream.forward(weights, vectors, rotary, tokens, landscape);
  }
  void vjp(const ModelWeights<T, S>& weights, const RotaryTable<T>& rotary,
           const TextWeights<T>& grads) {
    stream.vjp(weights, vectors, rotary, grads);
    vectors.vjp(weights.values, grads);
  }

  LandscapeVectors<T> vectors;
  ContextStream<T, S> stream;
};

// What one thinking step computes, kept where the step is differentiated later.
template <class T, class S>
struct TextStep {
  // `keep_gradient` keeps g apart from the new logits.
  TextStep(Arena& arena, const ModelConfig& config, int64_t batch, int64_t queries, bool training,
           bool keep_gradient)
      : stream(arena, config, batch, queries, training),
        p(arena.take<S>({batch * queries, config.vocab_size})),
        next(arena.take<T>(p.shape)),
        g(keep_gradient ? arena.take<T>(p.shape) : next) {}

  PredictionStream<T, S> stream;
  Tensor<S> p;             // (N, V) where the step starts
  Tensor<T> next;          // (N, V) logits where it ends
  Tensor<T> g;             // (N, V) energy gradient with respect to p; `next` if not kept
  Tensor<const T> energy;  // (B, Q)
};

// Step sizes of N positions.
template <class T>
struct StepSizes {
  Tensor<const T> step;   // (N)
  Tensor<const T> bound;  // (N) largest entry of the energy gradient, or absent
};

// e (N, D) and u (N, D) of a step seen as matrices.
template <class T>
Tensor<T> as_rows(Tensor<T> x) {
  return x.reshape({x.dim(0) * x.dim(1), x.dim(2)});
}

// One thinking step from `logits` (N, V), which may be step.next. Afterwards step.stream holds what
// a sweep needs.
template <class T, class S>
void think_once(const ModelConfig& config, const EnergyLandscape<T, S>& at, Tensor<const T> logits,
                const StepSizes<T>& sizes, TextStep<T, S>& step);

// The energies (B, Q) of logits that are not to be moved any further.
template <class T, class S>
Tensor<const T> energy_of(const ModelConfig& config, const EnergyLandscape<T, S>& at,
                          Tensor<const T> logits, TextStep<T, S>& step);

}  // namespace ebt
