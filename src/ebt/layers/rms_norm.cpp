#include "ebt/layers/rms_norm.h"

#include "ebt/kernels/isa.h"

namespace ebt {
namespace {

template <class T, class S>
const kernels::RmsNormKernels<T, S>& table() {
  return kernels::kernels<kernels::RmsNormKernels<T, S>>();
}

template <class T, class S>
kernels::RmsNormArguments<T, S> arguments(const typename RmsNorm<T, S>::Params& params,
                                          const typename RmsNorm<T, S>::Saved& saved) {
  const Tensor<const S> x = saved.x;
  const int64_t width = params.weight.count();
  EBT_CHECK(x.shape.rank() > 0 && x.dim(x.shape.rank() - 1) == width,
            "rms_norm: x is {} but the weight has {} entries", x.shape.to_string(), width);
  return {x.count() / width, width,  params.weight.data,    params.shift.data,
          params.eps,        x.data, saved.inverse_rms.data};
}

template <class T, class S>
kernels::NormGradients<T> gradients(const typename RmsNorm<T, S>::Grads* grads) {
  return grads == nullptr ? kernels::NormGradients<T>{}
                          : kernels::NormGradients<T>{grads->weight.data, grads->shift.data};
}

}  // namespace

template <class T, class S>
void RmsNorm<T, S>::forward(const Params& params, Tensor<const S> x, Tensor<S> y, Saved& saved) {
  saved.x = x;
  const auto a = arguments<T, S>(params, saved);
  check_shape("rms_norm", "y", y.shape, x.shape);
  table<T, S>().forward(a, nullptr, nullptr, y.data);
}

template <class T, class S>
void RmsNorm<T, S>::vjp(const Params& params, const Saved& saved, Tensor<const S> y_bar,
                        Tensor<T> x_bar, Write write, Grads* grads) {
  check_shape("rms_norm", "x_bar", x_bar.shape, saved.x.shape);
  vjp_to_stream(params, saved, y_bar, {x_bar.data, write == Write::kAdd, nullptr}, grads, {});
}

template <class T, class S>
void RmsNorm<T, S>::jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                        Tensor<S> y_dot) {
  const auto a = arguments<T, S>(params, saved);
  check_shape("rms_norm", "x_dot", x_dot.shape, saved.x.shape);
  check_shape("rms_norm", "y_dot", y_dot.shape, saved.x.shape);
  table<T, S>().jvp(a, x_dot.data, nullptr, nullptr, y_dot.data);
}

template <class T, class S>
void RmsNorm<T, S>::vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                               Tensor<const S> delta, Tensor<T> x_bar, Write write, Grads* grads) {
  second_order(params, saved, x_dot, delta, {}, x_bar, write, grads);
}

template <class T, class S>
void RmsNorm<T, S>::second_order(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                                 Tensor<const S> delta, Tensor<const S> y_bar, Tensor<T> x_bar,
                                 Write write, Grads* grads) {
  check_shape("rms_norm", "x_bar", x_bar.shape, saved.x.shape);
  second_order_to_stream(params, saved, x_dot, delta, y_bar,
                         {x_bar.data, write == Write::kAdd, nullptr}, grads, {}, {});
}

template <class T, class S>
void RmsNorm<T, S>::read_stream(const Params& params, Tensor<const T> stream, Tensor<S> kept,
                                Tensor<S> y, Saved& saved) {
  saved.x = kept;
  const auto a = arguments<T, S>(params, saved);
  check_shape("rms_norm", "the stream", stream.shape, kept.shape);
  check_shape("rms_norm", "y", y.shape, kept.shape);
  table<T, S>().forward(a, stream.data, kept.data, y.data);
}

template <class T, class S>
void RmsNorm<T, S>::vjp_to_stream(const Params& params, const Saved& saved, Tensor<const S> y_bar,
                                  StreamCotangent x_bar, Grads* grads, Tensor<S> y) {
  const auto a = arguments<T, S>(params, saved);
  check_shape("rms_norm", "y_bar", y_bar.shape, saved.x.shape);
  table<T, S>().vjp(a, y_bar.data, x_bar, gradients<T, S>(grads), y.data);
}

template <class T, class S>
void RmsNorm<T, S>::jvp_of_stream(const Params& params, const Saved& saved,
                                  Tensor<const T> stream_dot, Tensor<S> kept, Tensor<S> y_dot) {
  const auto a = arguments<T, S>(params, saved);
  check_shape("rms_norm", "the stream", stream_dot.shape, saved.x.shape);
  check_shape("rms_norm", "y_dot", y_dot.shape, saved.x.shape);
  table<T, S>().jvp(a, kept.data, stream_dot.data, kept.data, y_dot.data);
}

template <class T, class S>
void RmsNorm<T, S>::second_order_to_stream(const Params& params, const Saved& saved,
                                           Tensor<const S> x_dot, Tensor<const S> delta,
                                           Tensor<const S> y_bar, StreamCotangent x_bar,
                                           Grads* grads, Tensor<S> y, Tensor<S> y_dot) {
  const auto a = arguments<T, S>(params, saved);
  check_shape("rms_norm", "x_dot", x_dot.shape, saved.x.shape);
  check_shape("rms_norm", "delta", delta.shape, saved.x.shape);
  table<T, S>().second_order(a, x_dot.data, delta.data, y_bar.data, x_bar, gradients<T, S>(grads),
                             y.data, y_dot.data);
}

template struct RmsNorm<float>;
template struct RmsNorm<double>;
template struct RmsNorm<float, Bfloat16>;

}  // namespace ebt
