// A block under the contract of a layer: the second-order sweep of a composition of layers is held
// against nested dual numbers just as the layers are.
#include "ebt/model/block.h"

#include <gtest/gtest.h>

#include "tests/support/layer_contract.h"
#include "tests/support/model_reference.h"

namespace ebt::testing {
namespace {

constexpr double kTheta = 50.0;
constexpr double kEps = 1e-2;

template <class T>
void copy(Tensor<const T> from, Tensor<T> to) {
  EBT_CHECK(from.shape == to.shape, "block: {} is not {}", from.shape.to_string(),
            to.shape.to_string());
  std::copy(from.begin(), from.end(), to.begin());
}

template <class T, class Attention>
struct BlockLayer {
  using Scalar = T;
  using Params = typename Block<T, Attention>::Params;
  using Grads = typename Block<T, Attention>::Grads;
  struct Saved {
    BlockTrace<T> trace;
    BlockValues<T> dot, delta, bar;
  };

  static void forward(const Params& params, Tensor<const T> x, Tensor<T> y, Saved& saved) {
    copy(x, saved.trace.values.input);
    Block<T, Attention>::forward(params, saved.trace);
    copy<T>(saved.trace.values.output, y);
  }
  static void vjp(const Params& params, const Saved& saved, Tensor<const T> y_bar, Tensor<T> x_bar,
                  Write write, Grads* grads) {
    copy(y_bar, saved.bar.output);
    Block<T, Attention>::vjp(params, saved.trace, saved.bar, Write::kReplace, grads);
    give(saved.bar.input, x_bar, write);
  }
  static void jvp(const Params& params, Saved& saved, Tensor<const T> x_dot, Tensor<T> y_dot) {
    copy(x_dot, saved.dot.input);
    Block<T, Attention>::jvp(params, saved.trace, saved.dot);
    copy<T>(saved.dot.output, y_dot);
  }
  static void vjp_of_jvp(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                         Tensor<const T> delta, Tensor<T> x_bar, Write write, Grads* grads) {
    const std::vector<T> zeros(static_cast<size_t>(delta.count()), T(0));
    second_order(params, saved, x_dot, delta, {zeros.data(), delta.shape}, x_bar, write, grads);
  }
  static void second_order(const Params& params, const Saved& saved, Tensor<const T> x_dot,
                           Tensor<const T> delta, Tensor<const T> y_bar, Tensor<T> x_bar,
                           Write write, Grads* grads) {
    copy(x_dot, saved.dot.input);
    copy(delta, saved.delta.output);
    copy(y_bar, saved.bar.output);
    Block<T, Attention>::vjp(params, saved.trace, saved.delta, Write::kReplace, nullptr);
    Block<T, Attention>::second_order(params, saved.trace, saved.dot, saved.delta, saved.bar,
                                      grads);
    give(saved.bar.input, x_bar, write);
  }

 private:
  static void give(Tensor<const T> value, Tensor<T> x_bar, Write write) {
    if (write == Write::kReplace) {
      copy(value, x_bar);
      return;
    }
    EBT_CHECK(x_bar.shape == value.shape, "block: x_bar is {}", x_bar.shape.to_string());
    for (int64_t i = 0; i < value.count(); ++i) {
      x_bar[i] += value[i];
    }
  }
};

// Sizes of a block, and its weights as the contract's flat list of parameters: the six of
// reference::BlockWeights, then the modulation if there is one.
struct BlockCase : LayerCase {
  static constexpr double kSinglePrecision = kSingleBoundOfBlocks;
  int64_t batch, tokens, heads, head_width, ffn, first_position;
  bool modulated;
  BothPrecisions<RotaryTable> rotary;

