#include "ebt/layers/embedding.h"

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/embedding.h"

namespace ebt {
namespace {

template <class T>
void check(Tensor<const T> x, Tensor<const T> y) {
  EBT_CHECK(x.shape.rank() == 3 && y.shape == (Shape{x.dim(0), x.dim(1) + 1, x.dim(2)}),
            "landscape token: x is {} but y is {}", x.shape.to_string(), y.shape.to_string());
}

}  // namespace

template <class T>
void Embedding<T>::forward(Tensor<const T> weight, Tensor<const int32_t> tokens, Tensor<T> y) {
  const int64_t vocab = weight.dim(0);
  for (const int32_t token : tokens) {
    EBT_CHECK(token >= 0 && token < vocab, "embedding: token {} is outside the vocabulary of {}",
              token, vocab);
  }
  kernels::embedding<T>().gather(tokens.count(), weight.dim(1), tokens.data, weight.data, y.data);
}

template <class T>
void Embedding<T>::vjp(Tensor<const int32_t> tokens, Tensor<const T> y_bar, Tensor<T> weight_bar) {
  kernels::embedding<T>().scatter_add(tokens.count(), weight_bar.dim(1), tokens.data, y_bar.data,
                                      weight_bar.data);
}

template <class T>
void LandscapeToken<T>::forward(const Params& params, Tensor<const T> x, Tensor<T> y,
                                Saved& /*saved*/) {
  check<T>(x, y);
  kernels::embedding<T>().prepend(x.dim(0), x.dim(1), x.dim(2), params.weight.data, x.data, y.data);
}

template <class T>
void LandscapeToken<T>::vjp(const Params& /*params*/, const Saved& /*saved*/, Tensor<const T> y_bar,
                            Tensor<T> x_bar, Write write, Grads* grads) {
  check<T>(x_bar, y_bar);
  kernels::embedding<T>().prepend_vjp(x_bar.dim(0), x_bar.dim(1), x_bar.dim(2), y_bar.data,
                                      write == Write::kAdd, x_bar.data,
                                      grads == nullptr ? nullptr : grads->weight.data);
}

template <class T>
void LandscapeToken<T>::jvp(const Params& /*params*/, const Saved& /*saved*/, Tensor<const T> x_dot,
                            Tensor<T> y_dot) {
  check<T>(x_dot, y_dot);
  kernels::embedding<T>().prepend(x_dot.dim(0), x_dot.dim(1), x_dot.dim(2), nullptr, x_dot.data,
                                  y_dot.data);
}

template <class T>
void LandscapeToken<T>::vjp_of_jvp(const Params& /*params*/, const Saved& /*saved*/,
                                   Tensor<const T> x_dot, Tensor<const T> delta, Tensor<T> x_bar,
                                   Write write, Grads* /*grads*/) {
  check<T>(x_dot, delta);
  check_shape("landscape token", "x_bar", x_bar.shape, x_dot.shape);
  if (write == Write::kReplace) {
    kernels::elementwise<T>().fill(x_bar.count(), T(0), x_bar.data);
  }
}

template struct Embedding<float>;
template struct Embedding<double>;
template struct LandscapeToken<float>;
template struct LandscapeToken<double>;

}  // namespace ebt
