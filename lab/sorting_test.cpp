#include "lab/sorting.h"

#include <gtest/gtest.h>

#include <map>

namespace ebt {
namespace {

std::unique_ptr<Puzzle> sorting(int64_t symbols, int64_t trained_size) {
  PuzzleConfig config;
  config.symbols = symbols;
  config.trained_size = trained_size;
  return make_sorting(config);
}

TEST(Sorting, PutsDigitsBeforeLetters) {
  const auto puzzle = sorting(36, 0);
  EXPECT_TRUE(puzzle->is_right("z3a01a=", "013aaz"));
  EXPECT_FALSE(puzzle->is_right("z3a01a=", "aaz013"));
}

TEST(Sorting, HasEverySymbolAndLengthOfALevelEquallyOften) {
  const auto puzzle = sorting(5, 12);
  std::map<char, int64_t> symbols;
  std::map<size_t, int64_t> lengths;
  int64_t total = 0;
  constexpr int64_t kExamples = 4000;
  for (int64_t i = 0; i < kExamples; ++i) {
    const PuzzleExample example = puzzle->example(2, PuzzleSide::kTraining, 1, i);
    ++lengths[example.answer.size()];
    for (const char symbol : example.answer) {
      ++symbols[symbol];
      ++total;
    }
  }
  ASSERT_EQ(lengths.size(), 4U);
  EXPECT_EQ(lengths.begin()->first, 9U);
  for (const auto& [length, count] : lengths) {
    EXPECT_NEAR(static_cast<double>(count), kExamples / 4.0, 130) << length;  // 27 is a deviation
  }
  ASSERT_EQ(symbols.size(), 5U);
  EXPECT_EQ(symbols.begin()->first, '0');
  for (const auto& [symbol, count] : symbols) {
    EXPECT_NEAR(static_cast<double>(count) / static_cast<double>(total), 0.2, 0.01) << symbol;
  }
}

TEST(Sorting, RefusesSymbolsThatItDoesNotHave) {
  EXPECT_TRUE(sorting(10, 0)->is_right("91=", "19"));
  EXPECT_FALSE(sorting(9, 0)->is_right("91=", "19"));
}

}  // namespace
}  // namespace ebt
