// Operations without mixing between elements, and sums over rows.
#pragma once

#include <cstdint>

namespace ebt::kernels {

template <class T>
struct ElementwiseKernels {
  // y = x
  void (*copy)(int64_t count, const T* x, T* y);
  // y = 0
  void (*zero)(int64_t count, T* y);
  // y += scale x
  void (*add)(int64_t count, T scale, const T* x, T* y);
  // y[row] = scale[row] x[row]; rows of `width`. y may be x.
  void (*scale_rows)(int64_t rows, int64_t width, const T* scale, const T* x, T* y);
  // out[row] = a[row] . b[row]
  void (*dot_rows)(int64_t rows, int64_t width, const T* a, const T* b, T* out);
  // y = x (offset + scale) + shift + base, columnwise: scale, shift (width), base (rows, width);
  // shift and base may be null. y may be x or base.
  void (*scale_columns)(int64_t rows, int64_t width, const T* x, T offset, const T* scale,
                        const T* shift, const T* base, T* y);
  // out (width) += sum over rows of a b; b may be null: the sum of a.
  void (*sum_rows)(int64_t rows, int64_t width, const T* a, const T* b, T* out);
  // Rotates the pairs (2i, 2i+1) of every head of `width` by the row's angles: cosine, sine
  // (positions, width / 2), row r at position r % positions; rows are `stride` apart.
  // `direction` is 1, or -1 for the inverse.
  void (*rotate)(int64_t rows, int64_t heads, int64_t width, int64_t stride, int64_t positions,
                 const T* cosine, const T* sine, T direction, T* x);
  // next = p - step[row] g, where every g is first clamped to +-bound[row] if bound is not null;
  // clamped entries of g are set to exactly the bound.
  void (*descend)(int64_t rows, int64_t width, const T* p, const T* step, const T* bound, T* g,
                  T* next);
  // v = 0 where |g| >= bound[row].
  void (*mask_clamped)(int64_t rows, int64_t width, const T* g, const T* bound, T* v);
};

}  // namespace ebt::kernels
