#include "ebt/model/block.h"

#include "ebt/layers/cached_attention.h"

namespace ebt {
namespace {

// One half of a block: its norm, and how its branch is projected into the residual stream.
template <class B>
struct Half {
  using T = typename B::Scalar;
  HalfModulation<const T> modulation;
  const typename B::Multiply::Matrix& out;
  Tensor<const T> out_bias;
  T eps;

  NormParams<T> norm() const { return {modulation.gain, eps, modulation.shift}; }
  bool gated() const { return modulation.gate.data != nullptr; }
};
template <class B>
Half<B> attention_half(const typename B::Params& p) {
  return {p.attention_half, p.matrices.attention_out, p.biases.attention_out, p.norm_eps};
}
template <class B>
Half<B> ffn_half(const typename B::Params& p) {
  return {p.ffn_half, p.matrices.ffn_out, p.biases.ffn_out, p.norm_eps};
}

// Whether the bias of a projection takes part: not in tangents, to which it is a constant.
enum class Bias { kAdded, kLeftOut };

// stream += gate (x W^T + b), keeping the branch if it is gated.
template <class T, class S, class B>
void project_into_stream(const Half<B>& half, Bias bias, Tensor<const S> x, Tensor<S> branch,
                         Tensor<T> stream) {
  const Tensor<const T> added = bias == Bias::kAdded ? half.out_bias : Tensor<const T>{};
  if (!half.gated()) {
    B::Multiply::forward(half.out, added, x, stream, Write::kAdd);
    return;
  }
  B::Multiply::forward(half.out, added, x, branch);
  typename Gate<T, S>::Saved gate_unused;
  Gate<T, S>::forward({half.modulation.gate}, branch, stream, gate_unused, Write::kAdd);
}

// Where a branch joins the stream: the branch and the stream's cotangent, each with its tangent or
// first-order cotangent where there is a second order.
template <class S>
struct BranchPoint {
  Tensor<const S> branch, branch_dot;
  Tensor<const S> output_bar, output_delta;
};
// The cotangent of the branch, and its first-order counterpart.
template <class S>
struct BranchCotangent {
  Tensor<const S> bar, delta;
};

// From the cotangent of the stream to that of the branch. An absent gate_bar is not wanted.
template <class T, class S, class B>
BranchCotangent<S> branch_cotangent(const Half<B>& half, const BranchPoint<S>& at,
                                    const BlockWork<S>& work, kernels::Matrix<T> gate_bar) {
  if (!half.gated()) {
    return {at.output_bar, at.output_delta};
  }
  const typename Gate<T, S>::Params params{half.modulation.gate};
  typename Gate<T, S>::Grads grads{gate_bar};
  typename Gate<T, S>::Grads* wanted = gate_bar.data == nullptr ? nullptr : &grads;
  if (!at.output_delta) {
    Gate<T, S>::vjp(params, {at.branch}, at.output_bar, work.branch_bar, Write::kReplace, wanted);
    return {work.branch_bar, {}};
  }
  Gate<T, S>::second_order(params, {at.branch}, at.branch_dot, at.output_delta, at.output_bar,
                           work.branch_bar, Write::kReplace, wanted, work.branch_delta);
  return {work.branch_bar, work.branch_delta};
}

// The gradients of a projection: W_bar += y_bar^T x [+ delta^T x_dot], b_bar += sum of y_bar.
template <class T>
struct ProjectionGrads {
  Tensor<T> weight;
  Tensor<T> bias;  // may be absent
};
template <class T, class S>
void add_weight_gradients(ProjectionGrads<T> grads, Tensor<const S> y_bar, Tensor<const S> x,
                          Tensor<const S> delta, Tensor<const S> x_dot) {
  typename Linear<T, S>::Grads linear{grads.weight, grads.bias};
  Linear<T, S>::vjp({}, {x}, y_bar, {}, Write::kReplace, &linear);
  if (delta) {
    Linear<T, S>::vjp_of_jvp({}, {x}, x_dot, delta, {}, Write::kReplace, &linear);
  }
}

// The gradients of a half's norm; null where none are wanted.
template <class T>
struct HalfNormGrads {
  NormGrads<T> grads;
  bool wanted;
  explicit HalfNormGrads(const HalfModulation<T>* half)
      : grads(half == nullptr ? NormGrads<T>{} : NormGrads<T>{half->gain, half->shift}),
        wanted(half != nullptr) {}
  NormGrads<T>* get() { return wanted ? &grads : nullptr; }
};

// Turns queries and keys by their positions, or their cotangents back.
template <class T, class S>
void rotate(const RotaryParams<T>& rotary, Tensor<S> qkv) {
  if (rotary.cosine) {
    typename Rotary<T, S>::Saved unused;
    Rotary<T, S>::forward(rotary, qkv, qkv, unused);
  }
}
template <class T, class S>
void rotate_back(const RotaryParams<T>& rotary, Tensor<S> qkv_bar) {
  if (rotary.cosine) {
    Rotary<T, S>::vjp(rotary, {}, qkv_bar, qkv_bar, Write::kReplace, nullptr);
  }
}

// The FFN half of vjp.
template <class B, class T, class S>
void ffn_vjp(const typename B::Params& params, const BlockTrace<T, S>& trace,
             const BlockCotangents<S>& bar, Tensor<T> sum, const BlockWork<S>& work,
             typename B::Grads* grads) {
  const BlockValues<S>& v = trace.values;
  const Half<B> half = ffn_half<B>(params);
  const BranchCotangent<S> branch =
      branch_cotangent<T, S>(half, {v.ffn_branch, {}, bar.output, {}}, work,
                             grads == nullptr ? kernels::Matrix<T>{} : grads->ffn_half.gate);
  B::Multiply::vjp(params.matrices.ffn_out, branch.bar, bar.ffn_hidden);
  typename B::Activation::Recomputed recomputed;
  recomputed.y = grads == nullptr ? Tensor<S>{} : work.ffn_hidden;
  B::Activation::vjp({}, {v.ffn_in}, bar.ffn_hidden, work.ffn_in_bar, Write::kReplace, nullptr,
                     recomputed);
  B::Multiply::vjp(params.matrices.ffn_in, work.ffn_in_bar, bar.ffn_normed);
  HalfNormGrads<T> norm(grads == nullptr ? nullptr : &grads->ffn_half);
  B::Norm::vjp_to_stream(half.norm(), trace.ffn_norm, bar.ffn_normed,
                         {sum.data, true, bar.middle.data}, norm.get(),
                         grads == nullptr ? Tensor<S>{} : work.normed);
  if (grads != nullptr) {
    const BlockWeights<T>& w = grads->weights;
    add_weight_gradients<T, S>({w.ffn_out, w.biases.ffn_out}, branch.bar, work.ffn_hidden, {}, {});
    add_weight_gradients<T, S>({w.ffn_in, w.biases.ffn_in}, work.ffn_in_bar, work.normed, {}, {});
  }
}

// From the cotangent of the stream between the halves to that of the attention's result.
template <class B, class T, class S>
void attention_out_vjp(const typename B::Params& params, const BlockTrace<T, S>& trace,
                       const BlockCotangents<S>& bar, const BlockWork<S>& work,
                       typename B::Grads* grads) {
  const BlockValues<S>& v = trace.values;
  const Half<B> half = attention_half<B>(params);
  const BranchCotangent<S> branch =
      branch_cotangent<T, S>(half, {v.attention_branch, {}, bar.middle, {}}, work,
                             grads == nullptr ? kernels::Matrix<T>{} : grads->attention_half.gate);
  B::Multiply::vjp(params.matrices.attention_out, branch.bar, bar.attended);
  if (grads != nullptr) {
    const BlockWeights<T>& w = grads->weights;
    add_weight_gradients<T, S>({w.attention_out, w.biases.attention_out}, branch.bar, v.attended,
                               {}, {});
  }
}

// From the cotangent of q, k and v, turned back, to that of the stream below the block.
template <class B, class T, class S>
void qkv_vjp(const typename B::Params& params, const BlockTrace<T, S>& trace,
             const BlockCotangents<S>& bar, const typename B::Residual& residual,
             const BlockWork<S>& work, typename B::Grads* grads) {
  B::Multiply::vjp(params.matrices.qkv, bar.qkv, bar.normed);
  HalfNormGrads<T> norm(grads == nullptr ? nullptr : &grads->attention_half);
  B::Norm::vjp_to_stream(attention_half<B>(params).norm(), trace.attention_norm, bar.normed,
                         {residual.sum.data, true, residual.below.data}, norm.get(),
                         grads == nullptr ? Tensor<S>{} : work.normed);
  if (grads != nullptr) {
    const BlockWeights<T>& w = grads->weights;
    add_weight_gradients<T, S>({w.qkv, w.biases.qkv}, bar.qkv, work.normed, {}, {});
  }
}

}  // namespace

template <class T, class S, class Attention, class Style, class Projection>
void Block<T, S, Attention, Style, Projection>::forward(const Params& params, Tensor<T> stream,
                                                        BlockTrace<T, S>& trace,
                                                        const BlockWork<S>& work) {
  const BlockValues<S>& v = trace.values;
  const Half<Block> attention = attention_half<Block>(params);
  Norm::read_stream(attention.norm(), stream, v.input, work.normed, trace.attention_norm);
  Projection::forward(params.matrices.qkv, params.biases.qkv, work.normed, v.qkv);
  rotate<T, S>(params.rotary, v.qkv);
  Attention::forward(params.attention, v.qkv, v.attended, trace.attention);
  const int64_t whole = v.attended.dim(0);
  const Tensor<T> output = stream.slice(0, whole);
  project_into_stream<T, S>(attention, Bias::kAdded, v.attended, v.attention_branch, output);

  const Half<Block> ffn = ffn_half<Block>(params);
  typename Activation::Saved activation_unused;
  const Tensor<S> normed = work.normed.slice(0, whole);
  Norm::read_stream(ffn.norm(), output, v.middle, normed, trace.ffn_norm);
  Projection::forward(params.matrices.ffn_in, params.biases.ffn_in, normed, v.ffn_in);
  Activation::forward({}, v.ffn_in, work.ffn_hidden, activation_unused);
  project_into_stream<T, S>(ffn, Bias::kAdded, work.ffn_hidden, v.ffn_branch, output);
}

template <class T, class S, class Attention, class Style, class Projection>
void Block<T, S, Attention, Style, Projection>::forward_keys(
    const Params& params, Tensor<const T> stream, BlockTrace<T, S>& trace,
    const BlockWork<S>& work) requires ContextLike<Attention> {
  const BlockValues<S>& v = trace.values;
  const int64_t width = work.normed.dim(2);
  Norm::read_stream(attention_half<Block>(params).norm(), stream, v.input, work.normed,
                    trace.attention_norm);
  kernels::multiply_nt<T, S, S>(Tensor<const S>(work.normed), params.matrices.keys,
                                kernels::Matrix<S>(v.qkv).columns_from(width, 2 * width),
                                Write::kReplace);
  typename Rotary<T, S>::Saved unused;
  Rotary<T, S>::forward(params.rotary, v.qkv, v.qkv, unused);
}

template <class T, class S, class Attention, class Style, class Projection>
void Block<T, S, Attention, Style, Projection>::vjp(
    const Params& params, const BlockTrace<T, S>& trace, const BlockCotangents<S>& bar,
    const Residual& residual, const BlockWork<S>& work,
    Grads* grads) requires(!ContextLike<Attention>) {
  ffn_vjp<Block>(params, trace, bar, residual.sum, work, grads);
  attention_out_vjp<Block>(params, trace, bar, work, grads);
  Attention::vjp(params.attention, trace.attention, bar.attended, bar.qkv, Write::kReplace,
                 grads == nullptr ? nullptr : &grads->attention);
  rotate_back<T, S>(params.rotary, bar.qkv);
  qkv_vjp<Block>(params, trace, bar, residual, work, grads);
}

template <class T, class S, class Attention, class Style, class Projection>
void Block<T, S, Attention, Style, Projection>::vjp_of_context(
    const Params& params, const BlockTrace<T, S>& trace, const BlockCotangents<S>& bar,
    Tensor<T> keys_bar, const Residual& residual, const BlockWork<S>& work,
    Grads& grads) requires ContextLike<Attention> {
  ffn_vjp<Block>(params, trace, bar, residual.sum, work, &grads);
  attention_out_vjp<Block>(params, trace, bar, work, &grads);
  Attention::vjp_apart(params.attention, trace.attention, bar.attended, bar.qkv, keys_bar);
  Rotary<T, S>::vjp_apart(params.rotary, keys_bar, true, bar.qkv);
  qkv_vjp<Block>(params, trace, bar, residual, work, &grads);
}

template <class T, class S, class Attention, class Style, class Projection>
void Block<T, S, Attention, Style, Projection>::vjp_of_keys(
    const Params& params, const BlockTrace<T, S>& trace, const BlockCotangents<S>& bar,
    Tensor<const T> keys_bar, const Residual& residual, const BlockWork<S>& work,
    Grads& grads) requires ContextLike<Attention> {
  const int64_t width = work.normed.dim(2);
  Rotary<T, S>::vjp_apart(params.rotary, keys_bar, false, bar.qkv);
  const auto rows = kernels::Matrix<S>(bar.qkv).columns_from(width, 2 * width);
  kernels::multiply_nn<T, S, S>(rows, params.matrices.keys, bar.normed, Write::kReplace);
  HalfNormGrads<T> norm(&grads.attention_half);
  Norm::vjp_to_stream(attention_half<Block>(params).norm(), trace.attention_norm, bar.normed,
                      {residual.sum.data, false, residual.below.data}, norm.get(), work.normed);
  kernels::multiply_tn<T, S>(rows, Tensor<const S>(work.normed),
                             grads.weights.qkv.slice(width, 2 * width), Write::kAdd);
}

template <class T, class S, class Attention, class Style, class Projection>
void Block<T, S, Attention, Style, Projection>::jvp(
    const Params& params, Tensor<T> stream_dot, BlockTrace<T, S>& trace, const BlockValues<S>& dot,
    const BlockWork<S>& work) requires(!ContextLike<Attention>) {
  const Half<Block> attention = attention_half<Block>(params);
  Norm::jvp_of_stream(attention.norm(), trace.attention_norm, stream_dot, dot.input, work.normed);
  Projection::forward(params.matrices.qkv, {}, work.normed, dot.qkv);
  rotate<T, S>(params.rotary, dot.qkv);  // linear: its own tangent
  Attention::jvp(params.attention, trace.attention, dot.qkv, dot.attended);
  project_into_stream<T, S>(attention, Bias::kLeftOut, dot.attended, dot.attention_branch,
                            stream_dot);

  const Half<Block> ffn = ffn_half<Block>(params);
  Norm::jvp_of_stream(ffn.norm(), trace.ffn_norm, stream_dot, dot.middle, work.normed);
  Projection::forward(params.matrices.ffn_in, {}, work.normed, dot.ffn_in);
  Activation::jvp({}, {trace.values.ffn_in}, dot.ffn_in, work.ffn_hidden);
  project_into_stream<T, S>(ffn, Bias::kLeftOut, work.ffn_hidden, dot.ffn_branch, stream_dot);
}

template <class T, class S, class Attention, class Style, class Projection>
void Block<T, S, Attention, Style, Projection>::second_order(
    const Params& params, const BlockTrace<T, S>& trace, const BlockValues<S>& dot,
    const BlockCotangents<S>& delta, const BlockCotangents<S>& bar, const Residual& residual,
    const BlockWork<S>& work, Grads& grads) requires(!ContextLike<Attention>) {
  const BlockValues<S>& v = trace.values;
  const BlockWeights<T>& w = grads.weights;
  const Half<Block> ffn = ffn_half<Block>(params);
  BranchCotangent<S> branch = branch_cotangent<T, S>(
      ffn, {v.ffn_branch, dot.ffn_branch, bar.output, delta.output}, work, grads.ffn_half.gate);
  Projection::vjp(params.matrices.ffn_out, branch.bar, bar.ffn_hidden);
  Activation::second_order({}, {v.ffn_in}, dot.ffn_in, delta.ffn_hidden, bar.ffn_hidden,
                           work.ffn_in_bar, Write::kReplace, nullptr,
                           {work.ffn_hidden, work.ffn_hidden_dot, work.ffn_in_delta});
  add_weight_gradients<T, S>({w.ffn_out, w.biases.ffn_out}, branch.bar, work.ffn_hidden,
                             branch.delta, work.ffn_hidden_dot);
  Projection::vjp(params.matrices.ffn_in, work.ffn_in_bar, bar.ffn_normed);
  HalfNormGrads<T> ffn_norm(&grads.ffn_half);
  Norm::second_order_to_stream(ffn.norm(), trace.ffn_norm, dot.middle, delta.ffn_normed,
                               bar.ffn_normed, {residual.sum.data, true, bar.middle.data},
                               ffn_norm.get(), work.normed, work.normed_dot);
  add_weight_gradients<T, S>({w.ffn_in, w.biases.ffn_in}, work.ffn_in_bar, work.normed,
                             work.ffn_in_delta, work.normed_dot);

  const Half<Block> attention = attention_half<Block>(params);
  branch = branch_cotangent<T, S>(
      attention, {v.attention_branch, dot.attention_branch, bar.middle, delta.middle}, work,
      grads.attention_half.gate);
  Projection::vjp(params.matrices.attention_out, branch.bar, bar.attended);
  add_weight_gradients<T, S>({w.attention_out, w.biases.attention_out}, branch.bar, v.attended,
                             branch.delta, dot.attended);
  Attention::second_order(params.attention, trace.attention, dot.qkv, delta.attended, bar.attended,
                          bar.qkv, Write::kReplace, &grads.attention);
  rotate_back<T, S>(params.rotary, bar.qkv);
  Projection::vjp(params.matrices.qkv, bar.qkv, bar.normed);
  HalfNormGrads<T> attention_norm(&grads.attention_half);
  Norm::second_order_to_stream(attention.norm(), trace.attention_norm, dot.input, delta.normed,
                               bar.normed, {residual.sum.data, true, residual.below.data},
                               attention_norm.get(), work.normed, work.normed_dot);
  add_weight_gradients<T, S>({w.qkv, w.biases.qkv}, bar.qkv, work.normed, delta.qkv,
                             work.normed_dot);
}

// Member by member: clang 14 would instantiate those of the other kind of block too.
#define EBT_ALL_RULES(T, S, Name, Attention, Style)                                               \
  using Name = Block<T, S, Attention<T, S>, Style>;                                               \
  template void Name::forward(const Params&, Tensor<T>, BlockTrace<T, S>&, const BlockWork<S>&);  \
  template void Name::vjp(const Params&, const BlockTrace<T, S>&, const BlockCotangents<S>&,      \
                          const Residual&, const BlockWork<S>&, Grads*);                          \
  template void Name::jvp(const Params&, Tensor<T>, BlockTrace<T, S>&, const BlockValues<S>&,     \
                          const BlockWork<S>&);                                                   \
  template void Name::second_order(const Params&, const BlockTrace<T, S>&, const BlockValues<S>&, \
                                   const BlockCotangents<S>&, const BlockCotangents<S>&,          \
                                   const Residual&, const BlockWork<S>&, Grads&);
#define EBT_BLOCKS(T, S, Context, Prediction, Answer, Image)                                      \
  using Context = Block<T, S, ContextAttention<T, S>, TextStyle>;                                 \
  template void Context::forward(const Params&, Tensor<T>, BlockTrace<T, S>&,                     \
                                 const BlockWork<S>&);                                            \
  template void Context::forward_keys(const Params&, Tensor<const T>, BlockTrace<T, S>&,          \
                                      const BlockWork<S>&);                                       \
  template void Context::vjp_of_context(const Params&, const BlockTrace<T, S>&,                   \
                                        const BlockCotangents<S>&, Tensor<T>, const Residual&,    \
                                        const BlockWork<S>&, Grads&);                             \
  template void Context::vjp_of_keys(const Params&, const BlockTrace<T, S>&,                      \
                                     const BlockCotangents<S>&, Tensor<const T>, const Residual&, \
                                     const BlockWork<S>&, Grads&);                                \
  EBT_ALL_RULES(T, S, Prediction, PredictionAttention, TextStyle)                                 \
  EBT_ALL_RULES(T, S, Answer, BidirectionalAttention, TextStyle)                                  \
  EBT_ALL_RULES(T, S, Image, BidirectionalAttention, ImageStyle)
EBT_BLOCKS(float, float, ContextFloat, PredictionFloat, AnswerFloat, ImageFloat)
EBT_BLOCKS(float, Bfloat16, ContextBf16, PredictionBf16, AnswerBf16, ImageBf16)
EBT_BLOCKS(double, double, ContextDouble, PredictionDouble, AnswerDouble, ImageDouble)
#undef EBT_BLOCKS
#undef EBT_ALL_RULES
#define EBT_ROW_BLOCK(T, S, Name)                                                                \
  using Name = Block<T, T, CachedAttention<T, S>, TextStyle, StripProjection<T, S>>;             \
  template void Name::forward(const Params&, Tensor<T>, BlockTrace<T, T>&, const BlockWork<T>&); \
  template void Name::vjp(const Params&, const BlockTrace<T, T>&, const BlockCotangents<T>&,     \
                          const Residual&, const BlockWork<T>&, Grads*);
EBT_ROW_BLOCK(float, float, RowFloat)
EBT_ROW_BLOCK(float, Bfloat16, RowBf16)
EBT_ROW_BLOCK(double, double, RowDouble)
#undef EBT_ROW_BLOCK

}  // namespace ebt
