// One update of AdamW over segments of a model's parameters, and the squares of their gradients.
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

// A run of elements that are treated alike.
struct ParameterSegment {
  int64_t begin, end;
  double rate_multiplier;
  double weight_decay;
};

template <class T>
struct AdamWStep {
  double learning_rate;  // of a segment: times its multiplier
  double correction1;    // 1 - beta1^t
  T root_correction2;    // sqrt(1 - beta2^t)
  T gradient_scale;
  T beta1, beta2, rest1, rest2;  // rest = 1 - beta
  T epsilon;
};

template <class T>
struct AdamWKernels {
  // m = beta1 m + rest1 g, v = beta2 v + rest2 g^2 for g multiplied by the gradient's scale, then
  // w = keep w - rate m / (sqrt(v) / root_correction2 + epsilon).
  void (*update)(const AdamWStep<T>& step, const ParameterSegment* segments, int64_t count,
                 const T* g, T* m, T* v, T* w);
  // sums[c] = the sum of g^2 over segment c: in double, in the order of the elements.
  void (*square_sums)(const ParameterSegment* segments, int64_t count, const T* g, double* sums);
};

template <class T>
const AdamWKernels<T>& adamw() {
  return table<AdamWKernels<T>>();
}

}  // namespace ebt::kernels
