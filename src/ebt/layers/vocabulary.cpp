#include "ebt/layers/vocabulary.h"

#include <algorithm>
#include <vector>

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/isa.h"
#include "ebt/kernels/softmax.h"

namespace ebt {
namespace {

template <class T>
const kernels::SoftmaxKernels<T>& softmax() {
  return kernels::kernels<kernels::SoftmaxKernels<T>>();
}
template <class T>
const kernels::ElementwiseKernels<T>& elementwise() {
  return kernels::kernels<kernels::ElementwiseKernels<T>>();
}

// e (N, D) = p (N, V) W
template <class T>
void into_embedding(const VocabularyMatrix<const T>& matrix, Tensor<const T> p, Tensor<T> e,
                    Write write) {
  if (matrix.tied) {
    kernels::multiply_nn<T>(p, matrix.weight, e, write);
  } else {
    kernels::multiply_nt<T>(p, matrix.weight, e, write);
  }
}
// g (N, V) = u (N, D) W^T
template <class T>
void into_logits(const VocabularyMatrix<const T>& matrix, Tensor<const T> u, Tensor<T> g) {
  if (matrix.tied) {
    kernels::multiply_nt<T>(u, matrix.weight, g, Write::kReplace);
  } else {
    kernels::multiply_nn<T>(u, matrix.weight, g, Write::kReplace);
  }
}
// W_bar += p^T e, for p (N, V) and e (N, D)
template <class T>
void outer_product(bool tied, Tensor<const T> p, Tensor<const T> e, Tensor<T> weight_bar) {
  if (tied) {
    kernels::multiply_tn<T>(p, e, weight_bar, Write::kAdd);
  } else {
    kernels::multiply_tn<T>(e, p, weight_bar, Write::kAdd);
  }
}

// g_bar = -step M y_bar
template <class T>
void descent_cotangent(const typename DescendLogits<T>::Params& params, Tensor<const T> g,
                       Tensor<const T> y_bar, Tensor<T> g_bar) {
  const int64_t rows = params.p.dim(0);
  const int64_t vocab = params.p.dim(1);
  std::vector<T> minus_step(static_cast<size_t>(rows));
  std::transform(params.step.begin(), params.step.end(), minus_step.begin(),
                 [](T step) { return -step; });
  elementwise<T>().scale_rows(rows, vocab, minus_step.data(), y_bar.data, g_bar.data);
  if (params.bound) {
    elementwise<T>().mask_clamped(rows, vocab, g.data, params.bound.data, g_bar.data);
  }
}

}  // namespace

template <class T>
void EmbedPrediction<T>::forward(const Params& params, Tensor<const T> x, Tensor<T> y,
                                 Saved& saved) {
  EBT_CHECK(x.shape.rank() == 2 && x.dim(1) == params.matrix.vocab(),
            "vocabulary: predictions are {} but the vocabulary is {}", x.shape.to_string(),
            params.matrix.vocab());
  check_shape("vocabulary", "x", x.shape, saved.p.shape);
  if (params.normalize) {
    softmax<T>().forward(x.dim(0), x.dim(1), x.data, saved.p.data);
  } else if (saved.p.data != x.data) {
    std::copy(x.begin(), x.end(), saved.p.begin());
  }
  into_embedding<T>(params.matrix, saved.p, y, Write::kReplace);
}

template <class T>
void EmbedPrediction<T>::vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar,
                             Tensor<T> x_bar, Write write, Grads* grads) {
  check_shape("vocabulary", "y_bar", y_bar.shape, {saved.p.dim(0), params.matrix.width()});
  check_shape("vocabulary", "x_bar", x_bar.shape, saved.p.shape);
  const int64_t rows = saved.p.dim(0);
  const int64_t vocab = saved.p.dim(1);
  into_logits<T>(params.matrix, y_bar, saved.p_work);
  if (params.normalize) {
    softmax<T>().vjp(rows, vocab, saved.p.data, saved.p_work.data, write == Write::kAdd,
                     x_bar.data);
  } else if (write == Write::kAdd) {
    elementwise<T>().add(rows * vocab, T(1), saved.p_work.data, x_bar.data);
  } else if (x_bar.data != saved.p_work.data) {
    std::copy(saved.p_work.begin(), saved.p_work.end(), x_bar.begin());
  }
  vjp_of_weight(params, saved.p, y_bar, grads);
}

