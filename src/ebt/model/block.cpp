#include "ebt/model/block.h"

#include <string>

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/isa.h"

namespace ebt {
namespace {

std::string prefix(int64_t layer) { return "transformer.layers." + std::to_string(layer) + "."; }

template <class T>
void copy(Tensor<const T> from, Tensor<T> to) {
  kernels::kernels<kernels::ElementwiseKernels<T>>().copy(from.count(), from.data, to.data);
}
template <class T>
void add(Tensor<const T> from, Tensor<T> to) {
  kernels::kernels<kernels::ElementwiseKernels<T>>().add(from.count(), T(1), from.data, to.data);
}

// The sixth of the landscape vector that plays one part.
enum Part { kShift = 0, kScale = 1, kGate = 2 };
template <class T>
Tensor<T> modulation_part(Tensor<T> modulation, int half, Part part) {
  if (!modulation) {
    return {};
  }
  const int64_t width = modulation.count() / 6;
  return modulation.slice((3 * half + part) * width, width);
}

// The layers of a block and what they saved, assembled from params and trace: both halves have the
// same outline, so each rule below is written once over `Half`.
template <class T, class Attention>
struct Parts {
  using Params = typename Block<T, Attention>::Params;
  using Grads = typename Block<T, Attention>::Grads;

  const Params& params;

