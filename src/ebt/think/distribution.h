// The distribution over tokens that logits stand for: softmax(logits), in double.
#pragma once

#include <cmath>
#include <vector>

#include "ebt/core/tensor.h"
#include "ebt/think/generator.h"

namespace ebt {

// A view of logits (V), which must outlive it.
template <class T>
class Distribution {
 public:
  explicit Distribution(Tensor<const T> logits);

  // Whether it is one: all logits are finite numbers. Else nothing below means anything.
  bool finite() const { return std::isfinite(log_total_); }
  // Nats.
  double log_probability(int64_t token) const {
    return static_cast<double>(logits_[token]) - log_total_;
  }
  double entropy() const;
  // The `count` likeliest tokens, likeliest first; ties go to the lower token.
  std::vector<TokenProbability> likeliest(int64_t count) const;
  // The token that `uniform`, a number in [0, 1), picks as `sampling` says: of the likeliest tokens
  // in order, by their cumulative probability.
  int32_t sample(const SamplingOptions& sampling, double uniform) const;

 private:
  // The `count` likeliest tokens, in order.
  std::vector<int32_t> order(int64_t count) const;

  Tensor<const T> logits_;
  double log_total_ = 0;
};

}  // namespace ebt
