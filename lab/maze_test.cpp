#include "lab/maze.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace ebt {
namespace {

TEST(Maze, AcceptsEveryShortestWay) {
  const auto puzzle = make_maze({});
  const std::string prompt = "S.#/#../#.E=";
  EXPECT_TRUE(puzzle->is_right(prompt, "RDRD"));
  EXPECT_TRUE(puzzle->is_right(prompt, "RDDR"));
}

TEST(Maze, RefusesWaysThatAreLongerOrLeadElsewhere) {
  const auto puzzle = make_maze({});
  const std::string prompt = "S.#/#../#.E=";
  EXPECT_FALSE(puzzle->is_right(prompt, "RLRDRD"));
  EXPECT_FALSE(puzzle->is_right(prompt, "RDDRU"));
  EXPECT_FALSE(puzzle->is_right(prompt, "RDD"));
  EXPECT_FALSE(puzzle->is_right(prompt, "DRDR"));    // through a wall
  EXPECT_FALSE(puzzle->is_right(prompt, "LRRDRD"));  // over the edge
  EXPECT_FALSE(puzzle->is_right(prompt, "rdrd"));
}

TEST(Maze, HasNoAnswerWhereThereIsNoWay) {
  const auto puzzle = make_maze({});
  EXPECT_FALSE(puzzle->is_right("S#/#E=", ""));
  EXPECT_FALSE(puzzle->is_right("S#/#E=", "RD"));
}

// All ways of `steps` steps, by trying them one letter at a time.
int64_t ways_of_length(const std::string& prompt, size_t steps) {
  const size_t side = prompt.find('/');
  std::set<std::string> seen;
  int64_t ways = 0;
  const auto walk = [&](const auto& self, size_t at, size_t left) -> void {
    if (prompt[at] == 'E') {
      ways += left == 0 ? 1 : 0;
      return;
    }
    if (left == 0) {
      return;
    }
    for (const size_t next : {at - side - 1, at + side + 1, at - 1, at + 1}) {
      const bool inside = next < prompt.size() && prompt[next] != '/' && prompt[next] != '=';
      if (inside && prompt[next] != '#') {
        self(self, next, left - 1);
      }
    }
  };
  walk(walk, prompt.find('S'), steps);
  return ways;
}

TEST(Maze, AsksForMazesWithOneShortestWay) {
  const auto puzzle = make_maze({});
  for (int64_t i = 0; i < 60; ++i) {
    const auto& [prompt, answer] = puzzle->example(0, PuzzleSide::kTraining, 1, i);
    const size_t side = prompt.find('/');
    EXPECT_GE(2 * answer.size(), 3 * side) << prompt;
    EXPECT_LE(answer.size(), 3 * side) << prompt;
    EXPECT_EQ(ways_of_length(prompt, answer.size()), 1) << prompt;
    for (size_t shorter = 1; shorter < answer.size(); ++shorter) {
      EXPECT_EQ(ways_of_length(prompt, shorter), 0) << prompt;
    }
  }
}

TEST(Maze, HasAllSidesOfItsLevel) {
  PuzzleConfig config;
  config.trained_size = 9;
  const auto puzzle = make_maze(config);
  std::set<size_t> sides;
  for (int64_t i = 0; i < 40; ++i) {
    sides.insert(puzzle->example(4, PuzzleSide::kTest, 1, i).prompt.find('/'));
  }
  EXPECT_EQ(sides, (std::set<size_t>{12, 13}));
}

}  // namespace
}  // namespace ebt
