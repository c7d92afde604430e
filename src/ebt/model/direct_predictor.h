// What Transformer++ baselines are, whatever they predict: the context stream run to its end, the
// last norm, and a linear output layer.
#pragma once

#include <algorithm>
#include <type_traits>

#include "ebt/kernels/convert.h"
#include "ebt/layers/linear.h"
#include "ebt/model/context_stream.h"
#include "ebt/model/sequence_weights.h"

namespace ebt {

template <class T, class S>
class DirectPredictor {
 public:
  // Positions whose predictions exist at a time.
  static constexpr int64_t kChunkPositions = 256;

  struct Work {
    int64_t batch, context;
    bool training;
    bool operator==(const Work&) const = default;
    int64_t chunk() const { return std::min(kChunkPositions, batch * context); }
  };

  // Predictions are vectors of `outputs` values.
  DirectPredictor(Arena& arena, const SequenceConfig& config, int64_t outputs, const Work& work,
                  const EngineOptions& options);

  const Work& work() const { return work_; }
  // Runs the stream and the last norm.
  void read(const SequenceOperandViews<T, S>& weights, const RotaryTable<T>& rotary,
            const ContextInput<T>& input);
  // Calls measure(first, predictions (n, outputs)) for all positions of what was read, a chunk at a
  // time. With `grads`, it replaces predictions by their cotangents, and the output layer's
  // gradients are added.
  template <class Measure>
  void predict(const SequenceOperandViews<T, S>& weights, const SequenceWeights<T>* grads,
               const Measure& measure);
  // The gradients of all below the output layer, after predict has made that layer's.
  void vjp(const SequenceOperandViews<T, S>& weights, const RotaryTable<T>& rotary,
           const SequenceWeights<T>& grads);

 private:
  // Positions [first, first + count) of (B, S, D) as a matrix.
  static Tensor<S> positions(Tensor<S> all, int64_t first, int64_t count) {
    return all.reshape({all.dim(0) * all.dim(1), all.dim(2)}).slice(first, count);
  }
  typename RmsNorm<T, S>::Params norm_params(const SequenceOperandViews<T, S>& weights) const {
    return {weights.values.final_norm, static_cast<T>(norm_eps_), {}};
  }

  Work work_;
  double norm_eps_;
  LandscapeVectors<T> no_vectors_;  // baselines have no landscapes
  ContextWork<T, S> stream_work_;
  ContextStream<T, S> stream_;
  typename RmsNorm<T, S>::Saved norm_;
  Tensor<S> kept_, normed_, normed_bar_;  // (B, S, D)
  Tensor<T> predictions_;                 // (chunk, outputs)
  Tensor<S> predictions_bar_;             // (chunk, outputs)
};

template <class T, class S>
template <class Measure>
void DirectPredictor<T, S>::predict(const SequenceOperandViews<T, S>& weights,
                                    const SequenceWeights<T>* grads, const Measure& measure) {
  const int64_t all = work_.batch * work_.context;
  for (int64_t first = 0; first < all; first += work_.chunk()) {
    const int64_t count = std::min(work_.chunk(), all - first);
    const Tensor<T> part = predictions_.slice(0, count);
    typename Linear<T, S>::Saved unused;
    Linear<T, S>::forward({weights.output, {}}, positions(normed_, first, count), part, unused);
    measure(first, part);
    if (grads == nullptr) {
      continue;
    }
    const Tensor<S> bar = predictions_bar_.slice(0, count);
    if constexpr (!std::is_same_v<T, S>) {
      kernels::convert<T, S>().round(part.count(), part.data, bar.data);
    }
    typename Linear<T, S>::Grads output{grads->output, {}};
    Linear<T, S>::vjp({weights.output, {}}, {positions(normed_, first, count)}, bar,
                      positions(normed_bar_, first, count), Write::kReplace, &output);
  }
}

extern template class DirectPredictor<float, float>;
extern template class DirectPredictor<double, double>;
extern template class DirectPredictor<float, Bfloat16>;

}  // namespace ebt