  typename RmsNorm<T>::Params norm(int half) const {
    return {half == 0 ? params.weights.attention_norm : params.weights.ffn_norm, params.norm_eps};
  }
  typename Modulation<T>::Params modulation(int half) const {
    return {modulation_part(params.modulation, half, kShift),
            modulation_part(params.modulation, half, kScale)};
  }
  typename Gate<T>::Params gate(int half) const {
    return {modulation_part(params.modulation, half, kGate)};
  }
  bool modulated() const { return static_cast<bool>(params.modulation); }
};

template <class T>
struct Half {
  Tensor<T> input, normed, modulated, branch, output;
};
template <class T>
Half<T> half_of(const BlockValues<T>& v, int half) {
  return half == 0 ? Half<T>{v.input, v.normed, v.modulated, v.attention_branch, v.middle}
                   : Half<T>{v.middle, v.ffn_normed, v.ffn_modulated, v.ffn_branch, v.output};
}

// input -> norm -> modulated
template <class T, class Attention>
void enter_forward(const Parts<T, Attention>& parts, int half, const Half<T>& v,
                   typename RmsNorm<T>::Saved& norm) {
  RmsNorm<T>::forward(parts.norm(half), v.input, v.normed, norm);
  if (parts.modulated()) {
    typename Modulation<T>::Saved unused;
    Modulation<T>::forward(parts.modulation(half), v.normed, v.modulated, unused);
  }
}
template <class T, class Attention>
void enter_jvp(const Parts<T, Attention>& parts, int half, const Half<T>& dot,
               const typename RmsNorm<T>::Saved& norm) {
  RmsNorm<T>::jvp(parts.norm(half), norm, dot.input, dot.normed);
  if (parts.modulated()) {
    Modulation<T>::jvp(parts.modulation(half), {}, dot.normed, dot.modulated);
  }
}

// The last projection of a half, into the residual stream: output = input + gate (x W^T).
template <class T, class Attention>
void leave_forward(const Parts<T, Attention>& parts, int half, Tensor<const T> weight,
                   Tensor<const T> x, const Half<T>& v) {
  typename Linear<T>::Saved unused;
  if (!parts.modulated()) {
    copy<T>(v.input, v.output);
    Linear<T>::forward({weight, {}}, x, v.output, unused, Write::kAdd);
    return;
  }
  typename Gate<T>::Saved gate_unused;
  Linear<T>::forward({weight, {}}, x, v.branch, unused);
  Gate<T>::forward(parts.gate(half), v.branch, v.output, gate_unused);
  add<T>(v.input, v.output);
}
template <class T, class Attention>
void leave_jvp(const Parts<T, Attention>& parts, int half, Tensor<const T> weight,
               Tensor<const T> x_dot, const Half<T>& dot) {
  if (!parts.modulated()) {
    copy<T>(dot.input, dot.output);
    Linear<T>::jvp({weight, {}}, {}, x_dot, dot.output, Write::kAdd);
    return;
  }
  Linear<T>::jvp({weight, {}}, {}, x_dot, dot.branch);
  Gate<T>::jvp(parts.gate(half), {}, dot.branch, dot.output);
  add<T>(dot.input, dot.output);
}

// One point of the sweep downward. `dot` and `delta` are absent in an ordinary vjp.
template <class T>
struct Downward {
  const BlockValues<T>& values;
  const BlockValues<T>& bar;
  const BlockValues<T>* dot = nullptr;
  const BlockValues<T>* delta = nullptr;
};

// x_bar from y_bar through one layer: second order if there are tangents, else vjp.
template <class L, class T>
void down(const typename L::Params& params, const typename L::Saved& saved, Tensor<const T> x_dot,
          Tensor<const T> delta, Tensor<const T> y_bar, Tensor<T> x_bar, Write write,
          typename L::Grads* grads) {
  if (x_dot) {
    second_order<L>(params, saved, x_dot, delta, y_bar, x_bar, write, grads);
  } else {
    L::vjp(params, saved, y_bar, x_bar, write, grads);
  }
}

template <class T>
Tensor<const T> if_any(const BlockValues<T>* values, Tensor<T> BlockValues<T>::*point) {
  return values == nullptr ? Tensor<const T>{} : Tensor<const T>(values->*point);
}

template <class T, class Attention>
typename Gate<T>::Grads gate_grads(typename Block<T, Attention>::Grads& grads, int half) {
  return {modulation_part(grads.modulation, half, kGate)};
}

// From the cotangent of a half's output to that of its last projection's input.
template <class T, class Attention>
void leave_down(const Parts<T, Attention>& parts, int half, Tensor<const T> weight,
                Tensor<T> BlockValues<T>::*x, const Downward<T>& d,
                typename Block<T, Attention>::Grads* grads) {
  const Half<T> v = half_of(d.values, half);
  const Half<T> bar = half_of(d.bar, half);
  const Half<T> dot = d.dot == nullptr ? Half<T>{} : half_of(*d.dot, half);
  const Half<T> delta = d.delta == nullptr ? Half<T>{} : half_of(*d.delta, half);
  Tensor<const T> branch_bar = bar.output;
  Tensor<const T> branch_delta = delta.output;
  if (parts.modulated()) {
    typename Gate<T>::Grads gate;
    if (grads != nullptr) {
      gate = gate_grads<T, Attention>(*grads, half);
    }
    down<Gate<T>, T>(parts.gate(half), {v.branch}, dot.branch, delta.output, bar.output, bar.branch,
                     Write::kReplace, grads == nullptr ? nullptr : &gate);
    branch_bar = bar.branch;
    branch_delta = delta.branch;
  }
  typename Linear<T>::Grads linear;
  if (grads != nullptr) {
    linear.weight = half == 0 ? grads->weights.attention_out : grads->weights.ffn_out;
  }
  down<Linear<T>, T>({weight, {}}, {d.values.*x}, if_any(d.dot, x), branch_delta, branch_bar,
                     d.bar.*x, Write::kReplace, grads == nullptr ? nullptr : &linear);
}

// From the cotangent of a half's first projection to that of its input, which also receives the
// residual stream's.
template <class T, class Attention>
void enter_down(const Parts<T, Attention>& parts, int half, Write input_write,
                const typename RmsNorm<T>::Saved& norm, const Downward<T>& d,
                typename Block<T, Attention>::Grads* grads) {
  const Half<T> v = half_of(d.values, half);
  const Half<T> bar = half_of(d.bar, half);
  const Half<T> dot = d.dot == nullptr ? Half<T>{} : half_of(*d.dot, half);
  const Half<T> delta = d.delta == nullptr ? Half<T>{} : half_of(*d.delta, half);
  if (parts.modulated()) {
    typename Modulation<T>::Grads modulation;
    if (grads != nullptr) {
      modulation = {modulation_part(grads->modulation, half, kShift),
                    modulation_part(grads->modulation, half, kScale)};
    }
    down<Modulation<T>, T>(parts.modulation(half), {v.normed}, dot.normed, delta.modulated,
                           bar.modulated, bar.normed, Write::kReplace,
                           grads == nullptr ? nullptr : &modulation);
  }
  typename RmsNorm<T>::Grads weight;
  if (grads != nullptr) {
    weight.weight = half == 0 ? grads->weights.attention_norm : grads->weights.ffn_norm;
  }
  down<RmsNorm<T>, T>(parts.norm(half), norm, dot.input, delta.normed, bar.normed, bar.input,
                      input_write, grads == nullptr ? nullptr : &weight);
}

template <class T, class Attention>
void attend_down(const typename Block<T, Attention>::Params& params, const AttentionSaved<T>& saved,
                 const Downward<T>& d, Write qkv_write,
                 typename Block<T, Attention>::Grads* grads) {
  typename Attention::Grads* context = grads == nullptr ? nullptr : &grads->attention;
  if (d.dot == nullptr) {
    Attention::vjp(params.attention, saved, d.bar.attended, d.bar.qkv, qkv_write, context);
  } else if constexpr (requires { Attention::second_order; }) {
    Attention::second_order(params.attention, saved, d.dot->qkv, d.delta->attended, d.bar.attended,
                            d.bar.qkv, qkv_write, context);
  } else {
    second_order<Attention>(params.attention, saved, d.dot->qkv, d.delta->attended, d.bar.attended,
                            d.bar.qkv, qkv_write, context);
  }
}

// The whole walk from bar.output to bar.input.
template <class T, class Attention>
void walk_down(const typename Block<T, Attention>::Params& params, const BlockTrace<T>& trace,
               const Downward<T>& d, Write qkv_write, typename Block<T, Attention>::Grads* grads) {
  const Parts<T, Attention> parts{params};
  leave_down(parts, 1, params.weights.ffn_out, &BlockValues<T>::ffn_hidden, d, grads);
  down<SwigluGate<T>, T>({}, {d.values.ffn_pair}, if_any(d.dot, &BlockValues<T>::ffn_pair),
                         if_any(d.delta, &BlockValues<T>::ffn_hidden), d.bar.ffn_hidden,
                         d.bar.ffn_pair, Write::kReplace, nullptr);
  typename Linear<T>::Grads ffn_in;
  if (grads != nullptr) {
    ffn_in.weight = grads->weights.ffn_in;
  }
  down<Linear<T>, T>({params.weights.ffn_in, {}}, {d.values.ffn_modulated},
                     if_any(d.dot, &BlockValues<T>::ffn_modulated),
                     if_any(d.delta, &BlockValues<T>::ffn_pair), d.bar.ffn_pair,
                     d.bar.ffn_modulated, Write::kReplace, grads == nullptr ? nullptr : &ffn_in);
  copy<T>(d.bar.output, d.bar.middle);
  enter_down(parts, 1, Write::kAdd, trace.ffn_norm, d, grads);

  leave_down(parts, 0, params.weights.attention_out, &BlockValues<T>::attended, d, grads);
  attend_down<T, Attention>(params, trace.attention, d, qkv_write, grads);
  Rotary<T>::vjp(params.rotary, {}, d.bar.qkv, d.bar.qkv, Write::kReplace, nullptr);
  typename Linear<T>::Grads qkv;
  if (grads != nullptr) {
    qkv.weight = grads->weights.qkv;
  }
  down<Linear<T>, T>({params.weights.qkv, {}}, {d.values.modulated},
                     if_any(d.dot, &BlockValues<T>::modulated),
                     if_any(d.delta, &BlockValues<T>::qkv), d.bar.qkv, d.bar.modulated,
                     Write::kReplace, grads == nullptr ? nullptr : &qkv);
  copy<T>(d.bar.middle, d.bar.input);
  enter_down(parts, 0, Write::kAdd, trace.attention_norm, d, grads);
}

}  // namespace

void add_block_parameters(const ModelConfig& config, int64_t layer, ParameterLayout& layout) {
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
BlockWeights<P> block_weights(const ModelConfig& config, int64_t layer, Block& parameters) {
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

template <class T>
BlockValues<T> BlockValues<T>::take(Arena& arena, const ModelConfig& config, int64_t batch,
                                    int64_t tokens) {
  const int64_t width = config.width;
  const int64_t ffn = config.ffn_width();
  const Shape stream{batch, tokens, width};
  BlockValues v;
  v.normed = arena.take<T>(stream);
  v.qkv = arena.take<T>({batch, tokens, 3 * width});
  v.attended = arena.take<T>(stream);
  v.middle = arena.take<T>(stream);
  v.ffn_normed = arena.take<T>(stream);
  v.ffn_pair = arena.take<T>({batch, tokens, 2 * ffn});
  v.ffn_hidden = arena.take<T>({batch, tokens, ffn});
  v.output = arena.take<T>(stream);
  v.modulated = v.normed;
  v.ffn_modulated = v.ffn_normed;
  if (config.is_adaln()) {
    v.modulated = arena.take<T>(stream);
    v.ffn_modulated = arena.take<T>(stream);
    v.attention_branch = arena.take<T>(stream);
    v.ffn_branch = arena.take<T>(stream);
  }
  return v;
}

template <class T>
BlockTrace<T> BlockTrace<T>::take(Arena& arena, const ModelConfig& config, int64_t batch,
                                  int64_t tokens, const BlockValues<T>& values) {
  BlockTrace trace;
  trace.values = values;
  trace.attention_norm.inverse_rms = arena.take<T>({batch, tokens});
  trace.ffn_norm.inverse_rms = arena.take<T>({batch, tokens});
  trace.attention.log_sum = arena.take<T>({batch, tokens, config.heads});
  trace.attention.mean_dot = arena.take<T>({batch, tokens, config.heads});
  return trace;
}

template <class T, class Attention>
void Block<T, Attention>::forward(const Params& params, BlockTrace<T>& trace) {
  const Parts<T, Attention> parts{params};
  const BlockValues<T>& v = trace.values;
  typename Linear<T>::Saved unused;
  typename Rotary<T>::Saved rotary_unused;
  enter_forward(parts, 0, half_of(v, 0), trace.attention_norm);
  Linear<T>::forward({params.weights.qkv, {}}, v.modulated, v.qkv, unused);
  Rotary<T>::forward(params.rotary, v.qkv, v.qkv, rotary_unused);
  Attention::forward(params.attention, v.qkv, v.attended, trace.attention);
  leave_forward<T>(parts, 0, params.weights.attention_out, v.attended, half_of(v, 0));

  typename SwigluGate<T>::Saved gate_unused;
  enter_forward(parts, 1, half_of(v, 1), trace.ffn_norm);
  Linear<T>::forward({params.weights.ffn_in, {}}, v.ffn_modulated, v.ffn_pair, unused);
  SwigluGate<T>::forward({}, v.ffn_pair, v.ffn_hidden, gate_unused);
  leave_forward<T>(parts, 1, params.weights.ffn_out, v.ffn_hidden, half_of(v, 1));
}

template <class T, class Attention>
void Block<T, Attention>::forward_keys(const Params& params, BlockTrace<T>& trace) {
  const BlockValues<T>& v = trace.values;
  const int64_t width = v.normed.dim(2);
  enter_forward(Parts<T, Attention>{params}, 0, half_of(v, 0), trace.attention_norm);
  const kernels::Matrix<T> qkv(v.qkv);
  kernels::multiply_nt<T>(Tensor<const T>(v.modulated), params.weights.qkv.slice(width, 2 * width),
                          qkv.columns_from(width, 2 * width), Write::kReplace);
  typename Rotary<T>::Saved unused;
  Rotary<T>::forward(params.rotary, v.qkv, v.qkv, unused);
}

template <class T, class Attention>
void Block<T, Attention>::vjp(const Params& params, const BlockTrace<T>& trace,
                              const BlockValues<T>& bar, Write qkv_write, Grads* grads) {
  walk_down<T, Attention>(params, trace, {trace.values, bar}, qkv_write, grads);
}

template <class T, class Attention>
void Block<T, Attention>::vjp_keys(const Params& params, const BlockTrace<T>& trace,
                                   const BlockValues<T>& bar, Grads* grads) {
  const int64_t width = bar.input.dim(2);
  Rotary<T>::vjp(params.rotary, {}, bar.qkv, bar.qkv, Write::kReplace, nullptr);
  const auto keys_bar = kernels::Matrix<T>(bar.qkv).columns_from(width, 2 * width);
  kernels::multiply_nn<T>(keys_bar, params.weights.qkv.slice(width, 2 * width), bar.modulated,
                          Write::kReplace);
  if (grads != nullptr) {
    kernels::multiply_tn<T>(keys_bar, Tensor<const T>(trace.values.modulated),
                            grads->weights.qkv.slice(width, 2 * width), Write::kAdd);
  }
  enter_down(Parts<T, Attention>{params}, 0, Write::kReplace, trace.attention_norm,
             Downward<T>{trace.values, bar}, grads);
}

template <class T, class Attention>
void Block<T, Attention>::jvp(const Params& params, BlockTrace<T>& trace,
                              const BlockValues<T>& dot) {
  const Parts<T, Attention> parts{params};
  const BlockValues<T>& v = trace.values;
  enter_jvp(parts, 0, half_of(dot, 0), trace.attention_norm);
  Linear<T>::jvp({params.weights.qkv, {}}, {}, dot.modulated, dot.qkv);
  Rotary<T>::jvp(params.rotary, {}, dot.qkv, dot.qkv);
  Attention::jvp(params.attention, trace.attention, dot.qkv, dot.attended);
  leave_jvp<T>(parts, 0, params.weights.attention_out, dot.attended, half_of(dot, 0));

  enter_jvp(parts, 1, half_of(dot, 1), trace.ffn_norm);
  Linear<T>::jvp({params.weights.ffn_in, {}}, {}, dot.ffn_modulated, dot.ffn_pair);
  SwigluGate<T>::jvp({}, {v.ffn_pair}, dot.ffn_pair, dot.ffn_hidden);
  leave_jvp<T>(parts, 1, params.weights.ffn_out, dot.ffn_hidden, half_of(dot, 1));
}

template <class T, class Attention>
void Block<T, Attention>::second_order(const Params& params, const BlockTrace<T>& trace,
                                       const BlockValues<T>& dot, const BlockValues<T>& delta,
                                       const BlockValues<T>& bar, Grads* grads) {
  walk_down<T, Attention>(params, trace, {trace.values, bar, &dot, &delta}, Write::kReplace, grads);
}

#define EBT_INSTANTIATE(T)                                                                    \
  template struct BlockValues<T>;                                                             \
  template struct BlockTrace<T>;                                                              \
  template struct Block<T, ContextAttention<T>>;                                              \
  template struct Block<T, PredictionAttention<T>>;                                           \
  template BlockWeights<T> block_weights<T>(const ModelConfig&, int64_t, ParameterBlock<T>&); \
  template BlockWeights<const T> block_weights<const T>(const ModelConfig&, int64_t,          \
                                                        const ParameterBlock<T>&);
EBT_INSTANTIATE(float)
EBT_INSTANTIATE(double)
#undef EBT_INSTANTIATE

}  // namespace ebt
