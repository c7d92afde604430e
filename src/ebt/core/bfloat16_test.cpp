#include "ebt/core/bfloat16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace ebt {
namespace {

TEST(Bfloat16, RoundsToTheNearestAndTiesToEven) {
  EXPECT_EQ(static_cast<float>(Bfloat16(1.0F)), 1.0F);
  EXPECT_EQ(static_cast<float>(Bfloat16(1.0F + 0x1p-9F)), 1.0F);
  EXPECT_EQ(static_cast<float>(Bfloat16(1.0F + 0x1p-8F)), 1.0F);  // a tie: 1.0 is even
  EXPECT_EQ(static_cast<float>(Bfloat16(1.0F + 0x1.8p-8F)), 1.0F + 0x1p-7F);
  EXPECT_EQ(static_cast<float>(Bfloat16(1.0F + 0x1.8p-7F)), 1.0F + 0x1p-6F);  // a tie upward
  EXPECT_EQ(static_cast<float>(Bfloat16(-3.140625F)), -3.140625F);
}

TEST(Bfloat16, KeepsWhatIsNotFinite) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(static_cast<float>(Bfloat16(infinity)), infinity);
  EXPECT_EQ(static_cast<float>(Bfloat16(-infinity)), -infinity);
  EXPECT_EQ(static_cast<float>(Bfloat16(std::numeric_limits<float>::max())), infinity);
  for (const uint32_t word : {0x7F800001U, 0x7FFFFFFFU, 0xFFFFFFFFU, 0xFFC00000U}) {
    float nan;
    std::memcpy(&nan, &word, sizeof(nan));
    EXPECT_TRUE(std::isnan(static_cast<float>(Bfloat16(nan))));
  }
}

}  // namespace
}  // namespace ebt
