#include "ebt/layers/vocabulary.h"

#include "ebt/kernels/convert.h"
#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/simplex_descent.h"
#include "ebt/kernels/softmax.h"

namespace ebt {
namespace {

template <class T, class S>
using Matrix = VocabularyMatrix<kernels::WeightMatrix<T, S>>;

template <class T, class S>
int64_t vocab_of(const Matrix<T, S>& matrix) {
  return matrix.weight.values.dim(matrix.tied ? 0 : 1);
}
template <class T, class S>
int64_t width_of(const Matrix<T, S>& matrix) {
  return matrix.weight.values.dim(matrix.tied ? 1 : 0);
}

// e (N, D) = p (N, V) W
template <class T, class S>
void into_embedding(const Matrix<T, S>& matrix, Tensor<const S> p, Tensor<T> e, Write write) {
  if (matrix.tied) {
    kernels::multiply_nn<T, S, T>(p, matrix.weight, e, write);
  } else {
    kernels::multiply_nt<T, S, T>(p, matrix.weight, e, write);
  }
}
// g (N, V) = u (N, D) W^T
template <class T, class S>
void into_logits(const Matrix<T, S>& matrix, Tensor<const S> u, Tensor<T> g) {
  if (matrix.tied) {
    kernels::multiply_nt<T, S, T>(u, matrix.weight, g, Write::kReplace);
  } else {
    kernels::multiply_nn<T, S, T>(u, matrix.weight, g, Write::kReplace);
  }
}
// W_bar += p^T e, for p (N, V) and e (N, D)
template <class T, class S>
void outer_product(bool tied, Tensor<const S> p, Tensor<const S> e, Tensor<T> weight_bar) {
  if (tied) {
    kernels::multiply_tn<T, S>(p, e, weight_bar, Write::kAdd);
  } else {
    kernels::multiply_tn<T, S>(e, p, weight_bar, Write::kAdd);
  }
}

// g_bar = -step M y_bar
template <class T, class S>
void descend_back(const typename DescendLogits<T, S>::Params& params, Tensor<const T> g,
                  Tensor<const T> y_bar, Tensor<S> g_bar) {
  kernels::simplex_descent<T, S>().vjp(params.p.dim(0), params.p.dim(1), y_bar.data,
                                       params.step.data, params.bound.data, g.data, g_bar.data);
}

}  // namespace

template <class T, class S>
void EmbedPrediction<T, S>::forward(const Params& params, Tensor<const T> x, Tensor<T> y,
                                    Saved& saved) {
  EBT_CHECK(x.shape.rank() == 2 && x.dim(1) == vocab_of(params.matrix),
            "vocabulary: predictions are {} but the vocabulary is {}", x.shape.to_string(),
            vocab_of(params.matrix));
  check_shape("vocabulary", "x", x.shape, saved.p.shape);
  if (params.normalize) {
    kernels::softmax<T, S>().forward(x.dim(0), x.dim(1), x.data, saved.p.data);
  } else if (static_cast<const void*>(saved.p.data) != x.data) {
    kernels::convert<T, S>().round(x.count(), x.data, saved.p.data);
  }
  if (params.given) {
    kernels::softmax<T, S>().put_one_hot(x.dim(0), x.dim(1), params.given.data, saved.p.data);
  }
  into_embedding<T, S>(params.matrix, saved.p, y, Write::kReplace);
}

template <class T, class S>
void EmbedPrediction<T, S>::vjp(const Params& params, const Saved& saved, Tensor<const S> y_bar,
                                Tensor<T> x_bar, Write write, Grads* grads) {
  check_shape("vocabulary", "y_bar", y_bar.shape, {saved.p.dim(0), width_of(params.matrix)});
  check_shape("vocabulary", "x_bar", x_bar.shape, saved.p.shape);
  const int64_t rows = saved.p.dim(0);
  const int64_t vocab = saved.p.dim(1);
  into_logits<T, S>(params.matrix, y_bar, saved.p_work);
  if (params.normalize) {
    kernels::softmax<T, S>().vjp(rows, vocab, saved.p.data, saved.p_work.data, write == Write::kAdd,
                                 x_bar.data);
  } else if (write == Write::kAdd) {
    kernels::elementwise<T>().add(rows * vocab, T(1), saved.p_work.data, x_bar.data);
  } else if (x_bar.data != saved.p_work.data) {
    kernels::elementwise<T>().copy(rows * vocab, saved.p_work.data, x_bar.data);
  }
  vjp_of_weight(params, saved.p, y_bar, grads);
}

template <class T, class S>
void EmbedPrediction<T, S>::vjp_of_weight(const Params& params, Tensor<const S> p,
                                          Tensor<const S> y_bar, Grads* grads) {
  if (grads != nullptr) {
    outer_product<T, S>(params.matrix.tied, p, y_bar, grads->weight);
  }
}

template <class T, class S>
void EmbedPrediction<T, S>::jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                                Tensor<T> y_dot) requires std::same_as<T, S> {
  check_shape("vocabulary", "x_dot", x_dot.shape, saved.p.shape);
  check_shape("vocabulary", "y_dot", y_dot.shape, {saved.p.dim(0), width_of(params.matrix)});
  if (params.normalize) {
    kernels::softmax<T, S>().jvp(saved.p.dim(0), saved.p.dim(1), saved.p.data, x_dot.data,
                                 saved.p_work.data);
    into_embedding<T, S>(params.matrix, saved.p_work, y_dot, Write::kReplace);
  } else {
    into_embedding<T, S>(params.matrix, x_dot, y_dot, Write::kReplace);
  }
}