  BlockCase(int64_t b, int64_t s, int64_t h, int64_t d, int64_t f, int64_t first, bool adaln)
      : batch(b),
        tokens(s),
        heads(h),
        head_width(d),
        ffn(f),
        first_position(first),
        modulated(adaln),
        rotary(first + s, d, kTheta) {}
  int64_t width() const { return heads * head_width; }
  Shape x_shape() const { return {batch, tokens, width()}; }
  Shape y_shape() const { return x_shape(); }
  std::vector<Shape> parameters() const {
    const int64_t w = width();
    std::vector<Shape> shapes{{w}, {3 * w, w}, {w, w}, {w}, {2 * ffn, w}, {w, ffn}};
    if (modulated) {
      shapes.push_back({6 * w});
    }
    return shapes;
  }
  template <class Saved>
  void prepare(Arena& arena, Saved& saved) const {
    using Values = std::remove_reference_t<decltype(saved.dot)>;
    using T = std::remove_reference_t<decltype(saved.dot.input[0])>;
    ModelConfig config;
    config.type = modulated ? EbtType::kAdaln : EbtType::kDefault;
    config.width = width();
    config.heads = heads;
    config.ffn_multiplier = static_cast<double>(ffn) / static_cast<double>(width());
    const auto take = [&] {
      Values values = Values::take(arena, config, batch, tokens);
      values.input = arena.take<T>(x_shape());
      return values;
    };
    saved.trace = BlockTrace<T>::take(arena, config, batch, tokens, take());
    saved.dot = take();
    saved.delta = take();
    saved.bar = take();
  }
  template <class P>
  static ebt::BlockWeights<P> weights(const Tensors<P>& theta) {
    return {theta[0], theta[1], theta[2], theta[3], theta[4], theta[5]};
  }
  template <class P>
  Tensor<P> modulation(const Tensors<P>& theta) const {
    return modulated ? theta[6] : Tensor<P>{};
  }
  template <class S, class Attend>
  Array<S> reference_block(const Array<S>& x, const Arrays<S>& theta, Attend&& attend) const {
    reference::BlockWeights<S> weights{theta[0],
                                       theta[1],
                                       theta[2],
                                       theta[3],
                                       theta[4],
                                       theta[5],
                                       modulated ? theta[6] : Array<S>(),
                                       kEps};
    return reference::block(x, weights, [&](const Array<S>& qkv) {
      return attend(reference::rotary(qkv, heads, first_position, kTheta));
    });
  }
};

struct ContextBlockCase : BlockCase {
  template <class T>
  using Layer = BlockLayer<T, ContextAttention<T>>;
  using BlockCase::BlockCase;

  static std::vector<ContextBlockCase> all() {
    return {{2, 3, 2, 2, 3, 0, false},
            {2, 3, 2, 2, 5, 0, true},
            {1, 1, 1, 2, 1, 0, true},
            {0, 2, 1, 2, 2, 0, false},
            {1, 67, 1, 4, 3, 0, false}};
  }
  template <class T>
  typename Layer<T>::Params params(const Tensors<const T>& theta) const {
    return {weights(theta),
            rotary.in<T>().stream(heads, first_position, tokens),
            {heads},
            modulation(theta),
            static_cast<T>(kEps)};
  }
  template <class T>
  typename Layer<T>::Grads grads(const Tensors<T>& theta_bar) const {
    return {weights(theta_bar), {}, modulation(theta_bar)};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& theta) const {
    return reference_block(
        x, theta, [&](const Array<S>& qkv) { return reference::context_attention(qkv, heads); });
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(ContextBlock, LayerContract, ContextBlockCase);

struct PredictionBlockCase : BlockCase {
  template <class T>
  using Layer = BlockLayer<T, PredictionAttention<T>>;
  static constexpr bool kSecondOrderWithoutGrads = false;
  int64_t lead, first_query;

  PredictionBlockCase(int64_t b, int64_t q, int64_t h, int64_t d, int64_t f, int64_t l,
                      int64_t first, bool adaln)
      : BlockCase(b, q, h, d, f, first + l + 1, adaln), lead(l), first_query(first) {}
  static std::vector<PredictionBlockCase> all() {
    return {{2, 3, 2, 2, 3, 0, 0, false}, {2, 3, 2, 2, 3, 1, 0, true},
            {1, 1, 1, 2, 1, 0, 0, true},  {1, 2, 1, 4, 2, 1, 3, false},
            {2, 0, 1, 2, 2, 0, 0, true},  {1, 67, 1, 4, 3, 0, 0, true}};
  }
  std::vector<Shape> parameters() const {
    std::vector<Shape> shapes = BlockCase::parameters();
    shapes.push_back({batch, first_query + lead + tokens, 3 * width()});
    return shapes;
  }
  template <class T>
  typename Layer<T>::Params params(const Tensors<const T>& theta) const {
    return {weights(theta),
            rotary.in<T>().stream(heads, first_position, tokens),
            {heads, theta.back(), lead, first_query},
            modulation(theta),
            static_cast<T>(kEps)};
  }
  template <class T>
  typename Layer<T>::Grads grads(const Tensors<T>& theta_bar) const {
    return {weights(theta_bar), {theta_bar.back()}, modulation(theta_bar)};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& theta) const {
    return reference_block(x, theta, [&](const Array<S>& qkv) {
      return reference::prediction_attention(qkv, theta.back(), heads, lead, first_query);
    });
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(PredictionBlock, LayerContract, PredictionBlockCase);

}  // namespace
}  // namespace ebt::testing
