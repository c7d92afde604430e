// A transformer block under the four rules: norm, attention, norm, feed-forward network, each half
// a branch that adds to the residual stream. With adaLN, a modulation shifts and scales each half's
// norm and gates its branch. What its tokens attend to and what it is made of are chosen apart:
// any attention (layers/attention.h) goes with the style of EBTs and Transformer++ or of DiT, with
// or without rotary positions and biases.
//
// The stream itself is one tensor in T, which every rule passes on in place. What a block keeps for
// later rules, and what its products multiply, is stored as S; what can be made again on the way
// down from what is kept (normed inputs, gated hidden values) is not kept.
#pragma once

#include <array>
#include <cstdint>

#include "ebt/core/arena.h"
#include "ebt/layers/attention.h"
#include "ebt/layers/gate.h"
#include "ebt/layers/gelu.h"
#include "ebt/layers/norm.h"
#include "ebt/layers/rotary.h"
#include "ebt/layers/swiglu.h"
#include "ebt/model/config.h"
#include "ebt/model/image_config.h"
#include "ebt/model/parameters.h"
#include "ebt/model/projection.h"

namespace ebt {

// Norm and activation of the published EBTs of text and of Transformer++, and of DiT.
struct TextStyle {
  template <class T, class S>
  using Norm = RmsNorm<T, S>;
  template <class T, class S>
  using Activation = SwigluGate<T, S>;
};
struct ImageStyle {
  template <class T, class S>
  using Norm = LayerNorm<T, S>;
  template <class T, class S>
  using Activation = Gelu<T, S>;
};

// The sizes that a block's memory follows from.
struct BlockShape {
  int64_t width;      // D
  int64_t heads;      // H
  int64_t ffn_in;     // values that enter the activation: 2 F of SwiGLU, F of GELU
  int64_t ffn_width;  // F
  bool gated;         // adaLN
  bool layer_norms;   // which keep means too

  // What a block multiplies every token by, as (out, in): the order of BlockMatrices.
  std::array<Shape, 4> projections() const {
    return {{{3 * width, width}, {width, width}, {ffn_in, width}, {width, ffn_width}}};
  }
  // Those rows of the first that make keys and values.
  Shape key_projection() const { return {2 * width, width}; }

  // NOLINTNEXTLINE(google-explicit-constructor): a model's blocks are all alike
  BlockShape(const SequenceConfig& config)
      : width(config.width),
        heads(config.heads),
        ffn_in(2 * config.ffn_width()),
        ffn_width(config.ffn_width()),
        gated(config.is_adaln()),
        layer_norms(false) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  BlockShape(const BlockConfig& config)
      : width(config.width),
        heads(config.heads),
        ffn_in(2 * config.ffn_width()),
        ffn_width(config.ffn_width()),
        gated(false),
        layer_norms(false) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  BlockShape(const ImageModelConfig& config)
      : width(config.width),
        heads(config.heads),
        ffn_in(config.ffn_width()),
        ffn_width(config.ffn_width()),
        gated(true),
        layer_norms(true) {}
};

// A block's biases; each may be absent.
template <class P>
struct BlockBiases {
  Tensor<P> qkv, attention_out, ffn_in, ffn_out;
};

// A block's weights (P = const T) or their gradients (P = T). Projections of one input are stacked.
template <class P>
struct BlockWeights {
  Tensor<P> attention_norm;  // (D); norms of images have no weights
  Tensor<P> qkv;             // (3 D, D)
  Tensor<P> attention_out;   // (D, D)
  Tensor<P> ffn_norm;        // (D)
  Tensor<P> ffn_in;          // (2 F, D): w1, w3; of images (F, D)
  Tensor<P> ffn_out;         // (D, F): w2
  BlockBiases<P> biases;
};

// Its matrices as the right factors of a projection's products.
template <class Matrix>
struct BlockMatrices {
  Matrix qkv, attention_out, ffn_in, ffn_out;
  Matrix keys = {};  // rows D.. of qkv, where a block stops at keys and values
};
// matrix(W) of each.
template <class P, class MakeMatrix>
auto block_matrices(const BlockWeights<P>& weights, MakeMatrix&& matrix) {
  return BlockMatrices<decltype(matrix(weights.qkv))>{
      matrix(weights.qkv), matrix(weights.attention_out), matrix(weights.ffn_in),
      matrix(weights.ffn_out)};
}

// Adds a block's parameters to a layout under their published names, and finds them again.
void add_block_parameters(const BlockConfig& config, int64_t layer, ParameterLayout& layout);
template <class P, class Block>
BlockWeights<P> block_weights(const BlockConfig& config, int64_t layer, Block& parameters);

// What a modulation makes of one half: gain and shift of its norm, gate of its branch. Shift and
// gate are absent without adaLN. P = const T, or T for their gradients.
template <class P>
struct HalfModulation {
  kernels::Matrix<P> gain, shift, gate;  // (G, D) for G equal groups of rows, or (D) for all
};

// What a block keeps of a forward pass, or of tangents.
template <class S>
struct BlockValues {
  Tensor<S> input;             // (B, S, D): the stream as the attention half reads it
  Tensor<S> qkv;               // (B, S, 3 D), q and k rotated
  Tensor<S> attended;          // (B, S, D)
  Tensor<S> attention_branch;  // (B, S, D), adaLN only: before its gate
  Tensor<S> middle;            // (B, S, D): the stream as the FFN half reads it
  Tensor<S> ffn_in;            // (B, S, 2 F), of images (B, S, F)
  Tensor<S> ffn_branch;        // (B, S, D), adaLN only

