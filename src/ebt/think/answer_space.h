// Candidates that are whole answers: rows of N distributions over V tokens, of which those of given
// tokens are one-hot and do not move.
//
// A thinking step from logits z (n, N V), with what simplex.h does to every token:
//   e = p W + features        z' = z - alpha g, or p - alpha g; alpha is 0 where a token is given
#pragma once

#include "ebt/core/arena.h"
#include "ebt/kernels/elementwise.h"
#include "ebt/model/answer_features.h"
#include "ebt/think/simplex.h"

namespace ebt {

template <class T, class S>
struct AnswerSpace {
  using Scalar = T;
  using Stored = S;
  static constexpr Phase kPhase = Phase::kVocabulary;

  Simplex<T, S> tokens;
  int64_t row_length = 0;                       // N
  Tensor<const T> token_step = {};              // (n N) step sizes
  AnswerFeatures<T>* features = nullptr;        // of the rows
  const InfillWeights<T>* gradients = nullptr;  // of features, added to

  int64_t size() const { return row_length * tokens.vocab_size; }
  bool keeps_gradient() const { return true; }
  // States (n, N V) token by token (n N, V).
  template <class P>
  Tensor<P> by_token(Tensor<P> state) const {
    return state ? state.reshape({state.count() / tokens.vocab_size, tokens.vocab_size}) : state;
  }

  struct Step : Simplex<T, S>::Step {
    Step(Arena& arena, const AnswerSpace& space, Tensor<T> next, bool keep)
        : Simplex<T, S>::Step(arena, space.tokens, space.by_token(next), keep) {}
  };
  struct Work : Simplex<T, S>::Work {
    Work() = default;
    Work(Arena& arena, const AnswerSpace& space, Tensor<T> slope, bool crosses_steps)
        : Simplex<T, S>::Work(arena, space.tokens, space.by_token(slope), crosses_steps) {}
  };

  void embed(Tensor<const T> state, Step& step, Tensor<T> e) const {
    tokens.embed(by_token(state), step, e);
    kernels::elementwise<T>().add(e.count(), T(1), features->vectors().data, e.data);
  }
  template <class Stream>
  void descend(Tensor<const T> state, Tensor<const T> /*step_size*/, const Stream& stream,
               Step& step, Tensor<T> next) const {
    tokens.descend(by_token(state), token_step, stream, step, by_token(next));
  }
  template <class Stream>
  void tangent(const Stream& stream, const Step& step, Tensor<const T> /*step_size*/,
               Tensor<const T> v, Work& work, Tensor<T> e_dot, Tensor<T> row_sums) const {
    tokens.tangent(stream, step, token_step, by_token(v), work, e_dot, row_sums);
  }
  template <class Stream>
  void vjp(const Stream& stream, const Step& step, Tensor<const S> e_bar_stored,
           Tensor<const T> e_bar, Work& work, Tensor<T> v) const {
    tokens.vjp(stream, step, e_bar_stored, e_bar, work, by_token(v));
    features->vjp(as_rows(e_bar), *gradients);
  }
  // The gradients of embedding candidates that have no derivative themselves.
  void add_embedding_gradients(const Step& step, Tensor<const S> e_bar_stored,
                               Tensor<const T> e_bar) const {
    tokens.add_matrix_gradient(step, as_rows(e_bar_stored));
    features->vjp(as_rows(e_bar), *gradients);
  }
};

}  // namespace ebt
