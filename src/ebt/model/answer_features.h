// What is added to the embeddings of the tokens of a row: a vector that tells given tokens from
// those that are asked for, and one for every token's place along each axis.
#pragma once

#include <vector>

#include "ebt/core/arena.h"
#include "ebt/model/infill_weights.h"

namespace ebt {

template <class T>
class AnswerFeatures {
 public:
  // Of n rows.
  AnswerFeatures(Arena& arena, const InfillModelConfig& config, int64_t n);

  // Makes the vectors of rows of which `known` tokens are given: (n, N), or those of fewer rows
  // that come again and again.
  void forward(Tensor<const uint8_t> known, const InfillWeights<const T>& weights);
  // (n N, D)
  Tensor<const T> vectors() const { return vectors_; }
  // Adds the gradients of the weights, from the cotangents e_bar (n N, D) of the embeddings.
  void vjp(Tensor<const T> e_bar, const InfillWeights<T>& grads) const;

 private:
  Tensor<int32_t> known_;                     // (n N)
  std::vector<Tensor<int32_t>> coordinates_;  // (n N) along every axis
  std::vector<RowAxis> axes_;
  Tensor<T> vectors_, work_;  // (n N, D)
};

}  // namespace ebt
