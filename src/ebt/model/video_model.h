// What training and evaluation ask of a model of video.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "ebt/core/tensor.h"
#include "ebt/model/loss_sums.h"
#include "ebt/model/model.h"
#include "ebt/model/sequence_weights.h"
#include "ebt/model/video_config.h"

namespace ebt {

// Clips that a step is computed from.
template <class T>
struct ClipRows {
  Tensor<const T> frames;  // (B, S + 1, D) embeddings: each is to be foretold from those before it
  // Position of the first clip in the whole batch (or validation set): random draws belong to
  // clips, not to micro-batches.
  int64_t first_row = 0;
  // 1 / predicted frames in the whole batch: what turns sums into means.
  double inverse_frame_count = 0;
};

// Sees what is foretold after a thinking step: the step's number, the first of n frames, counted
// over the S frames of all rows, and the frames (n, D).
template <class T>
using FrameObserver = std::function<void(int64_t, int64_t, Tensor<const T>)>;

// A model of video: weights, gradients and a workspace for at most (B, S) frames at a time. Not
// thread-safe; kernels inside use all OpenMP threads.
template <class T>
class VideoModel : public Model<T, VideoModelConfig> {
 public:
  // Adds the rows' gradients to gradients() and returns their losses: mean squared errors of the
  // embeddings' values after every thinking step, and the smooth L1 that is minimised. `seed` and
  // `training_step` address the random draws.
  virtual LossSums train(const ClipRows<T>& rows, uint64_t seed, uint64_t training_step) = 0;
  // The rows' losses at each of `steps` thinking steps (0: as many as in training); learns nothing.
  // `observe` may be empty.
  virtual LossSums evaluate(const ClipRows<T>& rows, uint64_t seed, int64_t steps,
                            const FrameObserver<T>& observe) = 0;
};

// Bytes that make_video_model will take for `rows` clips, weights and, for training, gradients and
// optimizer moments included.
template <class T>
size_t video_model_bytes(const VideoModelConfig& model, const VideoThinkingConfig& thinking,
                         int64_t rows, const EngineOptions& options);

// Builds a model whose weights are zeros and whose workspace fits `rows` clips of a context and the
// frame after it. Throws Error when the configuration is impossible or its memory is refused.
template <class T>
std::unique_ptr<VideoModel<T>> make_video_model(const VideoModelConfig& model,
                                                const VideoThinkingConfig& thinking, int64_t rows,
                                                const EngineOptions& options);

// Fills the weights with their initial values. The same seed gives the same weights.
template <class T>
void initialize_weights(VideoModel<T>& model, const VideoThinkingConfig& thinking, uint64_t seed);

// Every tensor of a model of video, under the names of the published models of text; the baseline's
// output layer is (D, D).
ParameterLayout video_model_layout(const VideoModelConfig& config);

template <>
struct ModelRoles<VideoModelConfig> {
  template <class P>
  using Weights = SequenceWeights<P>;
  template <class T, class S>
  struct Operands : SequenceOperands<T, S> {
    using SequenceOperands<T, S>::SequenceOperands;
    static size_t bytes(const VideoModelConfig& config) {
      return SequenceOperands<T, S>::bytes(config,
                                           config.arch == Architecture::kEbt ? 0 : config.width);
    }
  };
  static ParameterLayout layout(const VideoModelConfig& config) {
    return video_model_layout(config);
  }
  template <class P, class Block>
  static SequenceWeights<P> by_role(const VideoModelConfig& config, Block& parameters) {
    SequenceWeights<P> weights = sequence_weights<P>(config, parameters);
    if (config.arch != Architecture::kEbt) {
      weights.output = parameters.tensor("output.weight");
    }
    return weights;
  }
};

}  // namespace ebt
