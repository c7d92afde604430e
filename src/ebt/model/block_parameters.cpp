// The weights of a block under their published names.
#include <string>

#include "ebt/model/block.h"

namespace ebt {
namespace {

std::string prefix(int64_t layer) { return "transformer.layers." + std::to_string(layer) + "."; }

}  // namespace

void add_block_parameters(const BlockConfig& config, int64_t layer, ParameterLayout& layout) {
  const int64_t width = config.width;
  const int64_t ffn = config.ffn_width();
  const std::string at = prefix(layer);
  // wq, wk, wv and w1, w3 must be neighbours: they are multiplied as one.
  for (const char* name : {"wq", "wk", "wv", "wo"}) {
    layout.add(at + "attention." + name + ".weight", {width, width});
  }
  layout.add(at + "feed_forward.w1.weight", {ffn, width});
  layout.add(at + "feed_forward.w3.weight", {ffn, width});
  layout.add(at + "feed_forward.w2.weight", {width, ffn});
  layout.add(at + "attention_norm.weight", {width});
  layout.add(at + "ffn_norm.weight", {width});
}

template <class P, class Block>
BlockWeights<P> block_weights(const BlockConfig& config, int64_t layer, Block& parameters) {
  const std::string at = prefix(layer);
  const int64_t width = config.width;
  BlockWeights<P> weights;
  weights.attention_norm = parameters.tensor(at + "attention_norm.weight");
  weights.qkv = {parameters.tensor(at + "attention.wq.weight").data, {3 * width, width}};
  weights.attention_out = parameters.tensor(at + "attention.wo.weight");
  weights.ffn_norm = parameters.tensor(at + "ffn_norm.weight");
  weights.ffn_in = {parameters.tensor(at + "feed_forward.w1.weight").data,
                    {2 * config.ffn_width(), width}};
  weights.ffn_out = parameters.tensor(at + "feed_forward.w2.weight");
  return weights;
}

#define EBT_PARAMETERS(T)                                                                     \
  template BlockWeights<T> block_weights<T>(const BlockConfig&, int64_t, ParameterBlock<T>&); \
  template BlockWeights<const T> block_weights<const T>(const BlockConfig&, int64_t,          \
                                                        const ParameterBlock<T>&);
EBT_PARAMETERS(float)
EBT_PARAMETERS(double)
#undef EBT_PARAMETERS

}  // namespace ebt
