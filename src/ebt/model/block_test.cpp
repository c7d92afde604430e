// A block under the contract of a layer: the second-order sweep of a composition of layers is held
// against nested dual numbers just as the layers are.
#include "ebt/model/block.h"

#include <gtest/gtest.h>

#include "tests/support/block_layer.h"
#include "tests/support/layer_contract.h"
#include "tests/support/model_reference.h"

namespace ebt::testing {
namespace {

constexpr double kTheta = 50.0;
constexpr double kEps = 1e-2;

// Sizes of a block, and its weights as the contract's flat list of parameters: the six of
// reference::BlockWeights, whose norms are the gains, then shift and gate of both halves if there
// are any.
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
    for (int i = 0; i < 4 && modulated; ++i) {
      shapes.push_back({w});
    }
    return shapes;
  }
  template <class Saved>
  void prepare(Arena& arena, Saved& saved) const {
    TextModelConfig config;
    config.type = modulated ? EbtType::kAdaln : EbtType::kDefault;
    config.width = width();
    config.heads = heads;
    config.ffn_multiplier = static_cast<double>(ffn) / static_cast<double>(width());
    take_block(arena, config, batch, tokens, saved);
  }
  template <class T>
  static BlockMatrices<kernels::WeightMatrix<T>> matrices(const Tensors<const T>& theta) {
    return {theta[1], theta[2], theta[4], theta[5], {}};
  }
  template <class P>
  static BlockWeights<P> weight_grads(const Tensors<P>& theta_bar) {
    return {theta_bar[0], theta_bar[1], theta_bar[2], theta_bar[3], theta_bar[4], theta_bar[5], {}};
  }
  // Half 0 or 1.
  template <class P>
  HalfModulation<P> half(const Tensors<P>& theta, size_t which) const {
    return modulated
               ? HalfModulation<P>{theta[3 * which], theta[6 + 2 * which], theta[7 + 2 * which]}
               : HalfModulation<P>{theta[3 * which], {}, {}};
  }
  // Shift, scale (which the gains already hold) and gate of both halves, as the reference takes
  // them.
  template <class S>
  Array<S> modulation(const Arrays<S>& theta) const {
    if (!modulated) {
      return {};
    }
    Array<S> all({6 * width()});
    const auto put = [&](const Array<S>& vector, int64_t part) {
      std::copy(vector.values.begin(), vector.values.end(), all.values.begin() + part * width());
    };
    put(theta[6], 0);
    put(theta[7], 2);
    put(theta[8], 3);
    put(theta[9], 5);
    return all;
  }
  template <class S>
  Array<S> rotated(const Array<S>& qkv) const {
    return reference::rotary(qkv, heads, first_position, kTheta);
  }
  template <class S, class Attend>
  Array<S> reference_block(const Array<S>& x, const Arrays<S>& theta, Attend&& attend) const {
    return reference::block(
        x, {theta[0], theta[1], theta[2], theta[3], theta[4], theta[5], modulation(theta), kEps},
        attend);
  }
};

struct PredictionBlockCase : BlockCase {
  template <class T>
  using Layer = BlockLayer<T, PredictionAttention<T>, TextStyle>;
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
  std::vector<Shape> gradients() const {
    std::vector<Shape> shapes = parameters();
    shapes.back() = {batch, first_query + lead + tokens, 2 * width()};
    return shapes;
  }
  size_t differentiated_entry(size_t which, size_t index) const {
    return which == parameters().size() ? entry_of_context(index, width()) : index;
  }
  template <class T>
  typename Layer<T>::Params params(const Tensors<const T>& theta) const {
    return {matrices(theta),
            half(theta, 0),
            half(theta, 1),
            rotary.in<T>().stream(heads, first_position, tokens),
            {heads, theta.back(), lead, first_query, 0},
            static_cast<T>(kEps)};
  }
  template <class T>
  typename Layer<T>::Grads grads(const Tensors<T>& theta_bar) const {
    return {weight_grads(theta_bar), half(theta_bar, 0), half(theta_bar, 1), {theta_bar.back()}};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& theta) const {
    return reference_block(x, theta, [&](const Array<S>& qkv) {
      return reference::prediction_attention(rotated(qkv), theta.back(), heads, lead, first_query);
    });
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(PredictionBlock, LayerContract, PredictionBlockCase);

// Whose tokens all see each other, with rotary positions or, `positions` being false, without any.
struct BidirectionalBlockCase : BlockCase {
  template <class T>
  using Layer = BlockLayer<T, BidirectionalAttention<T>, TextStyle>;
  static constexpr bool kSecondOrderWithoutGrads = false;
  bool positions;

  BidirectionalBlockCase(int64_t b, int64_t s, int64_t h, int64_t d, int64_t f, bool p, bool adaln)
      : BlockCase(b, s, h, d, f, 0, adaln), positions(p) {}
  static std::vector<BidirectionalBlockCase> all() {
    return {{2, 3, 2, 2, 3, true, false}, {2, 3, 2, 2, 3, false, false},
            {2, 3, 2, 2, 3, true, true},  {1, 1, 1, 4, 1, false, true},
            {0, 2, 1, 2, 2, true, false}, {1, 67, 1, 4, 3, true, false}};
  }
  template <class T>
  typename Layer<T>::Params params(const Tensors<const T>& theta) const {
    return {
        matrices(theta), half(theta, 0),
        half(theta, 1),  positions ? rotary.in<T>().stream(heads, 0, tokens) : RotaryParams<T>{},
        {heads},         static_cast<T>(kEps)};
  }
  template <class T>
  typename Layer<T>::Grads grads(const Tensors<T>& theta_bar) const {
    return {weight_grads(theta_bar), half(theta_bar, 0), half(theta_bar, 1), {}};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& theta) const {
    return reference_block(x, theta, [&](const Array<S>& qkv) {
      return reference::bidirectional_attention(positions ? rotated(qkv) : qkv, heads);
    });
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(BidirectionalBlock, LayerContract, BidirectionalBlockCase);

}  // namespace
}  // namespace ebt::testing
