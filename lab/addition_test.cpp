#include "lab/addition.h"

#include <gtest/gtest.h>

#include <set>

namespace ebt {
namespace {

// Two levels of 1 to 4 digits, and more.
std::unique_ptr<Puzzle> longer_numbers() {
  PuzzleConfig config;
  config.trained_size = 6;
  return make_addition(config);
}

TEST(Addition, CarriesThroughNumbersOfAnyLength) {
  const auto puzzle = make_addition({});
  EXPECT_TRUE(puzzle->is_right("57+68=", "125"));
  EXPECT_FALSE(puzzle->is_right("57+68=", "0125"));
  EXPECT_TRUE(puzzle->is_right("0+0=", "0"));
  EXPECT_TRUE(
      puzzle->is_right("99999999999999999999999999999999+1=", "100000000000000000000000000000000"));
}

TEST(Addition, AgreesWithTheMachine) {
  const auto puzzle = make_addition({});
  for (int64_t i = 0; i < 500; ++i) {
    const PuzzleExample example = puzzle->example(4, PuzzleSide::kTraining, 1, i);
    const size_t plus = example.prompt.find('+');
    EXPECT_EQ(
        std::stoll(example.prompt.substr(0, plus)) + std::stoll(example.prompt.substr(plus + 1)),
        std::stoll(example.answer))
        << example.prompt;
  }
}

TEST(Addition, HasNumbersOfOneLengthWithoutLeadingZeros) {
  const auto puzzle = longer_numbers();
  for (int64_t i = 0; i < 500; ++i) {
    const std::string prompt = puzzle->example(1, PuzzleSide::kTraining, 1, i).prompt;
    const size_t plus = prompt.find('+');
    EXPECT_TRUE(plus == 3 || plus == 4) << prompt;
    EXPECT_EQ(prompt.size(), 2 * plus + 2) << prompt;
    EXPECT_TRUE(prompt[0] != '0' && prompt[plus + 1] != '0') << prompt;
  }
}

TEST(Addition, AsksForBothOrdersOfItsNumbersOnTheSameSide) {
  const auto puzzle = longer_numbers();
  std::set<std::string> trained;
  int64_t both = 0;
  for (int64_t i = 0; i < 5000; ++i) {
    trained.insert(puzzle->example(0, PuzzleSide::kTraining, 1, i).prompt);
  }
  const auto turned = [](const std::string& prompt) {
    const size_t plus = prompt.find('+');
    return prompt.substr(plus + 1, prompt.size() - plus - 2) + '+' + prompt.substr(0, plus) + '=';
  };
  for (const std::string& prompt : trained) {
    both += turned(prompt) != prompt && trained.count(turned(prompt)) > 0 ? 1 : 0;
  }
  EXPECT_GT(both, 500);
  for (int64_t i = 0; i < 500; ++i) {
    const std::string prompt = puzzle->example(0, PuzzleSide::kTest, 1, i).prompt;
    EXPECT_EQ(trained.count(turned(prompt)), 0U) << prompt;
  }
}

}  // namespace
}  // namespace ebt
