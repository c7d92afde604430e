#include "ebt/core/arena.h"

#include <gtest/gtest.h>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

TEST(Arena, CountsWithoutMemoryWhatAnOwningArenaThenNeeds) {
  const auto lay_out = [](Arena& arena) {
    arena.take<float>({3, 5});
    arena.take<double>({7});
    arena.take<float>({0, 4});
    return arena.take<int32_t>({1});
  };
  Arena measure;
  EXPECT_FALSE(lay_out(measure));
  EXPECT_EQ(measure.used_bytes(), 64U + 64U + 0U + 64U);
  Arena arena(measure.used_bytes());
  EXPECT_TRUE(lay_out(arena));
  EXPECT_EQ(arena.used_bytes(), measure.used_bytes());
}

TEST(Arena, GivesAlignedZeroedMemoryThatDoesNotOverlap) {
  Arena arena(1024);
  const Tensor<float> first = arena.take<float>({3, 3});
  const Tensor<double> second = arena.take<double>({4});
  for (const float value : first) {
    EXPECT_EQ(value, 0.0F);
  }
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first.data) % Arena::kAlignment_bytes, 0U);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(second.data) % Arena::kAlignment_bytes, 0U);
  EXPECT_GE(static_cast<void*>(second.data), static_cast<void*>(first.end()));
  EXPECT_EQ(first.shape, (Shape{3, 3}));
}

TEST(Arena, RewindsToItsFirstByte) {
  Arena arena(64);
  const float* first = arena.take<float>({16}).data;
  arena.rewind();
  EXPECT_EQ(arena.used_bytes(), 0U);
  EXPECT_EQ(arena.take<float>({16}).data, first);
}

TEST(Arena, RewindsToAnEarlierByteAndRemembersItsPeak) {
  Arena arena;
  arena.take<float>({16});
  const size_t before = arena.used_bytes();
  arena.take<float>({64});
  arena.rewind(before);
  arena.take<float>({16});
  EXPECT_EQ(arena.used_bytes(), 128U);
  EXPECT_EQ(arena.peak_bytes(), 320U);
}

TEST(Arena, RefusesToBeOverrun) {
  Arena arena(128);
  arena.take<float>({17});
  EXPECT_EQ(testing::error_text([&] { arena.take<float>({1}); }),
            "memory: a workspace of 128 bytes was overrun");
}

TEST(Arena, NamesTheSizeThatTheSystemRefuses) {
  EXPECT_EQ(testing::error_text([] { Arena(size_t{1} << 60U); }),
            "memory: the system refused 1073741824.00 GiB for the workspace");
}

}  // namespace
}  // namespace ebt
