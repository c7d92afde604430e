#include "ebt/core/tensor.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

TEST(Shape, CountsAndPrintsItsExtents) {
  const Shape shape{2, 3, 4};
  EXPECT_EQ(shape.rank(), 3);
  EXPECT_EQ(shape.count(), 24);
  EXPECT_EQ(shape.to_string(), "(2,3,4)");
  EXPECT_EQ(Shape().count(), 1);
  EXPECT_EQ(Shape().to_string(), "()");
  EXPECT_EQ((Shape{5, 0}.count()), 0);
}

TEST(Shape, ShapesOfOneCountDiffer) {
  EXPECT_EQ((Shape{2, 3}), (Shape{2, 3}));
  EXPECT_NE((Shape{2, 3}), (Shape{3, 2}));
  EXPECT_NE((Shape{6}), (Shape{6, 1}));
}

TEST(Shape, RefusesNegativeExtentsAndTooManyAxes) {
  EXPECT_EQ(error_text([] { Shape({2, -1}); }), "tensor: negative extent -1");
  EXPECT_EQ(error_text([] { Shape({1, 1, 1, 1, 1}); }), "tensor: rank 5 is above 4");
}

TEST(Tensor, AnEmptyViewMeansAbsent) {
  float value = 0;
  EXPECT_FALSE(Tensor<float>());
  EXPECT_TRUE((Tensor<float>{&value, {1}}));
}

TEST(Tensor, SlicesRowsOfTheSlowestAxis) {
  std::vector<int> values(24);
  std::iota(values.begin(), values.end(), 0);
  for (const Shape& shape : {Shape{24}, Shape{4, 6}, Shape{4, 3, 2}, Shape{4, 3, 2, 1}}) {
    const Tensor<int> tensor{values.data(), shape};
    const int64_t row = 24 / shape[0];
    const Tensor<int> middle = tensor.slice(1, 2);
    EXPECT_EQ(middle.shape.rank(), shape.rank());
    EXPECT_EQ(middle.dim(0), 2);
    EXPECT_EQ(middle.count(), 2 * row);
    EXPECT_EQ(middle[0], row);
    EXPECT_EQ(tensor.slice(shape[0], 0).count(), 0);
  }
}

TEST(Tensor, NamesTheRowsThatASliceLacks) {
  std::vector<int> values(6);
  const Tensor<int> tensor{values.data(), {3, 2}};
  EXPECT_EQ(error_text([&] { tensor.slice(2, 2); }), "tensor: rows 2..4 are outside (3,2)");
  EXPECT_EQ(error_text([&] { tensor.slice(-1, 1); }), "tensor: rows -1..0 are outside (3,2)");
}

TEST(Tensor, ReshapesToAnEqualCountOnly) {
  std::vector<int> values(6);
  const Tensor<int> tensor{values.data(), {3, 2}};
  EXPECT_EQ(tensor.reshape({6}).data, values.data());
  EXPECT_EQ(error_text([&] { tensor.reshape({4}); }), "tensor: cannot view (3,2) as (4)");
}

TEST(Tensor, AViewOfConstantsSeesTheSameElements) {
  std::vector<int> values{1, 2};
  const Tensor<const int> view = Tensor<int>{values.data(), {2}};
  values[1] = 7;
  EXPECT_EQ(view[1], 7);
}

}  // namespace
}  // namespace ebt
