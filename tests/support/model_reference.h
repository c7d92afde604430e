// A transformer block and a whole energy model in plain code over any scalar type, from the layers
// of reference.h: what model/ is tested against.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ebt/model/config.h"
#include "tests/support/reference.h"

namespace ebt::reference {

template <class S>
struct BlockWeights {
  Array<S> attention_norm, qkv, attention_out, ffn_norm, ffn_in, ffn_out;
  // (6 D): shift, scale and gate of the attention, then of the feed-forward layer; or absent.
  Array<S> modulation;
  double norm_eps = 0;
};

// Entries [first, first + count) of all values, as a vector.
template <class S>
Array<S> part(const Array<S>& array, int64_t first, int64_t count) {
  Array<S> values({count});
  std::copy_n(array.values.begin() + first, count, values.values.begin());
  return values;
}

template <class S>
Array<S> sum(const Array<S>& a, const Array<S>& b) {
  Array<S> y = a;
  for (size_t i = 0; i < y.values.size(); ++i) {
    y.values[i] += b.values[i];
  }
  return y;
}

// x + branch(norm(x)), modulated and gated by the half's part of the modulation if there is one.
template <class S, class Branch>
Array<S> residual_half(const Array<S>& x, const Array<S>& norm, const Array<S>& modulation_vector,
                       int64_t half, double eps, Branch&& branch) {
  const int64_t width = x.width();
  const Array<S> normed = rms_norm(x, norm, eps);
  if (modulation_vector.values.empty()) {
    return sum(x, branch(normed));
  }
  const auto third = [&](int64_t which) {
    return part(modulation_vector, (3 * half + which) * width, width);
  };
  return sum(x, gate(branch(modulation(normed, third(0), third(1))), third(2)));
}

// attend maps q, k and v, not yet rotated, to the mean of the values.
template <class S, class Attend>
Array<S> block(const Array<S>& x, const BlockWeights<S>& w, Attend&& attend) {
  const Array<S> middle = residual_half(
      x, w.attention_norm, w.modulation, 0, w.norm_eps,
      [&](const Array<S>& in) { return linear(attend(linear(in, w.qkv)), w.attention_out); });
  return residual_half(middle, w.ffn_norm, w.modulation, 1, w.norm_eps, [&](const Array<S>& in) {
    return linear(swiglu_gate(linear(in, w.ffn_in)), w.ffn_out);
  });
}

// The tensors of a model under their published names.
template <class S>
using NamedWeights = std::map<std::string, Array<S>>;

// Rows of one matrix, then of the next.
template <class S>
Array<S> stacked(const std::vector<const Array<S>*>& matrices) {
  int64_t rows = 0;
  Array<S> all;
  for (const Array<S>* matrix : matrices) {
    rows += matrix->dim(0);
    all.values.insert(all.values.end(), matrix->values.begin(), matrix->values.end());
  }
  all.shape = {rows, matrices.front()->dim(1)};
  return all;
}

// W silu(w) + b for a landscape's vector w: what modulates a block or the head.
template <class S>
Array<S> landscape_modulation(const NamedWeights<S>& weights, const std::string& name,
                              int64_t landscape) {
  using std::exp;
  const Array<S>& table = weights.at("transformer.time_embeddings.weight");
  Array<S> active({1, table.dim(1)});
  for (int64_t i = 0; i < table.dim(1); ++i) {
    const S w = table(landscape, i);
    active(0, i) = w / (S(1) + exp(-w));
  }
  Array<S> vector = linear(active, weights.at(name + "weight"), &weights.at(name + "bias"));
  vector.shape = {vector.shape.count()};
  return vector;
}

template <class S>
BlockWeights<S> block_weights(const TextModelConfig& config, const NamedWeights<S>& weights,
                              int64_t layer, int64_t landscape) {
  const std::string at = "transformer.layers." + std::to_string(layer) + ".";
  const auto named = [&](const char* name) { return &weights.at(at + name + ".weight"); };
  BlockWeights<S> w;
  w.attention_norm = *named("attention_norm");
  w.qkv = stacked<S>({named("attention.wq"), named("attention.wk"), named("attention.wv")});
  w.attention_out = *named("attention.wo");
  w.ffn_norm = *named("ffn_norm");
  w.ffn_in = stacked<S>({named("feed_forward.w1"), named("feed_forward.w3")});
  w.ffn_out = *named("feed_forward.w2");
  w.norm_eps = config.norm_eps;
  if (config.is_adaln()) {
    w.modulation = landscape_modulation(weights, at + "adaLN_modulation.1.", landscape);
  }
  return w;
}

// The energies (B, Q) of candidates (B, Q, D) that follow positions first_query.. of the tokens
// (B, S), on one landscape.
template <class S>
Array<S> energies(const TextModelConfig& config, const NamedWeights<S>& weights,
                  const Array<int32_t>& tokens, int64_t landscape, const Array<S>& candidates,
                  int64_t first_query) {
  const Array<S>& table = weights.at("embeddings.weight");
  Array<S> context({tokens.dim(0), tokens.dim(1), config.width});
  for (int64_t n = 0; n < context.rows(); ++n) {
    for (int64_t i = 0; i < config.width; ++i) {
      context.at(n, i) = table(tokens.values[static_cast<size_t>(n)], i);
    }
  }
  if (config.type == EbtType::kTimeEmbed) {
    const Array<S>& landscapes = weights.at("transformer.time_embeddings.weight");
    context = landscape_token(context, part(landscapes, landscape * config.width, config.width));
  }
  Array<S> x = candidates;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const BlockWeights<S> w = block_weights(config, weights, layer, landscape);
    Array<S> keys;
    context = block(context, w, [&](const Array<S>& qkv) {
      keys = rotary(qkv, config.heads, 0, config.rope_theta);
      return context_attention(keys, config.heads);
    });
    x = block(x, w, [&](const Array<S>& qkv) {
      const int64_t lead = config.lead();
      return prediction_attention(
          rotary(qkv, config.heads, first_query + lead + 1, config.rope_theta), keys, config.heads,
          lead, first_query);
    });
  }
  x = rms_norm(x, weights.at("transformer.norm.weight"), config.norm_eps);
  if (config.is_adaln()) {
    const Array<S> both =
        landscape_modulation(weights, "transformer.final_layer.adaLN_modulation.1.", landscape);
    x = modulation(x, part(both, 0, config.width), part(both, config.width, config.width));
  }
  Array<S> energy = linear(x, weights.at(config.is_adaln() ? "transformer.final_layer.linear.weight"
                                                           : "transformer.final_layer.weight"));
  energy.shape = {x.dim(0), x.dim(1)};
  return energy;
}

}  // namespace ebt::reference
