// AdamW and the squares of gradients (adamw.h) for one instruction set.
#include <cmath>

#include "ebt/kernels/adamw.h"

namespace ebt::kernels {
namespace {

template <class T>
void update(const AdamWStep<T>& step, const ParameterSegment* segments, int64_t count, const T* g,
            T* m, T* v, T* w) {
  const AdamWStep<T> s = step;
#pragma omp parallel for schedule(static)
  for (int64_t c = 0; c < count; ++c) {
    const ParameterSegment& segment = segments[c];
    const double learning_rate = s.learning_rate * segment.rate_multiplier;
    const T keep = static_cast<T>(1.0 - learning_rate * segment.weight_decay);
    const T rate = static_cast<T>(learning_rate / s.correction1);
#pragma omp simd
    for (int64_t i = segment.begin; i < segment.end; ++i) {
      const T gradient = s.gradient_scale * g[i];
      m[i] = s.beta1 * m[i] + s.rest1 * gradient;
      v[i] = s.beta2 * v[i] + s.rest2 * gradient * gradient;
      w[i] = keep * w[i] - rate * m[i] / (std::sqrt(v[i]) / s.root_correction2 + s.epsilon);
    }
  }
}

template <class T>
void square_sums(const ParameterSegment* segments, int64_t count, const T* g, double* sums) {
#pragma omp parallel for schedule(static)
  for (int64_t c = 0; c < count; ++c) {
    double sum = 0;
    for (int64_t i = segments[c].begin; i < segments[c].end; ++i) {
      sum += static_cast<double>(g[i]) * static_cast<double>(g[i]);
    }
    sums[c] = sum;
  }
}

template <class T>
constexpr AdamWKernels<T> kTable{&update<T>, &square_sums<T>};

}  // namespace

#define EBT_TABLE(T)                                                    \
  template <>                                                           \
  const AdamWKernels<T>& kernels_for<AdamWKernels<T>, Isa::EBT_ISA>() { \
    return kTable<T>;                                                   \
  }
EBT_TABLE(float)
EBT_TABLE(double)
#undef EBT_TABLE

}  // namespace ebt::kernels
