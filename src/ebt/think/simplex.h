// Candidates that are distributions over V tokens, moved as logits z (N, V).
//
// A thinking step from logits z:
//   p = softmax(z)        e = p W        u = dE/de        g = clamp(u W^T)
//   z' = p - alpha g                     (docs/architecture.md says why it starts from p)
//   z' = z - alpha g                     with `mirror`
#pragma once

#include "ebt/core/arena.h"
#include "ebt/core/phase.h"
#include "ebt/layers/vocabulary.h"

namespace ebt {

// Tensors (B, N, D) of a stream as matrices (B N, D).
template <class T>
Tensor<T> as_rows(Tensor<T> x) {
  return x.reshape({x.dim(0) * x.dim(1), x.dim(2)});
}

template <class T, class S>
struct Simplex {
  using Scalar = T;
  using Stored = S;
  static constexpr Phase kPhase = Phase::kVocabulary;

  VocabularyMatrix<kernels::WeightMatrix<T, S>> matrix;  // W
  int64_t vocab_size = 0;                                // V
  bool normalize = true;                                 // p = softmax(z); else p = z
  Tensor<T> matrix_bar = {};         // (V, D) or (D, V): the gradient of W, added to
  bool mirror = false;               // mirror descent: steps start from z
  bool clamped = false;              // by `bound`
  Tensor<T> bound = {};              // (N) largest entry of g, or absent
  Tensor<const int32_t> given = {};  // (N) as EmbedPrediction::Params

  int64_t size() const { return vocab_size; }
  // Whether g needs memory of its own even where gradients do not cross steps.
  bool keeps_gradient() const { return clamped || mirror; }

  struct Step {
    Step(Arena& arena, const Simplex& /*space*/, Tensor<T> next, bool keep_gradient)
        : p(arena.take<S>(next.shape)), g(keep_gradient ? arena.take<T>(next.shape) : next) {}
    Tensor<S> p;  // (N, V) where the step starts
    Tensor<T> g;  // (N, V) energy gradient with respect to p; the step's end if not kept
  };
  // What derivatives need beside.
  struct Work {
    Work() = default;
    // `slope` may be overwritten with its product by alpha unless gradients cross steps.
    Work(Arena& arena, const Simplex& space, Tensor<T> slope, bool crosses_steps);
    Tensor<T> p_bar;  // (N, V), where gradients cross steps
    Tensor<S> g_bar;  // (N, V): derivative of the loss by a step's g
  };

  // e (B, Q, D) of logits (N, V), keeping p.
  void embed(Tensor<const T> logits, Step& step, Tensor<T> e) const;
  // next = p - step_size g, or logits - step_size g, keeping g. next may be the logits.
  template <class Stream>
  void descend(Tensor<const T> logits, Tensor<const T> step_size, const Stream& stream, Step& step,
               Tensor<T> next) const {
    descend_along(logits, step_size, as_rows(stream.gradient_stored()), step, next);
  }
  // The tangent e_dot = -alpha v W of a step whose end has the derivative v, and row_sums = <t, g>,
  // the shares of alpha's gradient times alpha, of equally many predictions each. Adds to
  // matrix_bar.
  template <class Stream>
  void tangent(const Stream& stream, const Step& step, Tensor<const T> step_size, Tensor<const T> v,
               Work& work, Tensor<T> e_dot, Tensor<T> row_sums) const {
    tangent_along(as_rows(stream.gradient_stored()), stream.gradient(), step, step_size, v, work,
                  e_dot, row_sums);
  }
  // From e_bar, what the sweep made, to matrix_bar and, where v (N, V) is not absent, from the
  // derivative by the step's end to that by the logits before the step.
  template <class Stream>
  void vjp(const Stream& /*stream*/, const Step& step, Tensor<const S> e_bar,
           Tensor<const T> /*e_bar_in_t*/, Work& work, Tensor<T> v) const {
    pull_back(step, as_rows(e_bar), work, v);
  }
  // The same where g counts as a constant. row_sums (N) = <t, g>.
  template <class Stream>
  void pass_through(const Stream& /*stream*/, const Step& step, Tensor<const T> step_size,
                    Tensor<T> v, Work& /*work*/, Tensor<T> row_sums) const {
    pass_constant(step, step_size, v, row_sums);
  }
  // matrix_bar alone, for a candidate that has no derivative itself.
  void add_matrix_gradient(const Step& step, Tensor<const S> e_bar) const;

 private:
  void descend_along(Tensor<const T> logits, Tensor<const T> step_size, Tensor<const S> u,
                     Step& step, Tensor<T> next) const;
  void tangent_along(Tensor<const S> u_stored, Tensor<const T> u, const Step& step,
                     Tensor<const T> step_size, Tensor<const T> v, Work& work, Tensor<T> e_dot,
                     Tensor<T> row_sums) const;
  void pass_constant(const Step& step, Tensor<const T> step_size, Tensor<T> v,
                     Tensor<T> row_sums) const;
  void pull_back(const Step& step, Tensor<const S> e_bar, Work& work, Tensor<T> v) const;
  // v = the derivative by the logits through where the step starts, where v was that by its end.
  void through_start(const Step& step, Tensor<T> v) const;
};

}  // namespace ebt