  static BlockValues take(Arena& arena, const BlockShape& shape, int64_t batch, int64_t tokens);
  // Views of some rows of all tokens, as matrices: of the `count` rows from `first` on, the first
  // `whole` pass through the whole block, the others stop at their keys and values.
  BlockValues rows(int64_t first, int64_t count, int64_t whole) const;
};

// What a block keeps of the cotangents of a pass downward.
template <class S>
struct BlockCotangents {
  Tensor<S> output;      // (B, S, D) of the stream above the block
  Tensor<S> ffn_hidden;  // (B, S, F)
  Tensor<S> ffn_normed;  // (B, S, D)
  Tensor<S> middle;      // (B, S, D) of the stream between the halves
  Tensor<S> attended;    // (B, S, D)
  Tensor<S> qkv;         // (B, S, 3 D)
  Tensor<S> normed;      // (B, S, D)

  // Memory for all but the output, which belongs to what is above the block.
  static BlockCotangents take(Arena& arena, const BlockShape& shape, int64_t batch, int64_t tokens);
  // Views of the first rows, as matrices.
  BlockCotangents rows(int64_t count) const;
};

// Memory that the blocks of a stream use in turn.
template <class S>
struct BlockWork {
  Tensor<S> normed, normed_dot;          // (B, S, D)
  Tensor<S> ffn_hidden, ffn_hidden_dot;  // (B, S, F)
  Tensor<S> ffn_in_bar, ffn_in_delta;    // like ffn_in
  Tensor<S> branch_bar, branch_delta;    // (B, S, D), adaLN only

  static BlockWork take(Arena& arena, const BlockShape& shape, int64_t batch, int64_t tokens);
  // Like BlockValues::rows.
  BlockWork rows(int64_t count, int64_t whole) const;
};

// What one forward pass through a block leaves for the other rules.
template <class T, class S>
struct BlockTrace {
  BlockValues<S> values;
  NormSaved<T, S> attention_norm;
  NormSaved<T, S> ffn_norm;
  AttentionSaved<T, S> attention;