template <class T>
void EmbedPrediction<T>::vjp_of_weight(const Params& params, Tensor<const T> p,
                                       Tensor<const T> y_bar, Grads* grads) {
  if (grads != nullptr) {
    outer_product(params.matrix.tied, p, y_bar, grads->weight);
  }
}

template <class T>
void EmbedPrediction<T>::jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                             Tensor<T> y_dot) {
  check_shape("vocabulary", "x_dot", x_dot.shape, saved.p.shape);
  check_shape("vocabulary", "y_dot", y_dot.shape, {saved.p.dim(0), params.matrix.width()});
  if (params.normalize) {
    softmax<T>().jvp(saved.p.dim(0), saved.p.dim(1), saved.p.data, x_dot.data, saved.p_work.data);
    into_embedding<T>(params.matrix, saved.p_work, y_dot, Write::kReplace);
  } else {
    into_embedding<T>(params.matrix, x_dot, y_dot, Write::kReplace);
  }
}

template <class T>
void EmbedPrediction<T>::vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                                    Tensor<const T> delta, Tensor<T> x_bar, Write write,
                                    Grads* grads) {
  check_second_order("vocabulary", x_dot, delta, x_bar, saved.p.shape,
                     {saved.p.dim(0), params.matrix.width()});
  const int64_t rows = saved.p.dim(0);
  const int64_t vocab = saved.p.dim(1);
  if (grads != nullptr) {
    if (params.normalize) {
      softmax<T>().jvp(rows, vocab, saved.p.data, x_dot.data, saved.p_work.data);
      outer_product<T>(params.matrix.tied, saved.p_work, delta, grads->weight);
    } else {
      outer_product(params.matrix.tied, x_dot, delta, grads->weight);
    }
  }
  if (params.normalize) {
    into_logits<T>(params.matrix, delta, saved.p_work);
    softmax<T>().vjp_of_jvp(rows, vocab, saved.p.data, x_dot.data, saved.p_work.data,
                            write == Write::kAdd, x_bar.data);
  } else if (write == Write::kReplace) {
    std::fill(x_bar.begin(), x_bar.end(), T(0));
  }
}

template <class T>
void DescendLogits<T>::forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved) {
  EBT_CHECK(params.p.shape == y.shape && params.step.count() == y.dim(0),
            "vocabulary: a step of {} sizes from {} does not give {}", params.step.count(),
            params.p.shape.to_string(), y.shape.to_string());
  saved.x = x;
  into_logits(params.matrix, x, saved.g);
  elementwise<T>().descend(y.dim(0), y.dim(1), params.p.data, params.step.data, params.bound.data,
                           saved.g.data, y.data);
}

template <class T>
void DescendLogits<T>::vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar,
                           Tensor<T> x_bar, Write write, Grads* grads) {
  check_shape("vocabulary", "y_bar", y_bar.shape, params.p.shape);
  descent_cotangent<T>(params, saved.g, y_bar, saved.g_work);
  into_embedding<T>(params.matrix, saved.g_work, x_bar, write);
  if (grads != nullptr) {
    outer_product<T>(params.matrix.tied, saved.g_work, saved.x, grads->weight);
  }
}

template <class T>
void DescendLogits<T>::jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                           Tensor<T> y_dot) {
  check_shape("vocabulary", "y_dot", y_dot.shape, params.p.shape);
  into_logits(params.matrix, x_dot, y_dot);
  descent_cotangent<T>(params, saved.g, y_dot, y_dot);  // -step M is its own transpose
}

template <class T>
void DescendLogits<T>::vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                                  Tensor<const T> delta, Tensor<T> x_bar, Write write,
                                  Grads* grads) {
  check_second_order("vocabulary", x_dot, delta, x_bar, {params.p.dim(0), params.matrix.width()},
                     params.p.shape);
  if (write == Write::kReplace) {
    std::fill(x_bar.begin(), x_bar.end(), T(0));
  }
  if (grads != nullptr) {
    descent_cotangent<T>(params, saved.g, delta, saved.g_work);
    outer_product<T>(params.matrix.tied, saved.g_work, x_dot, grads->weight);
  }
}

template struct EmbedPrediction<float>;
template struct EmbedPrediction<double>;
template struct DescendLogits<float>;
template struct DescendLogits<double>;

}  // namespace ebt
