// The landscapes of sequences: the energy of a candidate at every position, given the context
// before it. Contexts are observed tokens or vectors under one landscape; predictions at position t
// read keys and values 0..t of them and themselves, and no other prediction.
#pragma once

#include "ebt/model/context_stream.h"
#include "ebt/model/energy_stream.h"
#include "ebt/model/landscape.h"

namespace ebt {

// A context under one landscape.
template <class T, class S>
struct CausalContext {
  CausalContext(Arena& arena, const SequenceConfig& config, int64_t batch, int64_t context,
                Keep keep, const ContextWork<T, S>& work)
      : vectors(arena, config), stream(arena, config, batch, context, keep, work) {}
  void forward(const SequenceOperandViews<T, S>& weights, const RotaryTable<T>& rotary,
               const ContextInput<T>& input, int64_t landscape) {
    vectors.forward(weights.values, landscape);
    stream.forward(weights, vectors, rotary, input, landscape);
  }
  void vjp(const SequenceOperandViews<T, S>& weights, const RotaryTable<T>& rotary,
           const SequenceWeights<T>& grads) {
    stream.vjp(weights, vectors, rotary, grads);
    vectors.vjp(weights.values, grads);
  }

  LandscapeVectors<T> vectors;
  ContextStream<T, S> stream;
};

// The landscape of some predictions of a context.
template <class T, class S>
struct CausalLandscape {
  const SequenceConfig& config;
  const SequenceOperandViews<T, S>& weights;
  const RotaryTable<T>& rotary;
  CausalContext<T, S>& context;
  int64_t first_row = 0;    // sequence of the context that the first row of candidates belongs to
  int64_t first_query = 0;  // position in the sequence of the first candidate's prefix end
  int64_t queries = 0;      // of every row

  typename PredictionStream<T, S>::Params params() const;
  typename PredictionStream<T, S>::Grads grads(const SequenceWeights<T>& grads) const;
};

}  // namespace ebt
