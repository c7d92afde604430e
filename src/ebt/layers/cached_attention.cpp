#include "ebt/layers/cached_attention.h"

#include <algorithm>
#include <cmath>

namespace ebt {
namespace {

template <class T, class S>
kernels::RowAttentionArguments<T, S> arguments(const typename CachedAttention<T, S>::Params& params,
                                               const typename CachedAttention<T, S>::Saved& saved) {
  const int64_t rows = saved.o.dim(0);
  const int64_t width = saved.o.dim(1);
  EBT_CHECK(saved.qkv.dim(1) == 3 * width && width % params.heads == 0,
            "cached attention: x is {} and y {}, of {} heads", saved.qkv.shape.to_string(),
            saved.o.shape.to_string(), params.heads);
  EBT_CHECK(static_cast<int64_t>(params.order.size()) == rows &&
                static_cast<int64_t>(params.keys.size()) >= saved.qkv.dim(0) &&
                rows <= saved.qkv.dim(0),
            "cached attention: {} rows of {} attend, but {} are in order and {} have keys", rows,
            saved.qkv.dim(0), params.order.size(), params.keys.size());
  kernels::RowAttentionArguments<T, S> a;
  a.rows = rows;
  a.heads = params.heads;
  a.head_width = width / params.heads;
  a.head_stride = params.head_stride;
  a.scale = T(1) / std::sqrt(static_cast<T>(a.head_width));
  a.order = params.order.data();
  a.cached = params.keys.data();
  a.qkv = saved.qkv.data;
  a.o = saved.o.data;
  a.log_sum = saved.log_sum.data;
  return a;
}

}  // namespace

template <class T, class S>
void CachedAttention<T, S>::forward(const Params& params, Tensor<const T> x, Tensor<T> y,
                                    Saved& saved) {
  saved.qkv = x;
  saved.o = y;
  const auto a = arguments<T, S>(params, saved);
  kernels::row_attention<T, S>().append(a, x.dim(0));
  kernels::row_attention<T, S>().forward(a);
}

template <class T, class S>
void CachedAttention<T, S>::vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar,
                                Tensor<T> x_bar, Write write, Grads* /*grads*/) {
  check_shape("cached attention", "y_bar", y_bar.shape, saved.o.shape);
  check_shape("cached attention", "x_bar", x_bar.shape, {y_bar.dim(0), 3 * y_bar.dim(1)});
  EBT_CHECK(write == Write::kReplace &&
                std::all_of(params.order.begin(), params.order.end(),
                            [&](int32_t row) { return params.keys[static_cast<size_t>(row)].own; }),
            "cached attention: a gradient of candidates alone, that replaces");
  kernels::row_attention<T, S>().vjp(arguments<T, S>(params, saved), y_bar.data, x_bar.data);
}

template struct CachedAttention<float, float>;
template struct CachedAttention<float, Bfloat16>;
template struct CachedAttention<double, double>;

}  // namespace ebt
