#include "lab/brackets.h"

#include <gtest/gtest.h>

#include <map>

namespace ebt {
namespace {

TEST(Brackets, ClosesTheInnermostFirst) {
  const auto puzzle = make_brackets({});
  EXPECT_TRUE(puzzle->is_right("([]{<=", ">})"));
  EXPECT_FALSE(puzzle->is_right("([]{<=", ")}>"));
  EXPECT_FALSE(puzzle->is_right("([]{<=", ">}"));
}

TEST(Brackets, LeavesAsManyOpenAsTheLevelSays) {
  const auto puzzle = make_brackets({});
  std::map<size_t, int64_t> sizes;
  for (int64_t i = 0; i < 2000; ++i) {
    ++sizes[puzzle->example(1, PuzzleSide::kTraining, 1, i).answer.size()];
  }
  ASSERT_EQ(sizes.size(), 4U);
  EXPECT_EQ(sizes.begin()->first, 5U);
  for (const auto& [size, count] : sizes) {
    EXPECT_NEAR(static_cast<double>(count), 500, 100) << size;  // 19 is a deviation
  }
}

TEST(Brackets, AreEquallyLikelyInEveryOrder) {
  // Of one kind, one left open, and one pair within: "()(" and "(()".
  PuzzleConfig config;
  config.kinds = 1;
  config.trained_size = 3;
  const auto puzzle = make_brackets(config);
  std::map<std::string, int64_t> prompts;
  constexpr int64_t kExamples = 3000;
  for (int64_t i = 0; i < kExamples; ++i) {
    ++prompts[puzzle->example(0, PuzzleSide::kTraining, 1, i).prompt];
  }
  ASSERT_EQ(prompts.size(), 3U);
  EXPECT_NEAR(static_cast<double>(prompts["(="]), kExamples / 2.0, 140);  // 27 is a deviation
  EXPECT_NEAR(static_cast<double>(prompts["()(="]), kExamples / 4.0, 120);
  EXPECT_NEAR(static_cast<double>(prompts["(()="]), kExamples / 4.0, 120);
}

TEST(Brackets, HaveTheKindsAskedFor) {
  PuzzleConfig config;
  config.kinds = 2;
  const auto puzzle = make_brackets(config);
  std::string all;
  for (int64_t i = 0; i < 50; ++i) {
    const PuzzleExample example = puzzle->example(2, PuzzleSide::kTraining, 1, i);
    all += example.prompt + example.answer;
  }
  EXPECT_EQ(all.find_first_not_of("()[]="), all.npos);
  EXPECT_NE(all.find('['), all.npos);
}

}  // namespace
}  // namespace ebt
