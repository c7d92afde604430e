// Blocks of images against nested dual numbers: with one condition for all images, and with one for
// each.
#include <gtest/gtest.h>

#include <array>

#include "ebt/model/block.h"
#include "tests/support/block_layer.h"
#include "tests/support/layer_contract.h"

namespace ebt::testing {
namespace {

// Rows of four draws may be nearly constant: a norm of such a row would magnify roundings.
constexpr double kEps = 0.5;

// Weights and biases of the four projections in turn, then the vectors of the conditions.
struct ImageBlockCase : LayerCase {
  template <class T>
  using Layer = BlockLayer<T, BidirectionalAttention<T>, ImageStyle>;
  static constexpr double kSinglePrecision = kSingleBoundOfBlocks;
  static constexpr bool kSecondOrderWithoutGrads = false;
  int64_t batch, tokens, heads, head_width, ffn, conditions;

  static std::vector<ImageBlockCase> all() {
    std::vector<ImageBlockCase> cases;
    for (const auto& [b, t, h, d, f, g] :
         std::vector<std::array<int64_t, 6>>{{2, 3, 2, 2, 5, 1},
                                             {2, 3, 2, 2, 3, 2},
                                             {1, 1, 1, 4, 1, 1},
                                             {3, 4, 1, 4, 6, 3},
                                             {0, 2, 1, 4, 2, 1},
                                             {1, 67, 2, 2, 3, 1}}) {
      ImageBlockCase layer;
      layer.batch = b;
      layer.tokens = t;
      layer.heads = h;
      layer.head_width = d;
      layer.ffn = f;
      layer.conditions = g;
      cases.push_back(layer);
    }
    return cases;
  }
  int64_t width() const { return heads * head_width; }
  Shape x_shape() const { return {batch, tokens, width()}; }
  Shape y_shape() const { return x_shape(); }
  std::vector<Shape> parameters() const {
    const int64_t w = width();
    return {{3 * w, w}, {3 * w}, {w, w}, {w}, {ffn, w}, {ffn}, {w, ffn}, {w}, {conditions, 6 * w}};
  }
  template <class Saved>
  void prepare(Arena& arena, Saved& saved) const {
    ImageModelConfig config;
    config.width = width();
    config.heads = heads;
    config.ffn_multiplier = (static_cast<double>(ffn) + 0.5) / static_cast<double>(width());
    take_block(arena, config, batch, tokens, saved);
  }
  // Shift, gain and gate of half 0 or 1.
  template <class P>
  HalfModulation<P> half(const Tensors<P>& theta, int64_t which) const {
    const kernels::Matrix<P> all(theta[8]);
    const auto part = [&](int64_t i) {
      return all.columns_from((3 * which + i) * width(), width());
    };
    return {part(1), part(0), part(2)};
  }
  template <class T>
  typename Layer<T>::Params params(const Tensors<const T>& theta) const {
    return {{theta[0], theta[2], theta[4], theta[6], {}},
            half(theta, 0),
            half(theta, 1),
            {},
            {heads},
            static_cast<T>(kEps),
            {theta[1], theta[3], theta[5], theta[7]}};
  }
  template <class T>
  typename Layer<T>::Grads grads(const Tensors<T>& theta_bar) const {
    BlockWeights<T> weights;
    weights.qkv = theta_bar[0];
    weights.attention_out = theta_bar[2];
    weights.ffn_in = theta_bar[4];
    weights.ffn_out = theta_bar[6];
    weights.biases = {theta_bar[1], theta_bar[3], theta_bar[5], theta_bar[7]};
    return {weights, half(theta_bar, 0), half(theta_bar, 1), {}};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& theta) const {
    const auto vectors = [&](int64_t which) {
      Array<S> part({conditions, width()});
      for (int64_t g = 0; g < conditions; ++g) {
        for (int64_t i = 0; i < width(); ++i) {
          part(g, i) = theta[8](g, which * width() + i);
        }
      }
      return part;
    };
    const auto plus = [](Array<S> a, const Array<S>& b) {
      for (size_t i = 0; i < a.values.size(); ++i) {
        a.values[i] += b.values[i];
      }
      return a;
    };
    const Array<S> shift = vectors(0);
    const Array<S> normed = reference::layer_norm(x, vectors(1), &shift, kEps);
    const Array<S> attended =
        reference::bidirectional_attention(reference::linear(normed, theta[0], &theta[1]), heads);
    const Array<S> middle =
        plus(x, reference::gate(reference::linear(attended, theta[2], &theta[3]), vectors(2)));
    const Array<S> ffn_shift = vectors(3);
    const Array<S> hidden = reference::gelu(reference::linear(
        reference::layer_norm(middle, vectors(4), &ffn_shift, kEps), theta[4], &theta[5]));
    return plus(middle,
                reference::gate(reference::linear(hidden, theta[6], &theta[7]), vectors(5)));
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(ImageBlock, LayerContract, ImageBlockCase);

}  // namespace
}  // namespace ebt::testing
