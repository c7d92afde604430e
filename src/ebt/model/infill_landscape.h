// Where the blocks of models of whole answers run: every token of a row attends to all of it.
#pragma once

#include "ebt/model/energy_stream.h"
#include "ebt/model/engine_options.h"
#include "ebt/model/infill_weights.h"

namespace ebt {

template <class T, class S>
using AnswerStack = BlockStack<T, S, BidirectionalAttention<T, S>, TextStyle>;
template <class T, class S>
using AnswerStream = EnergyStream<T, S, BidirectionalAttention<T, S>, TextStyle>;

// Rows do not see each other, so a batch is computed in chunks, of as many rows as keep products
// large and activations near the cache, and as nearly alike as they can be.
int64_t rows_per_chunk(const InfillModelConfig& config, int64_t rows, const EngineOptions& options);
// Rows of the largest chunk of any batch of up to `rows` rows.
int64_t largest_chunk(const InfillModelConfig& config, int64_t rows, const EngineOptions& options);

// The shape of a stack of n rows.
StackShape answer_stack_shape(const InfillModelConfig& config, int64_t n);

template <class T, class S>
struct InfillLandscape {
  const InfillModelConfig& config;
  const InfillOperands<T, S>& weights;
  const RotaryTable<T>& rotary;  // read of rows without axes

  typename AnswerStack<T, S>::Params stack() const;
  typename AnswerStack<T, S>::Grads stack_grads(const InfillWeights<T>& grads) const;
  // Of an EBT: with the energy head above.
  typename AnswerStream<T, S>::Params energy() const {
    return {stack(), weights.values().energy_head};
  }
  typename AnswerStream<T, S>::Grads energy_grads(const InfillWeights<T>& grads) const {
    return {stack_grads(grads), grads.energy_head};
  }
};

}  // namespace ebt