  // `values` may be shared by traces that are not differentiated.
  static BlockTrace take(Arena& arena, const BlockShape& shape, int64_t batch, int64_t tokens,
                         const BlockValues<S>& values);
  // Like BlockValues::rows.
  BlockTrace rows(int64_t first, int64_t count, int64_t whole) const;
};

// A context has cotangents of keys that are kept apart; it has no tangents.
template <class Attention>
concept ContextLike = requires {
  &Attention::vjp_apart;
};

// The cotangent of the residual stream, on its way down through a block.
template <class T, class S>
struct ResidualCotangent {
  Tensor<T> sum;    // above the block, then below it
  Tensor<S> below;  // receives the latter, rounded; may be absent
};

// The rules of a block: for a context and for cached keys forward and vjp, for any other attention
// all four.
template <class T, class S, class Attention, class Style, class Projection = GemmProjection<T, S>>
struct Block {
  using Norm = typename Style::template Norm<T, S>;
  using Activation = typename Style::template Activation<T, S>;
  using Scalar = T;
  using Multiply = Projection;
  using Residual = ResidualCotangent<T, S>;

  struct Params {
    BlockMatrices<typename Projection::Matrix> matrices;
    HalfModulation<const T> attention_half, ffn_half;
    RotaryParams<T> rotary;  // absent: positions are not turned into queries and keys
    typename Attention::Params attention;
    T norm_eps = 0;
    BlockBiases<const T> biases = {};
  };
  struct Grads {
    BlockWeights<T> weights;  // of which matrices and biases are read
    HalfModulation<T> attention_half, ffn_half;
    typename Attention::Grads attention;
  };

  // stream (B, S, D): the block's input, then its output. Rows beyond those of
  // trace.values.attended stop at their keys and values: their stream stays the input.
  static void forward(const Params& params, Tensor<T> stream, BlockTrace<T, S>& trace,
                      const BlockWork<S>& work);
  // The first step of forward alone: the keys and values of a context's last block (q is left).
  static void forward_keys(const Params& params, Tensor<const T> stream, BlockTrace<T, S>& trace,
                           const BlockWork<S>& work) requires ContextLike<Attention>;
  // From residual.sum, and its rounded copy in bar.output, to what is below the block, leaving
  // every point's cotangent in bar. grads may be null; then bar.output may be residual.sum itself.
  static void vjp(const Params& params, const BlockTrace<T, S>& trace,
                  const BlockCotangents<S>& bar, const Residual& residual, const BlockWork<S>& work,
                  Grads* grads) requires(!ContextLike<Attention>);
  // vjp of a context's block. Cotangents of keys and values have arrived in keys_bar (B, S, 2 D)
  // from the predictions that used them; the block's own are added to them.
  static void vjp_of_context(const Params& params, const BlockTrace<T, S>& trace,
                             const BlockCotangents<S>& bar, Tensor<T> keys_bar,
                             const Residual& residual, const BlockWork<S>& work,
                             Grads& grads) requires ContextLike<Attention>;
  // vjp of forward_keys: residual.sum is replaced.
  static void vjp_of_keys(const Params& params, const BlockTrace<T, S>& trace,
                          const BlockCotangents<S>& bar, Tensor<const T> keys_bar,
                          const Residual& residual, const BlockWork<S>& work,
                          Grads& grads) requires ContextLike<Attention>;
  // Keeps the tangents of every point in dot.
  static void jvp(const Params& params, Tensor<T> stream_dot, BlockTrace<T, S>& trace,
                  const BlockValues<S>& dot,
                  const BlockWork<S>& work) requires(!ContextLike<Attention>);
  // The second-order sweep: J^T bar.output + d/dx <delta.output, J dot.input>, where delta holds
  // the cotangents of an earlier vjp without grads and dot the tangents of jvp.
  static void second_order(const Params& params, const BlockTrace<T, S>& trace,
                           const BlockValues<S>& dot, const BlockCotangents<S>& delta,
                           const BlockCotangents<S>& bar, const Residual& residual,
                           const BlockWork<S>& work,
                           Grads& grads) requires(!ContextLike<Attention>);
};

}  // namespace ebt
