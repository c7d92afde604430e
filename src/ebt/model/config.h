// The config of a text model: everything needed to rebuild its shapes, stored with its weights.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ebt/core/enum_names.h"

namespace ebt {

enum class Architecture { kEbt, kTransformerPp };
const EnumNames<Architecture>& enum_names(Architecture);

// How a model tells its energy landscapes (one for each thinking step) apart.
enum class EbtType {
  kDefault,    // one landscape for all steps
  kTimeEmbed,  // a learned token before the context
  kAdaln,      // a learned vector modulates every block
  kAdalnZero,  // the same, started at the identity
};
const EnumNames<EbtType>& enum_names(EbtType);

// What the blocks of models of sequences are made of.
struct BlockConfig {
  int64_t layers = 2;
  int64_t width = 128;  // D
  int64_t heads = 2;    // H
  double ffn_multiplier = 1.0;
  double norm_eps = 1e-5;
  double rope_theta = 10000.0;

  int64_t ffn_width() const {
    return static_cast<int64_t>(static_cast<double>(width) * ffn_multiplier);
  }
  int64_t head_width() const { return width / heads; }

 protected:
  // Throws Error naming the first impossible field.
  void check_blocks() const;
};

// What models share that foretell from what comes before, whatever their tokens are: the blocks and
// what tells landscapes apart.
struct SequenceConfig : BlockConfig {
  Architecture arch = Architecture::kEbt;
  EbtType type = EbtType::kTimeEmbed;
  int64_t context = 256;   // S, the longest the model was trained on
  int64_t landscapes = 2;  // thinking visits each in turn; to kDefault they are all one

  bool is_adaln() const { return type == EbtType::kAdaln || type == EbtType::kAdalnZero; }
  // Tokens that stand before the context: one for kTimeEmbed.
  int64_t lead() const { return type == EbtType::kTimeEmbed ? 1 : 0; }

 protected:
  // Throws Error naming the first impossible field.
  void check_sequence() const;
};

// A model of text.
struct TextModelConfig : SequenceConfig {
  int64_t vocab_size = 257;  // V
  bool tied_vocabulary = false;
  bool normalize = true;  // predictions pass through a softmax before every step

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("arch", arch, "architecture: ebt, or transformer_pp for the baseline");
    visit("type", type, "how landscapes differ: default, time_embed, adaln, adaln_zero");
    visit("layers", layers, "transformer blocks");
    visit("width", width, "model width D");
    visit("heads", heads, "attention heads; must divide the width into even parts");
    visit("ffn-multiplier", ffn_multiplier, "feed-forward width as a multiple of the model width");
    visit("vocab-size", vocab_size, "number of tokens V");
    visit("context", context, "tokens of context S");
    visit("landscapes", landscapes,
          "energy landscapes; one per thinking step unless type is default");
    visit("tied-vocabulary", tied_vocabulary,
          "map predictions to embeddings by the token embeddings");
    visit("normalize", normalize, "softmax the prediction before every thinking step");
    visit("norm-eps", norm_eps,
          "epsilon of the norms; a run takes 0 as 0.5 for ebt, 1e-5 for transformer_pp");
    visit("rope-theta", rope_theta, "base of the rotary frequencies");
  }
};

// A published size by name.
struct ModelSize {
  std::string name;
  int64_t layers, width, heads;
  double learning_rate;
};
const std::vector<ModelSize>& model_sizes();
// Throws Error that lists the known names.
const ModelSize& model_size(const std::string& name);

}  // namespace ebt
