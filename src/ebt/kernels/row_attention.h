// Attention of single rows to cached keys, as generation needs it, and its gradient by the row.
// Rows may belong to different texts. A candidate attends to its cached keys and to itself; a
// context token to its cached keys, of which it is the last.
//
//   w = softmax(scale q.k_j)      o = sum of w_j v_j
//   ds_j = w_j (o_bar.v_j - o_bar.o) scale     q_bar = sum of ds_j k_j
//   of the row itself: k_bar = ds_own q        v_bar = w_own o_bar
// A row's numbers depend on its own keys alone, and not on the rows beside it.
#pragma once

#include <cstdint>

namespace ebt::kernels {

// The widest head the kernels have memory for.
inline constexpr int64_t kMaxRowHeadWidth = 512;

// The keys that a row sees: those of head h at keys + h * head_stride, each head_width apart.
template <class S>
struct CachedKeys {
  const S* keys = nullptr;
  const S* values = nullptr;
  int64_t count = 0;
};

// T computes, the cache is stored as S.
template <class T, class S>
struct RowAttentionArguments {
  int64_t rows = 0;
  int64_t heads = 0;
  int64_t head_width = 0;
  int64_t head_stride = 0;  // elements from a head's cached keys to the next's
  bool own = false;         // rows attend to themselves too
  T scale = 0;
  const CachedKeys<S>* cached = nullptr;  // (rows)
  const T* qkv = nullptr;                 // (rows, 3 D), q and k rotated
  T* o = nullptr;                         // (rows, D)
  T* log_sum = nullptr;                   // (rows, heads), in units of the kernel
};

template <class T, class S>
struct RowAttentionKernels {
  void (*forward)(const RowAttentionArguments<T, S>& a);
  // For rows that attend to themselves. o_bar (rows, D), qkv_bar (rows, 3 D).
  void (*vjp)(const RowAttentionArguments<T, S>& a, const T* o_bar, T* qkv_bar);
};

}  // namespace ebt::kernels
