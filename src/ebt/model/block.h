// A transformer block under the four rules: norm, attention, norm, SwiGLU, each half added to the
// residual stream; with adaLN, each half modulated and gated by a landscape vector.
#pragma once

#include <cstdint>

#include "ebt/core/arena.h"
#include "ebt/layers/attention.h"
#include "ebt/layers/linear.h"
#include "ebt/layers/modulation.h"
#include "ebt/layers/rms_norm.h"
#include "ebt/layers/rotary.h"
#include "ebt/layers/swiglu.h"
#include "ebt/model/config.h"
#include "ebt/model/parameters.h"

namespace ebt {

// A block's weights (P = const T) or their gradients (P = T). Projections of one input are stacked.
template <class P>
struct BlockWeights {
  Tensor<P> attention_norm;  // (D)
  Tensor<P> qkv;             // (3 D, D)
  Tensor<P> attention_out;   // (D, D)
  Tensor<P> ffn_norm;        // (D)
  Tensor<P> ffn_in;          // (2 F, D): w1, w3
  Tensor<P> ffn_out;         // (D, F): w2
};

// Adds a block's parameters to a layout under their published names, and finds them again.
void add_block_parameters(const ModelConfig& config, int64_t layer, ParameterLayout& layout);
template <class P, class Block>
BlockWeights<P> block_weights(const ModelConfig& config, int64_t layer, Block& parameters);

// The values at every point of a block; their tangents; or their cotangents: one struct for the
// three, since every rule walks the same points. Without adaLN a modulated value is the value
// itself, and a branch is added to the residual stream without being kept.
template <class T>
struct BlockValues {
  Tensor<T> input;             // (B, S, D), which belongs to the block below
  Tensor<T> normed;            // (B, S, D)
  Tensor<T> modulated;         // (B, S, D)
  Tensor<T> qkv;               // (B, S, 3 D), q and k rotated
  Tensor<T> attended;          // (B, S, D)
  Tensor<T> attention_branch;  // (B, S, D), adaLN only: before its gate
  Tensor<T> middle;            // (B, S, D): the residual stream between the halves
  Tensor<T> ffn_normed;        // (B, S, D)
  Tensor<T> ffn_modulated;     // (B, S, D)
  Tensor<T> ffn_pair;          // (B, S, 2 F)
  Tensor<T> ffn_hidden;        // (B, S, F)
  Tensor<T> ffn_branch;        // (B, S, D), adaLN only
  Tensor<T> output;            // (B, S, D)

  // Memory for all but the input.
  static BlockValues take(Arena& arena, const ModelConfig& config, int64_t batch, int64_t tokens);
};

// What one forward pass through a block leaves for the other rules.
template <class T>
struct BlockTrace {
  BlockValues<T> values;
  typename RmsNorm<T>::Saved attention_norm;
  typename RmsNorm<T>::Saved ffn_norm;
  AttentionSaved<T> attention;

  // `values` may be shared by traces that are not differentiated.
  static BlockTrace take(Arena& arena, const ModelConfig& config, int64_t batch, int64_t tokens,
                         const BlockValues<T>& values);
};

// The rules of a block, for either attention. Every rule reads and writes BlockValues: forward
// from values.input to values.output, jvp likewise on tangents, vjp and second_order from
// bar.output down to bar.input, leaving every point's cotangent on the way.
template <class T, class Attention>
struct Block {
  struct Params {
    BlockWeights<const T> weights;
    typename Rotary<T>::Params rotary;
    typename Attention::Params attention;
    Tensor<const T>
        modulation;  // (6 D): shift, scale, gate of attention, then of the FFN; or absent
    T norm_eps = 0;
  };
  struct Grads {
    BlockWeights<T> weights;
    typename Attention::Grads attention;
    Tensor<T> modulation;  // (6 D) or absent
  };

  static void forward(const Params& params, BlockTrace<T>& trace);
  // The first step of forward alone: the keys and values of a context's last block (q is left).
  static void forward_keys(const Params& params, BlockTrace<T>& trace);
  // bar.qkv is replaced, or added to where `qkv_write` says so: a context's keys and values arrive
  // with the cotangents of the predictions that used them. grads may be null.
  static void vjp(const Params& params, const BlockTrace<T>& trace, const BlockValues<T>& bar,
                  Write qkv_write, Grads* grads);
  // vjp from bar.qkv alone, of which only keys and values are read; bar.input is replaced.
  static void vjp_keys(const Params& params, const BlockTrace<T>& trace, const BlockValues<T>& bar,
                       Grads* grads);
  static void jvp(const Params& params, BlockTrace<T>& trace, const BlockValues<T>& dot);
  // The second-order sweep: bar = J^T bar.output + d/dx <delta.output, J dot.input>, where delta
  // holds the cotangents of an earlier vjp without grads and dot the tangents of jvp.
  static void second_order(const Params& params, const BlockTrace<T>& trace,
                           const BlockValues<T>& dot, const BlockValues<T>& delta,
                           const BlockValues<T>& bar, Grads* grads);
};

}  // namespace ebt
