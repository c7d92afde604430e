#include "ebt/model/image_weights.h"

#include <string>

namespace ebt {
namespace {

// Calls visit(name, shape, member) for every tensor that the architecture has.
template <class P, class Visitor>
void visit_weights(const ImageModelConfig& config, ImageWeights<P>& weights, Visitor&& visit) {
  const int64_t width = config.width;
  const int64_t ffn = config.ffn_width();
  const bool energy = config.arch == ImageArchitecture::kEbt;
  const std::string trunk = energy ? "transformer." : "";
  const auto linear = [&](const std::string& name, int64_t out, int64_t in, Tensor<P>& weight,
                          Tensor<P>& bias) {
    visit(name + ".weight", Shape{out, in}, weight);
    visit(name + ".bias", Shape{out}, bias);
  };
  const auto modulation = [&](const std::string& owner, int64_t parts, int64_t layer) {
    ModulationWeights<P>& m = weights.modulations[static_cast<size_t>(layer)];
    linear(trunk + owner + ".adaLN_modulation.1", parts * width, width, m.weight, m.bias);
  };
  weights.blocks.resize(static_cast<size_t>(config.layers));
  weights.modulations.resize(weights.blocks.size() + 1);
  if (energy) {
    visit("alpha", Shape{}, weights.step_size);
    visit("learned_adaln_condition.weight", Shape{1, width}, weights.condition);
  } else {
    linear("t_embedder.mlp.0", width, kTimestepFeatures, weights.time_in, weights.time_in_bias);
    linear("t_embedder.mlp.2", width, width, weights.time_out, weights.time_out_bias);
  }
  visit(trunk + "x_embedder.proj.weight", Shape{width, config.channels, config.patch, config.patch},
        weights.patch);
  visit(trunk + "x_embedder.proj.bias", Shape{width}, weights.patch_bias);
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string block = "blocks." + std::to_string(layer);
    BlockWeights<P>& b = weights.blocks[static_cast<size_t>(layer)];
    linear(trunk + block + ".attn.qkv", 3 * width, width, b.qkv, b.biases.qkv);
    linear(trunk + block + ".attn.proj", width, width, b.attention_out, b.biases.attention_out);
    linear(trunk + block + ".mlp.fc1", ffn, width, b.ffn_in, b.biases.ffn_in);
    linear(trunk + block + ".mlp.fc2", width, ffn, b.ffn_out, b.biases.ffn_out);
    modulation(block, 6, layer);
  }
  modulation("final_layer", 2, config.layers);
  if (energy) {
    visit(trunk + "final_layer.linear.weight", Shape{1, width}, weights.output);
  } else {
    linear("final_layer.linear", 2 * config.patch_size(), width, weights.output,
           weights.output_bias);
  }
}

}  // namespace

ParameterLayout image_model_layout(const ImageModelConfig& config) {
  ParameterLayout layout;
  ImageWeights<float> unused;
  visit_weights(config, unused, [&](const std::string& name, Shape shape, Tensor<float>&) {
    layout.add(name, shape, name != "alpha");
  });
  return layout;
}

template <class P, class Block>
ImageWeights<P> image_weights(const ImageModelConfig& config, Block& parameters) {
  ImageWeights<P> weights;
  visit_weights(config, weights, [&](const std::string& name, Shape, Tensor<P>& member) {
    member = parameters.tensor(name);
  });
  return weights;
}

template <class T, class S>
ImageOperands<T, S>::ImageOperands(const ImageModelConfig& /*config*/,
                                   const ImageWeights<const T>& weights)
    : values_(weights) {
  for (const BlockWeights<const T>& block : weights.blocks) {
    blocks_.push_back(
        block_matrices(block, [&](Tensor<const T> matrix) { return copies_.add(matrix); }));
  }
}

template <class T, class S>
size_t ImageOperands<T, S>::bytes(const ImageModelConfig& config) {
  return static_cast<size_t>(config.layers) *
         OperandCopies<T, S>::bytes(BlockShape(config).projections());
}

template class ImageOperands<float, float>;
template class ImageOperands<float, Bfloat16>;
template class ImageOperands<double, double>;
template ImageWeights<float> image_weights(const ImageModelConfig&, ParameterBlock<float>&);
template ImageWeights<double> image_weights(const ImageModelConfig&, ParameterBlock<double>&);
template ImageWeights<const float> image_weights(const ImageModelConfig&,
                                                 const ParameterBlock<float>&);
template ImageWeights<const double> image_weights(const ImageModelConfig&,
                                                  const ParameterBlock<double>&);

}  // namespace ebt
