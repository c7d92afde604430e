// Attention of single rows, which may belong to different texts, to the cached keys of their own
// texts (kernels/row_attention.h): that of layers/attention.h, a row at a time. Generation takes no
// second derivatives, so there are two of the four rules.
#pragma once

#include <span>

#include "ebt/kernels/row_attention.h"
#include "ebt/layers/attention.h"

namespace ebt {

// T computes, the cache is stored as S.
template <class T, class S>
struct CachedAttention {
  using Scalar = T;
  struct Params {
    int64_t heads = 0;
    int64_t head_stride = 0;  // elements from a head's cached keys to the next's
    std::span<const kernels::CachedKeys<S>> keys;  // that each row of x sees
    std::span<const int32_t> order;                // the rows of y, those of the same keys together
  };
  struct Grads {};
  using Saved = AttentionSaved<T, T>;

  // x (M, 3 D), y (R, D) of the first R of the M rows. First the keys and values of all context
  // tokens among the M join the cache.
  static void forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved);
  // Of candidates alone: y_bar (R, D), x_bar (R, 3 D), which is replaced. A cached key is a
  // constant.
  static void vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar, Tensor<T> x_bar,
                  Write write, Grads* grads);
};

}  // namespace ebt
