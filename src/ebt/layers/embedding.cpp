#include "ebt/layers/embedding.h"

#include <algorithm>

namespace ebt {
namespace {

// Columns that one thread adds up in Embedding::vjp.
constexpr int64_t kColumns = 64;

template <class T>
void copy(const T* from, int64_t count, T* to) {
  std::copy_n(from, count, to);
}

template <class T>
void check(Tensor<const T> x, Tensor<const T> y) {
  EBT_CHECK(x.shape.rank() == 3 && y.shape == (Shape{x.dim(0), x.dim(1) + 1, x.dim(2)}),
            "landscape token: x is {} but y is {}", x.shape.to_string(), y.shape.to_string());
}

}  // namespace

template <class T>
void Embedding<T>::forward(Tensor<const T> weight, Tensor<const int32_t> tokens, Tensor<T> y) {
  const int64_t vocab = weight.dim(0);
  const int64_t width = weight.dim(1);
  for (const int32_t token : tokens) {
    EBT_CHECK(token >= 0 && token < vocab, "embedding: token {} is outside the vocabulary of {}",
              token, vocab);
  }
#pragma omp parallel for schedule(static)
  for (int64_t n = 0; n < tokens.count(); ++n) {
    copy(weight.data + tokens[n] * width, width, y.data + n * width);
  }
}

template <class T>
void Embedding<T>::vjp(Tensor<const int32_t> tokens, Tensor<const T> y_bar, Tensor<T> weight_bar) {
  const int64_t width = weight_bar.dim(1);
#pragma omp parallel for schedule(static)
  for (int64_t first = 0; first < width; first += kColumns) {
    const int64_t last = std::min(first + kColumns, width);
    for (int64_t n = 0; n < tokens.count(); ++n) {
      T* out = weight_bar.data + tokens[n] * width;
      const T* bar = y_bar.data + n * width;
      for (int64_t i = first; i < last; ++i) {
        out[i] += bar[i];
      }
    }
  }
}

template <class T>
void LandscapeToken<T>::forward(const Params& params, Tensor<const T> x, Tensor<T> y,
                                Saved& /*saved*/) {
  check<T>(x, y);
  const int64_t width = x.dim(2);
  const int64_t sequence = x.dim(1) * width;
  for (int64_t b = 0; b < x.dim(0); ++b) {
    T* out = y.data + b * (sequence + width);
    copy(params.weight.data, width, out);
    copy(x.data + b * sequence, sequence, out + width);
  }
}

template <class T>
void LandscapeToken<T>::vjp(const Params& /*params*/, const Saved& /*saved*/, Tensor<const T> y_bar,
                            Tensor<T> x_bar, Write write, Grads* grads) {
  check<T>(x_bar, y_bar);
  const int64_t width = x_bar.dim(2);
  const int64_t sequence = x_bar.dim(1) * width;
  for (int64_t b = 0; b < x_bar.dim(0); ++b) {
    const T* bar = y_bar.data + b * (sequence + width);
    T* out = x_bar.data + b * sequence;
    for (int64_t i = 0; i < sequence; ++i) {
      out[i] = (write == Write::kAdd ? out[i] : T(0)) + bar[width + i];
    }
    for (int64_t i = 0; i < width && grads != nullptr; ++i) {
      grads->weight[i] += bar[i];
    }
  }
}

template <class T>
void LandscapeToken<T>::jvp(const Params& /*params*/, const Saved& /*saved*/, Tensor<const T> x_dot,
                            Tensor<T> y_dot) {
  check<T>(x_dot, y_dot);
  const int64_t width = x_dot.dim(2);
  const int64_t sequence = x_dot.dim(1) * width;
  for (int64_t b = 0; b < x_dot.dim(0); ++b) {
    T* out = y_dot.data + b * (sequence + width);
    std::fill_n(out, width, T(0));
    copy(x_dot.data + b * sequence, sequence, out + width);
  }
}

template <class T>
void LandscapeToken<T>::vjp_of_jvp(const Params& /*params*/, const Saved& /*saved*/,
                                   Tensor<const T> x_dot, Tensor<const T> delta, Tensor<T> x_bar,
                                   Write write, Grads* /*grads*/) {
  check<T>(x_dot, delta);
  check_shape("landscape token", "x_bar", x_bar.shape, x_dot.shape);
  if (write == Write::kReplace) {
    std::fill(x_bar.begin(), x_bar.end(), T(0));
  }
}

template struct Embedding<float>;
template struct Embedding<double>;
template struct LandscapeToken<float>;
template struct LandscapeToken<double>;

}  // namespace ebt
