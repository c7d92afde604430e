#include "ebt/think/simplex.h"

#include <type_traits>

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/rows.h"
#include "ebt/kernels/simplex_descent.h"
#include "ebt/kernels/softmax.h"

namespace ebt {

template <class T, class S>
Simplex<T, S>::Work::Work(Arena& arena, const Simplex& /*space*/, Tensor<T> slope,
                          bool crosses_steps)
    : p_bar(crosses_steps ? arena.take<T>(slope.shape) : Tensor<T>{}) {
  if constexpr (std::is_same_v<T, S>) {
    g_bar = crosses_steps ? p_bar : slope;
  } else {
    g_bar = arena.take<S>(slope.shape);
  }
}

template <class T, class S>
void Simplex<T, S>::embed(Tensor<const T> logits, Step& step, Tensor<T> e) const {
  typename EmbedPrediction<T, S>::Saved saved{step.p, {}};
  EmbedPrediction<T, S>::forward({matrix, normalize, given}, logits, as_rows(e), saved);
}

template <class T, class S>
void Simplex<T, S>::descend_along(Tensor<const T> logits, Tensor<const T> step_size,
                                  Tensor<const S> u, Step& step, Tensor<T> next) const {
  Tensor<const T> start = mirror ? logits : Tensor<const T>{};
  if (given && !mirror) {
    // What is given is one-hot in p, but starts from the softmax of its logits as all others do.
    kernels::softmax<T, T>().forward(next.dim(0), next.dim(1), logits.data, next.data);
    start = next;
  }
  typename DescendLogits<T, S>::Saved saved{{}, step.g, {}};
  DescendLogits<T, S>::forward({matrix, step.p, step_size, bound, start}, u, next, saved);
}

template <class T, class S>
void Simplex<T, S>::tangent_along(Tensor<const S> u_stored, Tensor<const T> u, const Step& step,
                                  Tensor<const T> step_size, Tensor<const T> v, Work& work,
                                  Tensor<T> e_dot, Tensor<T> row_sums) const {
  typename DescendLogits<T, S>::Grads grads{matrix_bar};
  DescendLogits<T, S>::vjp({matrix, step.p, step_size, bound}, {u_stored, step.g, work.g_bar}, v,
                           as_rows(e_dot), Write::kReplace, &grads);
  kernels::rows<T>().dot(row_sums.count(), u.count() / row_sums.count(), e_dot.data, u.data,
                         row_sums.data);
}

template <class T, class S>
void Simplex<T, S>::add_matrix_gradient(const Step& step, Tensor<const S> e_bar) const {
  typename EmbedPrediction<T, S>::Grads grads{matrix_bar};
  EmbedPrediction<T, S>::vjp_of_weight({matrix, normalize}, step.p, e_bar, &grads);
}

template <class T, class S>
void Simplex<T, S>::pull_back(const Step& step, Tensor<const S> e_bar, Work& work,
                              Tensor<T> v) const {
  if (!v) {
    add_matrix_gradient(step, e_bar);
    return;
  }
  through_start(step, v);
  typename EmbedPrediction<T, S>::Grads grads{matrix_bar};
  EmbedPrediction<T, S>::vjp({matrix, normalize}, {step.p, work.p_bar}, e_bar, v, Write::kAdd,
                             &grads);
}

template <class T, class S>
void Simplex<T, S>::through_start(const Step& step, Tensor<T> v) const {
  if (normalize && !mirror) {
    kernels::softmax<T, S>().vjp(v.dim(0), v.dim(1), step.p.data, v.data, false, v.data);
  }
}

template <class T, class S>
void Simplex<T, S>::pass_constant(const Step& step, Tensor<const T> step_size, Tensor<T> v,
                                  Tensor<T> row_sums) const {
  // Clamped entries move by the same amount whatever alpha is.
  kernels::simplex_descent<T, S>().step_gradient(v.dim(0), v.dim(1), v.data, step_size.data,
                                                 bound.data, step.g.data, row_sums.data);
  kernels::elementwise<T>().scale(row_sums.count(), T(-1), row_sums.data);
  through_start(step, v);
}

template struct Simplex<float, float>;
template struct Simplex<float, Bfloat16>;
template struct Simplex<double, double>;

}  // namespace ebt
