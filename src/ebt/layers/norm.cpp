#include "ebt/layers/norm.h"

namespace ebt {
namespace {

constexpr const char* name_of(NormKind kind) {
  return kind == NormKind::kRms ? "rms_norm" : "layer_norm";
}

template <class T, class S, NormKind kind>
kernels::NormArguments<T, S> arguments(const typename Norm<T, S, kind>::Params& params,
                                       const typename Norm<T, S, kind>::Saved& saved) {
  const Tensor<const S> x = saved.x;
  const kernels::Matrix<const T>& gain = params.gain;
  EBT_CHECK(x.shape.rank() > 0 && x.dim(x.shape.rank() - 1) == gain.columns,
            "{}: x is {} but the gain has {} entries", name_of(kind), x.shape.to_string(),
            gain.columns);
  const int64_t rows = x.count() / gain.columns;
  EBT_CHECK(gain.rows >= 1 && rows % gain.rows == 0, "{}: {} rows are not {} equal groups",
            name_of(kind), rows, gain.rows);
  EBT_CHECK(params.shift.data == nullptr ||
                (params.shift.rows == gain.rows && params.shift.columns == gain.columns &&
                 params.shift.row == gain.row),
            "{}: gain and shift differ in shape", name_of(kind));
  EBT_CHECK((kind == NormKind::kLayer) == static_cast<bool>(saved.mean) || x.count() == 0,
            "{}: memory for means does not belong to this norm", name_of(kind));
  return {rows,
          gain.columns,
          gain.data,
          params.shift.data,
          params.eps,
          x.data,
          saved.inverse_deviation.data,
          saved.mean.data,
          gain.rows,
          gain.row};
}

template <class T, class Params, class Grads>
kernels::NormGradients<T> gradients(const Params& params, const Grads* grads) {
  if (grads == nullptr) {
    return {};
  }
  for (const kernels::Matrix<T>& bar : {grads->gain, grads->shift}) {
    EBT_CHECK(bar.data == nullptr || (bar.rows == params.gain.rows && bar.row == params.gain.row &&
                                      bar.columns == params.gain.columns),
              "norm: the gradient of a gain or shift is not laid out as the gain");
  }
  return {grads->gain.data, grads->shift.data};
}

}  // namespace

template <class T, class S, NormKind kind>
void Norm<T, S, kind>::forward(const Params& params, Tensor<const S> x, Tensor<S> y, Saved& saved) {
  saved.x = x;
  const auto a = arguments<T, S, kind>(params, saved);
  check_shape(name_of(kind), "y", y.shape, x.shape);
  kernels::norm<T, S>().forward(a, nullptr, nullptr, y.data);
}

template <class T, class S, NormKind kind>
void Norm<T, S, kind>::vjp(const Params& params, const Saved& saved, Tensor<const S> y_bar,
                           Tensor<T> x_bar, Write write, Grads* grads) {
  check_shape(name_of(kind), "x_bar", x_bar.shape, saved.x.shape);
  vjp_to_stream(params, saved, y_bar, {x_bar.data, write == Write::kAdd, nullptr}, grads, {});
}

template <class T, class S, NormKind kind>
void Norm<T, S, kind>::jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                           Tensor<S> y_dot) {
  const auto a = arguments<T, S, kind>(params, saved);
  check_shape(name_of(kind), "x_dot", x_dot.shape, saved.x.shape);
  check_shape(name_of(kind), "y_dot", y_dot.shape, saved.x.shape);
  kernels::norm<T, S>().jvp(a, x_dot.data, nullptr, nullptr, y_dot.data);
}

template <class T, class S, NormKind kind>
void Norm<T, S, kind>::vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                                  Tensor<const S> delta, Tensor<T> x_bar, Write write,
                                  Grads* grads) {
  second_order(params, saved, x_dot, delta, {}, x_bar, write, grads);
}

template <class T, class S, NormKind kind>
void Norm<T, S, kind>::second_order(const Params& params, const Saved& saved, Tensor<const S> x_dot,
                                    Tensor<const S> delta, Tensor<const S> y_bar, Tensor<T> x_bar,
                                    Write write, Grads* grads) {
  check_shape(name_of(kind), "x_bar", x_bar.shape, saved.x.shape);
  second_order_to_stream(params, saved, x_dot, delta, y_bar,
                         {x_bar.data, write == Write::kAdd, nullptr}, grads, {}, {});
}

template <class T, class S, NormKind kind>
void Norm<T, S, kind>::read_stream(const Params& params, Tensor<const T> stream, Tensor<S> kept,
                                   Tensor<S> y, Saved& saved) {
  saved.x = kept;
  const auto a = arguments<T, S, kind>(params, saved);
  check_shape(name_of(kind), "the stream", stream.shape, kept.shape);
  check_shape(name_of(kind), "y", y.shape, kept.shape);
  kernels::norm<T, S>().forward(a, stream.data, kept.data, y.data);
}

template <class T, class S, NormKind kind>
void Norm<T, S, kind>::vjp_to_stream(const Params& params, const Saved& saved,
                                     Tensor<const S> y_bar, StreamCotangent x_bar, Grads* grads,
                                     Tensor<S> y) {
  const auto a = arguments<T, S, kind>(params, saved);
  check_shape(name_of(kind), "y_bar", y_bar.shape, saved.x.shape);
  kernels::norm<T, S>().vjp(a, y_bar.data, x_bar, gradients<T>(params, grads), y.data);
}

template <class T, class S, NormKind kind>
void Norm<T, S, kind>::jvp_of_stream(const Params& params, const Saved& saved,
                                     Tensor<const T> stream_dot, Tensor<S> kept, Tensor<S> y_dot) {
  const auto a = arguments<T, S, kind>(params, saved);
  check_shape(name_of(kind), "the stream", stream_dot.shape, saved.x.shape);
  check_shape(name_of(kind), "y_dot", y_dot.shape, saved.x.shape);
  kernels::norm<T, S>().jvp(a, kept.data, stream_dot.data, kept.data, y_dot.data);
}

template <class T, class S, NormKind kind>
void Norm<T, S, kind>::second_order_to_stream(const Params& params, const Saved& saved,
                                              Tensor<const S> x_dot, Tensor<const S> delta,
                                              Tensor<const S> y_bar, StreamCotangent x_bar,
                                              Grads* grads, Tensor<S> y, Tensor<S> y_dot) {
  const auto a = arguments<T, S, kind>(params, saved);
  check_shape(name_of(kind), "x_dot", x_dot.shape, saved.x.shape);
  check_shape(name_of(kind), "delta", delta.shape, saved.x.shape);
  kernels::norm<T, S>().second_order(a, x_dot.data, delta.data, y_bar.data, x_bar,
                                     gradients<T>(params, grads), y.data, y_dot.data);
}

#define EBT_INSTANTIATE(T, S)                 \
  template struct Norm<T, S, NormKind::kRms>; \
  template struct Norm<T, S, NormKind::kLayer>;
EBT_INSTANTIATE(float, float)
EBT_INSTANTIATE(double, double)
EBT_INSTANTIATE(float, Bfloat16)
#undef EBT_INSTANTIATE

}  // namespace ebt
