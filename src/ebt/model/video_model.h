// What training and evaluation ask of a model of video.
#pragma once

#include <cstdint>

#include "ebt/core/tensor.h"
#include "ebt/model/loss_sums.h"
#include "ebt/model/model.h"
#include "ebt/model/video_config.h"
#include "ebt/model/weights.h"

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
  virtual LossSums evaluate(const ClipRows<T>& rows, uint64_t seed, int64_t steps) = 0;
};

// Every tensor of a model of video, under the names of the published models of text.
ParameterLayout video_model_layout(const VideoModelConfig& config);

template <>
struct ModelRoles<VideoModelConfig> {
  template <class P>
  using Weights = TextWeights<P>;
  template <class T, class S>
  struct Operands : OperandWeights<T, S> {
    using OperandWeights<T, S>::OperandWeights;
    static size_t bytes(const VideoModelConfig& config) {
      return OperandWeights<T, S>::bytes(config, 0);
    }
  };
  static ParameterLayout layout(const VideoModelConfig& config) {
    return video_model_layout(config);
  }
  template <class P, class Block>
  static TextWeights<P> by_role(const VideoModelConfig& config, Block& parameters) {
    return sequence_weights<P>(config, parameters);
  }
};

}  // namespace ebt
