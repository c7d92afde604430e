// Candidates that are vectors: a thinking step takes x to x' = x - alpha g, g = dE/dx.
#pragma once

#include "ebt/core/arena.h"
#include "ebt/core/phase.h"
#include "ebt/layers/patch_embedding.h"
#include "ebt/model/image_config.h"

namespace ebt {

// x' (N, size) = x - step_size g, row by row. x' may be x.
template <class T>
void descend_vectors(Tensor<const T> x, Tensor<const T> step_size, Tensor<const T> g,
                     Tensor<T> next);
// t = -step_size v (N, size), and row_sums (N) = <t, g>.
template <class T>
void descent_tangent(Tensor<const T> step_size, Tensor<const T> v, Tensor<const T> g, Tensor<T> t,
                     Tensor<T> row_sums);

// Vectors that are what the stream holds: e = x (B, Q, D).
template <class T, class S>
struct Embedded {
  using Scalar = T;
  using Stored = S;
  static constexpr Phase kPhase = Phase::kThinking;

  int64_t width = 0;  // D

  int64_t size() const { return width; }
  bool keeps_gradient() const { return false; }

  struct Step {
    Step(Arena& /*arena*/, const Embedded& /*space*/, Tensor<T> /*next*/, bool /*keep*/) {}
  };
  struct Work {
    Work() = default;
    Work(Arena& arena, const Embedded& /*space*/, Tensor<T> slope, bool crosses_steps)
        : t(crosses_steps ? arena.take<T>(slope.shape) : Tensor<T>{}) {}
    Tensor<T> t;  // (N, D): the tangent of a step that is passed through
  };

  void embed(Tensor<const T> x, Step& step, Tensor<T> e) const;
  template <class Stream>
  void descend(Tensor<const T> x, Tensor<const T> step_size, const Stream& stream, Step& /*step*/,
               Tensor<T> next) const {
    descend_vectors<T>(x, step_size, stream.gradient().reshape(x.shape), next);
  }
  template <class Stream>
  void tangent(const Stream& stream, const Step& /*step*/, Tensor<const T> step_size,
               Tensor<const T> v, Work& /*work*/, Tensor<T> e_dot, Tensor<T> row_sums) const {
    descent_tangent<T>(step_size, v, stream.gradient().reshape(v.shape), e_dot.reshape(v.shape),
                       row_sums);
  }
  template <class Stream>
  void vjp(const Stream& /*stream*/, const Step& /*step*/, Tensor<const S> /*e_bar_stored*/,
           Tensor<const T> e_bar, Work& /*work*/, Tensor<T> v) const {
    if (v) {
      add(e_bar, v);
    }
  }
  template <class Stream>
  void pass_through(const Stream& stream, const Step& /*step*/, Tensor<const T> step_size,
                    Tensor<T> v, Work& work, Tensor<T> row_sums) const {
    descent_tangent<T>(step_size, v, stream.gradient().reshape(v.shape), work.t, row_sums);
  }

 private:
  static void add(Tensor<const T> e_bar, Tensor<T> v);
};

// Images (N, C H W), of which the stream holds embedded patches.
template <class T, class S>
struct Patches {
  using Scalar = T;
  using Stored = S;
  static constexpr Phase kPhase = Phase::kThinking;

  const ImageModelConfig& config;
  typename PatchEmbedding<T>::Params embedding;
  typename PatchEmbedding<T>::Grads embedding_bar = {};  // added to

  int64_t size() const { return config.image_size(); }
  bool keeps_gradient() const { return false; }
  Tensor<const T> as_images(Tensor<const T> x) const {
    return x.reshape({x.dim(0), config.channels, config.image_height, config.image_width});
  }
  Tensor<T> as_images(Tensor<T> x) const {
    return x.reshape({x.dim(0), config.channels, config.image_height, config.image_width});
  }

  struct Step {
    Step(Arena& arena, const Patches& space, Tensor<T> next, bool /*keep*/)
        : patches(PatchEmbedding<T>::take(arena, next.dim(0) * space.config.patches(),
                                          space.config.patch_size())),
          g(arena.take<T>(next.shape)) {}
    mutable typename PatchEmbedding<T>::Saved patches;
    Tensor<T> g;  // (N, C H W)
  };
  struct Work {
    Work() = default;
    Work(Arena& arena, const Patches& /*space*/, Tensor<T> slope, bool /*crosses*/)
        : x_dot(arena.take<T>(slope.shape)) {}
    Tensor<T> x_dot;  // (N, C H W)
  };

  void embed(Tensor<const T> x, Step& step, Tensor<T> e) const {
    PatchEmbedding<T>::forward(embedding, as_images(x), e, step.patches);
  }
  template <class Stream>
  void descend(Tensor<const T> x, Tensor<const T> step_size, const Stream& stream, Step& step,
               Tensor<T> next) const {
    PatchEmbedding<T>::vjp(embedding, step.patches, stream.gradient(), as_images(step.g),
                           Write::kReplace, nullptr);
    descend_vectors<T>(x, step_size, step.g, next);
  }
  template <class Stream>
  void tangent(const Stream& /*stream*/, const Step& step, Tensor<const T> step_size,
               Tensor<const T> v, Work& work, Tensor<T> e_dot, Tensor<T> row_sums) const {
    descent_tangent<T>(step_size, v, step.g, work.x_dot, row_sums);
    PatchEmbedding<T>::jvp(embedding, step.patches, as_images(work.x_dot), e_dot);
  }
  template <class Stream>
  void vjp(const Stream& stream, const Step& step, Tensor<const S> /*e_bar_stored*/,
           Tensor<const T> e_bar, Work& work, Tensor<T> v) const {
    auto grads = embedding_bar;
    PatchEmbedding<T>::vjp(embedding, step.patches, e_bar, v ? as_images(v) : v, Write::kAdd,
                           &grads);
    PatchEmbedding<T>::vjp_of_jvp(embedding, step.patches, as_images(work.x_dot), stream.gradient(),
                                  {}, Write::kReplace, &grads);
  }
  template <class Stream>
  void pass_through(const Stream& /*stream*/, const Step& step, Tensor<const T> step_size,
                    Tensor<T> v, Work& work, Tensor<T> row_sums) const {
    descent_tangent<T>(step_size, v, step.g, work.x_dot, row_sums);
  }
};

}  // namespace ebt
