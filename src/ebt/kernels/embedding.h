// Tokens to vectors and back, and a token that stands before every sequence.
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

template <class T>
struct EmbeddingKernels {
  // y[n] = weight[tokens[n]] for y (count, width)
  void (*gather)(int64_t count, int64_t width, const int32_t* tokens, const T* weight, T* y);
  // weight_bar[tokens[n]] += y_bar[n], in order of n
  void (*scatter_add)(int64_t count, int64_t width, const int32_t* tokens, const T* y_bar,
                      T* weight_bar);
  // y (sequences, length + 1, width) = [first; x] for one token `first` (width), zeros where it is
  // null, before every sequence of x (sequences, length, width)
  void (*prepend)(int64_t sequences, int64_t length, int64_t width, const T* first, const T* x,
                  T* y);
  // x_bar = y_bar without the first tokens, or added to x_bar; first_bar += the sum of those, in
  // order, unless it is null.
  void (*prepend_vjp)(int64_t sequences, int64_t length, int64_t width, const T* y_bar, bool add,
                      T* x_bar, T* first_bar);
};

template <class T>
const EmbeddingKernels<T>& embedding() {
  return table<EmbeddingKernels<T>>();
}

}  // namespace ebt::kernels