template <class T, class S>
void EmbedPrediction<T, S>::vjp_of_jvp(const Params& params, const Saved& saved,
                                       Tensor<const T> x_dot, Tensor<const T> delta,
                                       Tensor<T> x_bar, Write write,
                                       Grads* grads) requires std::same_as<T, S> {
  check_second_order("vocabulary", x_dot, delta, x_bar, saved.p.shape,
                     {saved.p.dim(0), width_of(params.matrix)});
  const int64_t rows = saved.p.dim(0);
  const int64_t vocab = saved.p.dim(1);
  if (grads != nullptr) {
    if (params.normalize) {
      kernels::softmax<T, S>().jvp(rows, vocab, saved.p.data, x_dot.data, saved.p_work.data);
      outer_product<T, S>(params.matrix.tied, saved.p_work, delta, grads->weight);
    } else {
      outer_product<T, S>(params.matrix.tied, x_dot, delta, grads->weight);
    }
  }
  if (params.normalize) {
    into_logits<T, S>(params.matrix, delta, saved.p_work);
    kernels::softmax<T, S>().vjp_of_jvp(rows, vocab, saved.p.data, x_dot.data, saved.p_work.data,
                                        write == Write::kAdd, x_bar.data);
  } else if (write == Write::kReplace) {
    kernels::elementwise<T>().fill(x_bar.count(), T(0), x_bar.data);
  }
}

template <class T, class S>
void DescendLogits<T, S>::forward(const Params& params, Tensor<const S> x, Tensor<T> y,
                                  Saved& saved) {
  EBT_CHECK(params.p.shape == y.shape && params.step.count() == y.dim(0),
            "vocabulary: a step of {} sizes from {} does not give {}", params.step.count(),
            params.p.shape.to_string(), y.shape.to_string());
  saved.x = x;
  into_logits<T, S>(params.matrix, x, saved.g);
  const auto descend = [&]<class P>(Tensor<const P> start) {
    kernels::simplex_descent<T, P>().descend(y.dim(0), y.dim(1), start.data, params.step.data,
                                             params.bound.data, saved.g.data, y.data);
  };
  if (params.logits) {
    descend(params.logits);
  } else {
    descend(params.p);
  }
}

template <class T, class S>
void DescendLogits<T, S>::vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar,
                              Tensor<T> x_bar, Write write, Grads* grads) {
  check_shape("vocabulary", "y_bar", y_bar.shape, params.p.shape);
  descend_back<T, S>(params, saved.g, y_bar, saved.g_work);
  into_embedding<T, S>(params.matrix, saved.g_work, x_bar, write);
  if (grads != nullptr) {
    outer_product<T, S>(params.matrix.tied, saved.g_work, saved.x, grads->weight);
  }
}

template <class T, class S>
void DescendLogits<T, S>::jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                              Tensor<T> y_dot) requires std::same_as<T, S> {
  check_shape("vocabulary", "y_dot", y_dot.shape, params.p.shape);
  into_logits<T, S>(params.matrix, x_dot, y_dot);
  descend_back<T, S>(params, saved.g, y_dot, y_dot);  // -step M is its own transpose
}

template <class T, class S>
void DescendLogits<T, S>::vjp_of_jvp(const Params& params, const Saved& saved,
                                     Tensor<const T> x_dot, Tensor<const T> delta, Tensor<T> x_bar,
                                     Write write, Grads* grads) requires std::same_as<T, S> {
  check_second_order("vocabulary", x_dot, delta, x_bar, {params.p.dim(0), width_of(params.matrix)},
                     params.p.shape);
  if (write == Write::kReplace) {
    kernels::elementwise<T>().fill(x_bar.count(), T(0), x_bar.data);
  }
  if (grads != nullptr) {
    descend_back<T, S>(params, saved.g, delta, saved.g_work);
    outer_product<T, S>(params.matrix.tied, saved.g_work, x_dot, grads->weight);
  }
}

template struct EmbedPrediction<float>;
template struct EmbedPrediction<double>;
template struct DescendLogits<float>;
template struct DescendLogits<double>;
// What exists for S that is not T, member by member: clang 14 would instantiate the others too.
using Embed = EmbedPrediction<float, Bfloat16>;
template void Embed::forward(const Params&, Tensor<const float>, Tensor<float>, Saved&);
template void Embed::vjp(const Params&, const Saved&, Tensor<const Bfloat16>, Tensor<float>, Write,
                         Grads*);
template void Embed::vjp_of_weight(const Params&, Tensor<const Bfloat16>, Tensor<const Bfloat16>,
                                   Grads*);
using Descend = DescendLogits<float, Bfloat16>;
template void Descend::forward(const Params&, Tensor<const Bfloat16>, Tensor<float>, Saved&);
template void Descend::vjp(const Params&, const Saved&, Tensor<const float>, Tensor<float>, Write,
                           Grads*);

}  // namespace ebt
