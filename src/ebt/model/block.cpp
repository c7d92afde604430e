#include "ebt/model/block.h"

namespace ebt {
namespace {

// One half of a block: everything that its two outlines below need. Both halves enter by a norm and
// leave by a projection into the stream.
template <class T, class S>
struct HalfParams {
  HalfModulation<const T> modulation;
  const kernels::WeightMatrix<T, S>& out;
  T eps;

  typename RmsNorm<T, S>::Params norm() const { return {modulation.gain, eps, modulation.shift}; }
  bool gated() const { return static_cast<bool>(modulation.gate); }
};

// stream += gate (x W^T), keeping the branch if it is gated.
template <class T, class S>
void leave(const HalfParams<T, S>& half, Tensor<const S> x, Tensor<S> branch, Tensor<T> stream) {
  typename Linear<T, S>::Saved unused;
  if (!half.gated()) {
    Linear<T, S>::forward({half.out, {}}, x, stream, unused, Write::kAdd);
    return;
  }
  Linear<T, S>::forward({half.out, {}}, x, branch, unused);
  typename Gate<T, S>::Saved gate_unused;
  Gate<T, S>::forward({half.modulation.gate}, branch, stream, gate_unused, Write::kAdd);
}

// What the way down through a half's projection reads: its input, the branch and the cotangent of
// the stream, each with its first-order or tangent counterpart where there is a second order.
template <class S>
struct LeavePoint {
  Tensor<const S> branch, branch_dot;
  Tensor<const S> output_bar, output_delta;
};
// The cotangent of the branch, and its first-order counterpart.
template <class S>
struct BranchBar {
  Tensor<const S> bar, delta;
};

// From the cotangent of the stream to that of the branch.
template <class T, class S>
BranchBar<S> through_gate(const HalfParams<T, S>& half, const LeavePoint<S>& at,
                          const BlockWork<S>& work, Tensor<T> gate_bar) {
  if (!half.gated()) {
    return {at.output_bar, at.output_delta};
  }
  const typename Gate<T, S>::Params params{half.modulation.gate};
  typename Gate<T, S>::Grads grads{gate_bar};
  typename Gate<T, S>::Grads* wanted = gate_bar ? &grads : nullptr;
  Gate<T, S>::vjp(params, {at.branch}, at.output_bar, work.branch_bar, Write::kReplace, wanted);
  if (at.output_delta) {
    Gate<T, S>::vjp_of_jvp(params, {at.branch}, at.branch_dot, at.output_delta, {}, Write::kReplace,
                           wanted);
    Gate<T, S>::vjp(params, {at.branch}, at.output_delta, work.branch_delta, Write::kReplace,
                    nullptr);
  }
  return {work.branch_bar,
          at.output_delta ? Tensor<const S>(work.branch_delta) : Tensor<const S>{}};
}

// W_bar += y_bar^T x [+ delta^T x_dot]
template <class T, class S>
void add_products(Tensor<T> weight_bar, Tensor<const S> y_bar, Tensor<const S> x,
                  Tensor<const S> delta, Tensor<const S> x_dot) {
  kernels::multiply_tn<T, S>(y_bar, x, weight_bar, Write::kAdd);
  if (delta) {
    kernels::multiply_tn<T, S>(delta, x_dot, weight_bar, Write::kAdd);
  }
}

// x_bar = y_bar W
template <class T, class S>
void pull(const kernels::WeightMatrix<T, S>& weights, Tensor<const S> y_bar, Tensor<S> x_bar) {
  kernels::multiply_nn<T, S, S>(y_bar, weights, x_bar, Write::kReplace);
}

template <class T, class S, class Attention>
HalfParams<T, S> attention_half(const typename Block<T, S, Attention>::Params& p) {
  return {p.attention_half, p.matrices.attention_out, p.norm_eps};
}
template <class T, class S, class Attention>
HalfParams<T, S> ffn_half(const typename Block<T, S, Attention>::Params& p) {
  return {p.ffn_half, p.matrices.ffn_out, p.norm_eps};
}

// The gradients of a half's norm; null where none are wanted.
template <class T, class S>
struct NormGrads {
  typename RmsNorm<T, S>::Grads grads;
  bool wanted;
  explicit NormGrads(const HalfModulation<T>* half)
      : grads(half == nullptr ? typename RmsNorm<T, S>::Grads{}
                              : typename RmsNorm<T, S>::Grads{half->gain, half->shift}),
        wanted(half != nullptr) {}
  typename RmsNorm<T, S>::Grads* get() { return wanted ? &grads : nullptr; }
};

// The FFN half of vjp.
template <class T, class S, class Attention>
void ffn_vjp(const typename Block<T, S, Attention>::Params& params, const BlockTrace<T, S>& trace,
             const BlockCotangents<S>& bar, Tensor<T> sum, const BlockWork<S>& work,
             typename Block<T, S, Attention>::Grads* grads) {
  const BlockValues<S>& v = trace.values;
  const HalfParams<T, S> half = ffn_half<T, S, Attention>(params);
  const BranchBar<S> branch =
      through_gate<T, S>(half, {v.ffn_branch, {}, bar.output, {}}, work,
                         grads == nullptr ? Tensor<T>{} : grads->ffn_half.gate);
  pull(params.matrices.ffn_out, branch.bar, bar.ffn_hidden);
  typename SwigluGate<T, S>::Again again;
  again.y = grads == nullptr ? Tensor<S>{} : work.ffn_hidden;
  SwigluGate<T, S>::vjp({}, {v.ffn_pair}, bar.ffn_hidden, work.pair_bar, Write::kReplace, nullptr,
                        again);
  pull<T, S>(params.matrices.ffn_in, work.pair_bar, bar.ffn_normed);
  NormGrads<T, S> norm(grads == nullptr ? nullptr : &grads->ffn_half);
  RmsNorm<T, S>::vjp_to_stream(half.norm(), trace.ffn_norm, bar.ffn_normed,
                               {sum.data, true, bar.middle.data}, norm.get(),
                               grads == nullptr ? Tensor<S>{} : work.normed);
  if (grads != nullptr) {
    add_products<T, S>(grads->weights.ffn_out, branch.bar, work.ffn_hidden, {}, {});
    add_products<T, S>(grads->weights.ffn_in, work.pair_bar, work.normed, {}, {});
  }
}

// From the cotangent of the stream between the halves to that of the attention's result.
template <class T, class S, class Attention>
void attended_vjp(const typename Block<T, S, Attention>::Params& params,
                  const BlockTrace<T, S>& trace, const BlockCotangents<S>& bar,
                  const BlockWork<S>& work, typename Block<T, S, Attention>::Grads* grads) {
  const BlockValues<S>& v = trace.values;
  const HalfParams<T, S> half = attention_half<T, S, Attention>(params);
  const BranchBar<S> branch =
      through_gate<T, S>(half, {v.attention_branch, {}, bar.middle, {}}, work,
                         grads == nullptr ? Tensor<T>{} : grads->attention_half.gate);
  pull(params.matrices.attention_out, branch.bar, bar.attended);
  if (grads != nullptr) {
    add_products<T, S>(grads->weights.attention_out, branch.bar, v.attended, {}, {});
  }
}

// From the cotangent of q, k and v, turned back, to that of the stream below the block.
template <class T, class S, class Attention>
void enter_vjp(const typename Block<T, S, Attention>::Params& params, const BlockTrace<T, S>& trace,
               const BlockCotangents<S>& bar,
               const typename Block<T, S, Attention>::Descent& descent, const BlockWork<S>& work,
               typename Block<T, S, Attention>::Grads* grads) {
  pull<T, S>(params.matrices.qkv, bar.qkv, bar.normed);
  NormGrads<T, S> norm(grads == nullptr ? nullptr : &grads->attention_half);
  RmsNorm<T, S>::vjp_to_stream(attention_half<T, S, Attention>(params).norm(), trace.attention_norm,
                               bar.normed, {descent.sum.data, true, descent.below.data}, norm.get(),
                               grads == nullptr ? Tensor<S>{} : work.normed);
  if (grads != nullptr) {
    add_products<T, S>(grads->weights.qkv, bar.qkv, work.normed, {}, {});
  }
}

}  // namespace

template <class S>
BlockValues<S> BlockValues<S>::take(Arena& arena, const ModelConfig& config, int64_t batch,
                                    int64_t tokens) {
  const int64_t width = config.width;
  const Shape stream{batch, tokens, width};
  BlockValues v;
  v.input = arena.take<S>(stream);
  v.qkv = arena.take<S>({batch, tokens, 3 * width});
  v.attended = arena.take<S>(stream);
  v.middle = arena.take<S>(stream);
  v.ffn_pair = arena.take<S>({batch, tokens, 2 * config.ffn_width()});
  if (config.is_adaln()) {
    v.attention_branch = arena.take<S>(stream);
    v.ffn_branch = arena.take<S>(stream);
  }
  return v;
}

template <class S>
BlockCotangents<S> BlockCotangents<S>::take(Arena& arena, const ModelConfig& config, int64_t batch,
                                            int64_t tokens) {
  const Shape stream{batch, tokens, config.width};
  BlockCotangents bar;
  bar.ffn_hidden = arena.take<S>({batch, tokens, config.ffn_width()});
  bar.ffn_normed = arena.take<S>(stream);
  bar.middle = arena.take<S>(stream);
  bar.attended = arena.take<S>(stream);
  bar.qkv = arena.take<S>({batch, tokens, 3 * config.width});
  bar.normed = arena.take<S>(stream);
  return bar;
}

template <class S>
BlockWork<S> BlockWork<S>::take(Arena& arena, const ModelConfig& config, int64_t batch,
                                int64_t tokens) {
  const Shape stream{batch, tokens, config.width};
  const Shape hidden{batch, tokens, config.ffn_width()};
  const Shape pair{batch, tokens, 2 * config.ffn_width()};
  BlockWork work;
  work.normed = arena.take<S>(stream);
  work.normed_dot = arena.take<S>(stream);
  work.ffn_hidden = arena.take<S>(hidden);
  work.ffn_hidden_dot = arena.take<S>(hidden);
  work.pair_bar = arena.take<S>(pair);
  work.pair_delta = arena.take<S>(pair);
  if (config.is_adaln()) {
    work.branch_bar = arena.take<S>(stream);
    work.branch_delta = arena.take<S>(stream);
  }
  return work;
}

template <class T, class S>
BlockTrace<T, S> BlockTrace<T, S>::take(Arena& arena, const ModelConfig& config, int64_t batch,
                                        int64_t tokens, const BlockValues<S>& values) {
  BlockTrace trace;
  trace.values = values;
  trace.attention_norm.inverse_rms = arena.take<T>({batch, tokens});
  trace.ffn_norm.inverse_rms = arena.take<T>({batch, tokens});
  trace.attention.log_sum = arena.take<T>({batch, tokens, config.heads});
  trace.attention.mean_dot = arena.take<T>({batch, tokens, config.heads});
  return trace;
}

template <class T, class S, class Attention>
void Block<T, S, Attention>::forward(const Params& params, Tensor<T> stream,
                                     BlockTrace<T, S>& trace, const BlockWork<S>& work) {
  const BlockValues<S>& v = trace.values;
  const HalfParams<T, S> attention = attention_half<T, S, Attention>(params);
  typename Linear<T, S>::Saved unused;
  typename Rotary<T, S>::Saved rotary_unused;
  RmsNorm<T, S>::read_stream(attention.norm(), stream, v.input, work.normed, trace.attention_norm);
  Linear<T, S>::forward({params.matrices.qkv, {}}, work.normed, v.qkv, unused);
  Rotary<T, S>::forward(params.rotary, v.qkv, v.qkv, rotary_unused);
  Attention::forward(params.attention, v.qkv, v.attended, trace.attention);
  leave<T, S>(attention, v.attended, v.attention_branch, stream);

  const HalfParams<T, S> ffn = ffn_half<T, S, Attention>(params);
  typename SwigluGate<T, S>::Saved gate_unused;
  RmsNorm<T, S>::read_stream(ffn.norm(), stream, v.middle, work.normed, trace.ffn_norm);
  Linear<T, S>::forward({params.matrices.ffn_in, {}}, work.normed, v.ffn_pair, unused);
  SwigluGate<T, S>::forward({}, v.ffn_pair, work.ffn_hidden, gate_unused);
  leave<T, S>(ffn, work.ffn_hidden, v.ffn_branch, stream);
}

template <class T, class S, class Attention>
void Block<T, S, Attention>::forward_keys(
    const Params& params, Tensor<const T> stream, BlockTrace<T, S>& trace,
    const BlockWork<S>& work) requires ContextLike<Attention> {
  const BlockValues<S>& v = trace.values;
  const int64_t width = work.normed.dim(2);
  RmsNorm<T, S>::read_stream(attention_half<T, S, Attention>(params).norm(), stream, v.input,
                             work.normed, trace.attention_norm);
  kernels::multiply_nt<T, S, S>(Tensor<const S>(work.normed), params.matrices.keys,
                                kernels::Matrix<S>(v.qkv).columns_from(width, 2 * width),
                                Write::kReplace);
  typename Rotary<T, S>::Saved unused;
  Rotary<T, S>::forward(params.rotary, v.qkv, v.qkv, unused);
}

template <class T, class S, class Attention>
void Block<T, S, Attention>::vjp(const Params& params, const BlockTrace<T, S>& trace,
                                 const BlockCotangents<S>& bar, const Descent& descent,
                                 const BlockWork<S>& work,
                                 Grads* grads) requires(!ContextLike<Attention>) {
  ffn_vjp<T, S, Attention>(params, trace, bar, descent.sum, work, grads);
  attended_vjp<T, S, Attention>(params, trace, bar, work, grads);
  Attention::vjp(params.attention, trace.attention, bar.attended, bar.qkv, Write::kReplace,
                 grads == nullptr ? nullptr : &grads->attention);
  Rotary<T, S>::vjp(params.rotary, {}, bar.qkv, bar.qkv, Write::kReplace, nullptr);
  enter_vjp<T, S, Attention>(params, trace, bar, descent, work, grads);
}

template <class T, class S, class Attention>
void Block<T, S, Attention>::vjp_of_context(const Params& params, const BlockTrace<T, S>& trace,
                                            const BlockCotangents<S>& bar, Tensor<T> keys_bar,
                                            const Descent& descent, const BlockWork<S>& work,
                                            Grads& grads) requires ContextLike<Attention> {
  ffn_vjp<T, S, Attention>(params, trace, bar, descent.sum, work, &grads);
  attended_vjp<T, S, Attention>(params, trace, bar, work, &grads);
  Attention::vjp_apart(params.attention, trace.attention, bar.attended, bar.qkv, keys_bar);
  Rotary<T, S>::collect(params.rotary, keys_bar, true, bar.qkv);
  enter_vjp<T, S, Attention>(params, trace, bar, descent, work, &grads);
}

template <class T, class S, class Attention>
void Block<T, S, Attention>::vjp_of_keys(const Params& params, const BlockTrace<T, S>& trace,
                                         const BlockCotangents<S>& bar, Tensor<const T> keys_bar,
                                         const Descent& descent, const BlockWork<S>& work,
                                         Grads& grads) requires ContextLike<Attention> {
  const int64_t width = work.normed.dim(2);
  Rotary<T, S>::collect(params.rotary, keys_bar, false, bar.qkv);
  const auto rows = kernels::Matrix<S>(bar.qkv).columns_from(width, 2 * width);
  kernels::multiply_nn<T, S, S>(rows, params.matrices.keys, bar.normed, Write::kReplace);
  NormGrads<T, S> norm(&grads.attention_half);
  RmsNorm<T, S>::vjp_to_stream(attention_half<T, S, Attention>(params).norm(), trace.attention_norm,
                               bar.normed, {descent.sum.data, false, descent.below.data},
                               norm.get(), work.normed);
  kernels::multiply_tn<T, S>(rows, Tensor<const S>(work.normed),
                             grads.weights.qkv.slice(width, 2 * width), Write::kAdd);
}

template <class T, class S, class Attention>
void Block<T, S, Attention>::jvp(const Params& params, Tensor<T> stream_dot,
                                 BlockTrace<T, S>& trace, const BlockValues<S>& dot,
                                 const BlockWork<S>& work) requires(!ContextLike<Attention>) {
  const HalfParams<T, S> attention = attention_half<T, S, Attention>(params);
  RmsNorm<T, S>::jvp_of_stream(attention.norm(), trace.attention_norm, stream_dot, dot.input,
                               work.normed);
  Linear<T, S>::jvp({params.matrices.qkv, {}}, {}, work.normed, dot.qkv);
  Rotary<T, S>::jvp(params.rotary, {}, dot.qkv, dot.qkv);
  Attention::jvp(params.attention, trace.attention, dot.qkv, dot.attended);
  leave<T, S>(attention, dot.attended, dot.attention_branch, stream_dot);

  const HalfParams<T, S> ffn = ffn_half<T, S, Attention>(params);
  RmsNorm<T, S>::jvp_of_stream(ffn.norm(), trace.ffn_norm, stream_dot, dot.middle, work.normed);
  Linear<T, S>::jvp({params.matrices.ffn_in, {}}, {}, work.normed, dot.ffn_pair);
  SwigluGate<T, S>::jvp({}, {trace.values.ffn_pair}, dot.ffn_pair, work.ffn_hidden);
  leave<T, S>(ffn, work.ffn_hidden, dot.ffn_branch, stream_dot);
}

template <class T, class S, class Attention>
void Block<T, S, Attention>::second_order(const Params& params, const BlockTrace<T, S>& trace,
                                          const BlockValues<S>& dot,
                                          const BlockCotangents<S>& delta,
                                          const BlockCotangents<S>& bar, const Descent& descent,
                                          const BlockWork<S>& work,
                                          Grads& grads) requires(!ContextLike<Attention>) {
  const BlockValues<S>& v = trace.values;
  const HalfParams<T, S> ffn = ffn_half<T, S, Attention>(params);
  BranchBar<S> branch = through_gate<T, S>(
      ffn, {v.ffn_branch, dot.ffn_branch, bar.output, delta.output}, work, grads.ffn_half.gate);
  pull(params.matrices.ffn_out, branch.bar, bar.ffn_hidden);
  SwigluGate<T, S>::second_order({}, {v.ffn_pair}, dot.ffn_pair, delta.ffn_hidden, bar.ffn_hidden,
                                 work.pair_bar, Write::kReplace, nullptr,
                                 {work.ffn_hidden, work.ffn_hidden_dot, work.pair_delta});
  add_products<T, S>(grads.weights.ffn_out, branch.bar, work.ffn_hidden, branch.delta,
                     work.ffn_hidden_dot);
  pull<T, S>(params.matrices.ffn_in, work.pair_bar, bar.ffn_normed);
  NormGrads<T, S> ffn_norm(&grads.ffn_half);
  RmsNorm<T, S>::second_order_to_stream(ffn.norm(), trace.ffn_norm, dot.middle, delta.ffn_normed,
                                        bar.ffn_normed, {descent.sum.data, true, bar.middle.data},
                                        ffn_norm.get(), work.normed, work.normed_dot);
  add_products<T, S>(grads.weights.ffn_in, work.pair_bar, work.normed, work.pair_delta,
                     work.normed_dot);

  const HalfParams<T, S> attention = attention_half<T, S, Attention>(params);
  branch = through_gate<T, S>(attention,
                              {v.attention_branch, dot.attention_branch, bar.middle, delta.middle},
                              work, grads.attention_half.gate);
  pull(params.matrices.attention_out, branch.bar, bar.attended);
  add_products<T, S>(grads.weights.attention_out, branch.bar, v.attended, branch.delta,
                     dot.attended);
  Attention::second_order(params.attention, trace.attention, dot.qkv, delta.attended, bar.attended,
                          bar.qkv, Write::kReplace, &grads.attention);
  Rotary<T, S>::vjp(params.rotary, {}, bar.qkv, bar.qkv, Write::kReplace, nullptr);
  pull<T, S>(params.matrices.qkv, bar.qkv, bar.normed);
  NormGrads<T, S> attention_norm(&grads.attention_half);
  RmsNorm<T, S>::second_order_to_stream(attention.norm(), trace.attention_norm, dot.input,
                                        delta.normed, bar.normed,
                                        {descent.sum.data, true, descent.below.data},
                                        attention_norm.get(), work.normed, work.normed_dot);
  add_products<T, S>(grads.weights.qkv, bar.qkv, work.normed, delta.qkv, work.normed_dot);
}

// Member by member: clang 14 would instantiate those of the other kind of block too.
#define EBT_BLOCKS(T, S, Context, Prediction)                                                      \
  template struct BlockTrace<T, S>;                                                                \
  using Context = Block<T, S, ContextAttention<T, S>>;                                             \
  template void Context::forward(const Params&, Tensor<T>, BlockTrace<T, S>&,                      \
                                 const BlockWork<S>&);                                             \
  template void Context::forward_keys(const Params&, Tensor<const T>, BlockTrace<T, S>&,           \
                                      const BlockWork<S>&);                                        \
  template void Context::vjp_of_context(const Params&, const BlockTrace<T, S>&,                    \
                                        const BlockCotangents<S>&, Tensor<T>, const Descent&,      \
                                        const BlockWork<S>&, Grads&);                              \
  template void Context::vjp_of_keys(const Params&, const BlockTrace<T, S>&,                       \
                                     const BlockCotangents<S>&, Tensor<const T>, const Descent&,   \
                                     const BlockWork<S>&, Grads&);                                 \
  using Prediction = Block<T, S, PredictionAttention<T, S>>;                                       \
  template void Prediction::forward(const Params&, Tensor<T>, BlockTrace<T, S>&,                   \
                                    const BlockWork<S>&);                                          \
  template void Prediction::vjp(const Params&, const BlockTrace<T, S>&, const BlockCotangents<S>&, \
                                const Descent&, const BlockWork<S>&, Grads*);                      \
  template void Prediction::jvp(const Params&, Tensor<T>, BlockTrace<T, S>&,                       \
                                const BlockValues<S>&, const BlockWork<S>&);                       \
  template void Prediction::second_order(                                                          \
      const Params&, const BlockTrace<T, S>&, const BlockValues<S>&, const BlockCotangents<S>&,    \
      const BlockCotangents<S>&, const Descent&, const BlockWork<S>&, Grads&);
EBT_BLOCKS(float, float, ContextFloat, PredictionFloat)
EBT_BLOCKS(float, Bfloat16, ContextBf16, PredictionBf16)
EBT_BLOCKS(double, double, ContextDouble, PredictionDouble)
#undef EBT_BLOCKS
#define EBT_STORED(S)                 \
  template struct BlockValues<S>;     \
  template struct BlockCotangents<S>; \
  template struct BlockWork<S>;
EBT_STORED(float)
EBT_STORED(Bfloat16)
EBT_STORED(double)
#undef EBT_STORED

}  // namespace ebt
