// Attention of single rows to cached keys, as generation needs it, and its gradient by the row.
// Rows may belong to different texts. A candidate attends to its cached keys and to itself; a
// context token to its cached keys, of which it is the last.
//
//   p = softmax(scale q.k_j)      o = sum of p_j v_j
//   s_bar_j = p_j (o_bar.v_j - o_bar.o) scale     q_bar = sum of s_bar_j k_j
//   of the row itself: k_bar = s_bar_own q        v_bar = p_own o_bar
// A row's numbers depend on its own keys alone, and not on the rows beside it.
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"
#include "ebt/kernels/pack.h"

namespace ebt::kernels {

// The widest head the kernels have memory for.
inline constexpr int64_t kMaxRowHeadWidth = 512;

// Keys whose scores are computed together.
inline constexpr int64_t kKeyBlock = 16;

// Where element i of the key, or the value, of a cached token lies within those of its head. Keys
// are blocks (kKeyBlock tokens, head_width) turned around, so that lanes of a vector are tokens;
// values are rows.
template <class S>
constexpr int64_t key_element(int64_t head_width, int64_t token, int64_t i) {
  const int64_t row = token / kKeyBlock * (head_width / kPack<S>)+i / kPack<S>;
  return (row * kKeyBlock + token % kKeyBlock) * kPack<S> + i % kPack<S>;
}
template <class S>
constexpr int64_t value_element(int64_t head_width, int64_t token, int64_t i) {
  return (token / kPack<S> * head_width + i) * kPack<S> + token % kPack<S>;
}

// The keys that a row sees: those of head h at keys + h * head_stride. What is stored of the last
// block beyond `count` must be finite.
template <class S>
struct CachedKeys {
  S* keys = nullptr;
  S* values = nullptr;
  int64_t count = 0;  // tokens
  bool own = false;   // a candidate: the row attends to itself too
};

// T computes, the cache is stored as S.
template <class T, class S>
struct RowAttentionArguments {
  int64_t rows = 0;
  int64_t heads = 0;
  int64_t head_width = 0;
  int64_t head_stride = 0;  // elements from a head's cached keys to the next's
  T scale = 0;
  const int32_t* order = nullptr;         // (rows) which rows, those of the same keys together
  const CachedKeys<S>* cached = nullptr;  // of row r at r, like everything below
  const T* qkv = nullptr;                 // 3 D of a row, q and k rotated
  T* o = nullptr;                         // D of a row
  T* log_sum = nullptr;                   // `heads` of a row, in units of the kernel
};

template <class T, class S>
struct RowAttentionKernels {
  // Writes the keys and values of the first `rows` rows that are context tokens to the cache, in
  // turn: the last of those that each sees. What follows it in its block becomes zero with the
  // block's first key.
  void (*append)(const RowAttentionArguments<T, S>& a, int64_t rows);
  void (*forward)(const RowAttentionArguments<T, S>& a);
  // For rows that attend to themselves. o_bar: D of a row, qkv_bar: 3 D.
  void (*vjp)(const RowAttentionArguments<T, S>& a, const T* o_bar, T* qkv_bar);
};

template <class T, class S>
const RowAttentionKernels<T, S>& row_attention() {
  return table<RowAttentionKernels<T, S>>();
}

}  // namespace ebt::kernels
