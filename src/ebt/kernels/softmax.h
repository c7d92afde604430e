// Softmax over rows, and cross-entropy of logits against tokens. z, p (rows, width); p is stored as
// S, all else is T.
//
//   p = softmax(z)
//   z_bar += p (p_bar - p.p_bar)
//   p_dot  = p (z_dot - p.z_dot)
//   second order, of <delta, p_dot> = cov_p(delta, z_dot):
//     z_bar += p ((delta - p.delta) (z_dot - p.z_dot) - cov)
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

// Cotangents are added to where `add`, else replaced; z_bar may be the same memory as p_bar.
template <class T, class S>
struct SoftmaxKernels {
  void (*forward)(int64_t rows, int64_t width, const T* z, S* p);
  void (*vjp)(int64_t rows, int64_t width, const S* p, const T* p_bar, bool add, T* z_bar);
  void (*jvp)(int64_t rows, int64_t width, const S* p, const T* z_dot, T* p_dot);
  void (*vjp_of_jvp)(int64_t rows, int64_t width, const S* p, const T* z_dot, const T* delta,
                     bool add, T* z_bar);
  // p[row] = 1 in column tokens[row] and 0 elsewhere; rows with a negative token stay as they are.
  void (*put_one_hot)(int64_t rows, int64_t width, const int32_t* tokens, S* p);
};

template <class T, class S>
const SoftmaxKernels<T, S>& softmax() {
  return table<SoftmaxKernels<T, S>>();
}

template <class T>
struct CrossEntropyKernels {
  // loss[row] = -sum_j q_j log softmax(z)_j for q = (1 - smoothing) one_hot(target) +
  // smoothing / width, in nats; 0 where the target is negative (ignored).
  // gradient (or null) = scale (softmax(z) - q), 0 where ignored.
  void (*loss_and_gradient)(int64_t rows, int64_t width, const T* z, const int32_t* targets,
                            T smoothing, T scale, T* loss, T* gradient);
  // The rules of loss(z), from p = softmax(z). Rows are ignored as above; cotangents are added to
  // where `add`, else replaced.
  //   z_bar = loss_bar (p - q)        loss_dot = (p - q).z_dot
  //   second order, of delta loss_dot: z_bar = delta p (z_dot - p.z_dot)
  void (*vjp)(int64_t rows, int64_t width, const T* p, const int32_t* targets, T smoothing,
              const T* loss_bar, bool add, T* z_bar);
  void (*jvp)(int64_t rows, int64_t width, const T* p, const int32_t* targets, T smoothing,
              const T* z_dot, T* loss_dot);
  void (*vjp_of_jvp)(int64_t rows, int64_t width, const T* p, const int32_t* targets,
                     const T* z_dot, const T* delta, bool add, T* z_bar);
};

template <class T>
const CrossEntropyKernels<T>& cross_entropy() {
  return table<CrossEntropyKernels<T>>();
}

}  // namespace ebt::kernels
