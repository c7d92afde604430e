#include "ebt/layers/patch_embedding.h"

#include <gtest/gtest.h>

#include "tests/support/layer_contract.h"

namespace ebt::testing {
namespace {

struct PatchEmbeddingCase : LayerCase {
  template <class T>
  using Layer = PatchEmbedding<T>;
  Shape image;
  int64_t patch, width;

  PatchEmbeddingCase(Shape x, int64_t p, int64_t d) : image(x), patch(p), width(d) {}
  // Squares, oblongs, one patch, single pixels, and no images.
  static std::vector<PatchEmbeddingCase> all() {
    return {{{2, 3, 4, 4}, 2, 4}, {{1, 1, 3, 6}, 3, 8},  {{1, 2, 5, 5}, 5, 4}, {{2, 1, 2, 3}, 1, 4},
            {{0, 3, 4, 4}, 2, 4}, {{1, 3, 8, 4}, 4, 12}, {{3, 3, 6, 2}, 2, 20}};
  }
  int64_t patches() const { return image[2] / patch * (image[3] / patch); }
  Shape x_shape() const { return image; }
  Shape y_shape() const { return {image[0], patches(), width}; }
  std::vector<Shape> parameters() const { return {{width, image[1], patch, patch}, {width}}; }
  std::vector<Shape> constants() const { return {{patches(), width}}; }
  template <class Saved>
  void prepare(Arena& arena, Saved& saved) const {
    using T = std::remove_reference_t<decltype(saved.patches[0])>;
    saved = PatchEmbedding<T>::take(arena, image[0] * patches(), image[1] * patch * patch);
  }
  template <class T>
  typename PatchEmbedding<T>::Params params(const Tensors<const T>& theta) const {
    return {patch, theta[0], theta[1], theta[2]};
  }
  template <class T>
  typename PatchEmbedding<T>::Grads grads(const Tensors<T>& theta_bar) const {
    return {theta_bar[0], theta_bar[1]};
  }
  template <class S>
  Array<S> reference(const Array<S>& x, const Arrays<S>& theta) const {
    return reference::patch_embedding(x, theta[0], theta[1], theta[2]);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(PatchEmbedding, LayerContract, PatchEmbeddingCase);

TEST(PatchEmbedding, NamesWhatDoesNotFit) {
  std::vector<double> values(64);
  PatchEmbedding<double>::Saved saved;
  EXPECT_EQ(error_text([&] {
              PatchEmbedding<double>::forward({3, {}, {}, {}}, {values.data(), {1, 3, 4, 4}},
                                              {values.data(), {1, 1, 4}}, saved);
            }),
            "patch embedding: x is (1,3,4,4), which is not made of patches of 3 by 3");
}

// Columns in the first half of the channels, rows in the second; sines, then cosines.
TEST(ImagePositions, EncodeColumnsThenRows) {
  std::vector<double> values(2 * 3 * 8);
  image_positions<double>(2, 3, {values.data(), {6, 8}});
  const auto row = [&](int64_t t) {
    return std::vector<double>(values.begin() + t * 8, values.begin() + (t + 1) * 8);
  };
  EXPECT_EQ(row(0), (std::vector<double>{0, 0, 1, 1, 0, 0, 1, 1}));
  const auto f = [](double x) { return static_cast<double>(static_cast<float>(x)); };
  EXPECT_EQ(row(5), (std::vector<double>{f(std::sin(2.0)), f(std::sin(0.02)), f(std::cos(2.0)),
                                         f(std::cos(0.02)), f(std::sin(1.0)), f(std::sin(0.01)),
                                         f(std::cos(1.0)), f(std::cos(0.01))}));
}

}  // namespace
}  // namespace ebt::testing
