#include "lab/sudoku_solver.h"

#include <array>
#include <bit>
#include <vector>

#include "ebt/core/error.h"

namespace ebt {
namespace {

constexpr int64_t kLargest = 9;

// Sets of digits: bit d - 1 stands for d.
using DigitSet = uint32_t;

}  // namespace

// Fills holes one by one, always the one that fewest digits fit into, until `wanted` solutions are
// found or the search has grown too large.
struct SudokuSolver::Search {
  const SudokuSolver& solver;
  int64_t wanted;
  int64_t placements_left;
  Draws* draws = nullptr;  // shuffles the digits that a hole is tried with
  std::string board;
  int64_t found = 0;
  std::array<DigitSet, kLargest> rows{}, columns{}, boxes{};  // digits that are taken

  Search(const SudokuSolver& s, std::string_view start, int64_t solutions, int64_t placements)
      : solver(s), wanted(solutions), placements_left(placements), board(start) {}

  DigitSet bit_of(int64_t cell) const {
    return DigitSet{1} << static_cast<unsigned>(board[static_cast<size_t>(cell)] - '1');
  }
  // Takes the digit that stands in a cell, or gives it back. False: it was taken already.
  bool toggle(int64_t cell) {
    const DigitSet bit = bit_of(cell);
    DigitSet& row = rows[static_cast<size_t>(cell / solver.size_)];
    DigitSet& column = columns[static_cast<size_t>(cell % solver.size_)];
    DigitSet& box = boxes[static_cast<size_t>(solver.box_of(cell))];
    const bool was_free = ((row | column | box) & bit) == 0;
    row ^= bit;
    column ^= bit;
    box ^= bit;
    return was_free;
  }
  DigitSet fitting(int64_t cell) const {
    const DigitSet all = (DigitSet{1} << static_cast<unsigned>(solver.size_)) - 1;
    return all & ~(rows[static_cast<size_t>(cell / solver.size_)] |
                   columns[static_cast<size_t>(cell % solver.size_)] |
                   boxes[static_cast<size_t>(solver.box_of(cell))]);
  }
  // False: the board contradicts itself.
  bool take_given_digits() {
    for (int64_t cell = 0; cell < static_cast<int64_t>(board.size()); ++cell) {
      if (board[static_cast<size_t>(cell)] != '.' && !toggle(cell)) {
        return false;
      }
    }
    return true;
  }

  // True: the search is over, and `board` is the last solution if there is one.
  bool run() {
    int64_t best = -1;
    int fewest = kLargest + 1;
    for (int64_t cell = 0; cell < static_cast<int64_t>(board.size()) && fewest > 1; ++cell) {
      if (board[static_cast<size_t>(cell)] == '.') {
        const int count = std::popcount(fitting(cell));
        if (count < fewest) {
          fewest = count;
          best = cell;
        }
      }
    }
    if (best < 0) {
      return ++found == wanted;
    }
    std::vector<char> digits;
    for (int64_t digit = 0; digit < solver.size_; ++digit) {
      if ((fitting(best) >> static_cast<unsigned>(digit) & 1U) != 0) {
        digits.push_back(static_cast<char>('1' + digit));
      }
    }
    if (draws != nullptr) {
      draws->shuffle(digits);
    }
    for (const char digit : digits) {
      if (--placements_left < 0) {
        return true;
      }
      board[static_cast<size_t>(best)] = digit;
      toggle(best);
      if (run()) {
        return true;
      }
      toggle(best);
      board[static_cast<size_t>(best)] = '.';
    }
    return false;
  }
};

SudokuSolver::SudokuSolver(int64_t size)
    : size_(size), box_rows_(size == 9 ? 3 : 2), box_columns_(size == 4 ? 2 : 3) {
  EBT_CHECK(size == 4 || size == 6 || size == 9, "--board: {} is not 4, 6 or 9", size);
}

std::string SudokuSolver::draw_board(Draws& draws) const {
  constexpr int64_t kPlacements = 2000;  // many times what is needed: then it pays to start over
  const std::string holes(static_cast<size_t>(size_ * size_), '.');
  for (;;) {
    Search search(*this, holes, 1, kPlacements);
    search.draws = &draws;
    search.run();
    if (search.found == 1) {
      return search.board;
    }
  }
}

bool SudokuSolver::has_one_solution(std::string_view board, int64_t placements) const {
  Search search(*this, board, 2, placements);
  if (!search.take_given_digits()) {
    return false;
  }
  search.run();
  return search.found == 1 && search.placements_left >= 0;
}

bool SudokuSolver::is_solved(std::string_view board) const {
  if (board.size() != static_cast<size_t>(size_ * size_)) {
    return false;
  }
  for (const char digit : board) {
    if (digit < '1' || digit > '0' + size_) {
      return false;
    }
  }
  return Search(*this, board, 1, 0).take_given_digits();
}

}  // namespace ebt
