// All tensors of an image model by role: its weights (P = const T) or their gradients (P = T).
#pragma once

#include <vector>

#include "ebt/model/block.h"
#include "ebt/model/image_config.h"
#include "ebt/model/model_shell.h"
#include "ebt/model/modulation.h"
#include "ebt/model/operand_copies.h"
#include "ebt/model/parameters.h"

namespace ebt {

// Sines and cosines that DiT's network of the timestep reads.
inline constexpr int64_t kTimestepFeatures = 256;

template <class P>
struct ImageWeights {
  Tensor<P> patch;       // (D, C, P, P)
  Tensor<P> patch_bias;  // (D)
  std::vector<BlockWeights<P>> blocks;
  std::vector<ModulationWeights<P>> modulations;  // of the blocks, then of the head
  Tensor<P> output;       // (1, D) of an EBT: the energy head; (2 C P P, D) of DiT
  Tensor<P> output_bias;  // of DiT
  Tensor<P> condition;    // (1, D) of an EBT
  Tensor<P> step_size;    // () of an EBT: alpha
  // Of DiT: the two layers that make a condition from a timestep.
  Tensor<P> time_in, time_in_bias;    // (D, kTimestepFeatures), (D)
  Tensor<P> time_out, time_out_bias;  // (D, D), (D)
};

// Every tensor of the model, under the published names.
ParameterLayout image_model_layout(const ImageModelConfig& config);

// The tensors of a block of parameters by role: ParameterBlock<T> gives P = T, a constant one
// P = const T.
template <class P, class Block>
ImageWeights<P> image_weights(const ImageModelConfig& config, Block& parameters);

// A model's weights as its products take them, S being what activations are stored as.
template <class T, class S>
class ImageOperands {
 public:
  ImageOperands(const ImageModelConfig& config, const ImageWeights<const T>& weights);
  // Bytes of the copies.
  static size_t bytes(const ImageModelConfig& config);

  const ImageWeights<const T>& values() const { return values_; }
  const BlockMatrices<kernels::WeightMatrix<T, S>>& block(int64_t layer) const {
    return blocks_[static_cast<size_t>(layer)];
  }
  // Copies the weights anew, after they have changed.
  void refresh() { copies_.refresh(); }

 private:
  OperandCopies<T, S> copies_;
  ImageWeights<const T> values_;
  std::vector<BlockMatrices<kernels::WeightMatrix<T, S>>> blocks_;
};

template <>
struct ModelRoles<ImageModelConfig> {
  template <class P>
  using Weights = ImageWeights<P>;
  template <class T, class S>
  using Operands = ImageOperands<T, S>;
  static ParameterLayout layout(const ImageModelConfig& config) {
    return image_model_layout(config);
  }
  template <class P, class Block>
  static ImageWeights<P> by_role(const ImageModelConfig& config, Block& parameters) {
    return image_weights<P>(config, parameters);
  }
};

}  // namespace ebt
