// Operations without mixing between rows, and sums over rows.
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
  // out[row] = a[row] . b[row]
  void (*dot_rows)(int64_t rows, int64_t width, const T* a, const T* b, T* out);
};

// The angles of a rotary embedding: cosine and sine (positions, width / 2) for heads of `width`;
// row r of the values stands at position r % positions.
template <class T>
struct RotaryAngles {
  int64_t heads = 0;
  int64_t width = 0;
  int64_t positions = 0;
  const T* cosine = nullptr;
  const T* sine = nullptr;
};

// Operations on values that are computed in T and stored as S.
template <class T, class S>
struct StoredKernels {
  // y = x, rounded
  void (*round)(int64_t count, const T* x, S* y);
  // sum (width) += sum over rows of a b; b may be null: the sum of a.
  void (*sum_rows)(int64_t rows, int64_t width, const S* a, const S* b, T* sum);
  // y = x scale, columnwise, or added to y.
  void (*scale_columns)(int64_t rows, int64_t width, const S* x, const T* scale, bool add, S* y);
  // Turns the pairs (2i, 2i+1) of every head by the row's angles; rows are `stride` apart.
  // `direction` is 1, or -1 for the inverse.
  void (*rotate)(int64_t rows, RotaryAngles<T> angles, int64_t stride, T direction, S* x);
  // From sums of the cotangents of rotated keys and of values, (rows, 2 D), to the k and v thirds
  // of qkv_bar (rows, 3 D): keys turned back, both rounded.
  void (*collect_keys)(int64_t rows, RotaryAngles<T> angles, const T* keys_bar, S* qkv_bar);
  // next = p - step[row] g, where every g is first clamped to +-bound[row] if bound is not null;
  // clamped entries of g are set to exactly the bound. next may be g.
  void (*descend)(int64_t rows, int64_t width, const S* p, const T* step, const T* bound, T* g,
                  T* next);
  // g_bar = -step[row] next_bar, 0 where bound is not null and |g| >= bound[row].
  void (*descend_back)(int64_t rows, int64_t width, const T* next_bar, const T* step,
                       const T* bound, const T* g, S* g_bar);
};

}  // namespace ebt::kernels
