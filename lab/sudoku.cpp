#include "lab/sudoku.h"

#include <algorithm>
#include <optional>

#include "ebt/core/error.h"
#include "ebt/data/puzzle/sudoku_generator.h"

namespace ebt {
namespace {

// Of the hardest levels: boards of which one cannot take away a digit more are not much emptier.
std::vector<PuzzleLevel> levels_of(int64_t size) {
  const std::vector<int64_t> ends = size == 4   ? std::vector<int64_t>{3, 6, 8, 9, 10}
                                    : size == 6 ? std::vector<int64_t>{6, 12, 18, 21, 24}
                                                : std::vector<int64_t>{16, 32, 40, 46, 52};
  constexpr size_t kTrained = 3;
  std::vector<PuzzleLevel> levels;
  int64_t least = 1;
  for (const int64_t most : ends) {
    levels.push_back(puzzle_level("holes", least, most, levels.size() < kTrained));
    least = most + 1;
  }
  return levels;
}

class Sudoku : public Puzzle {
 public:
  explicit Sudoku(const SudokuSolver& solver)
      : Puzzle("sudoku", levels_of(solver.size())), solver_(solver) {}

  bool is_right(std::string_view prompt, std::string_view answer) const override {
    if (!prompt.ends_with('=') || answer.size() + 1 != prompt.size() ||
        !solver_.fault(answer).empty()) {
      return false;
    }
    for (size_t i = 0; i < answer.size(); ++i) {
      if (prompt[i] != '.' && prompt[i] != answer[i]) {
        return false;
      }
    }
    return true;
  }

 private:
  std::string draw_subject(int64_t /*size*/, Draws& draws) const override {
    return solver_.draw_board(draws);
  }
  PuzzleExample ask(int64_t size, const std::string& subject, Draws& draws) const override {
    constexpr int kAttempts = 1000;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      if (std::optional<std::string> board = with_holes(solver_, subject, size, draws)) {
        std::replace(board->begin(), board->end(), kUnknownCell, '.');
        return {*board + '=', subject};
      }
    }
    fail("sudoku: no puzzle with {} holes was found", size);
  }
  int64_t longest_of_size(int64_t /*size*/) const override {
    return 2 * solver_.size() * solver_.size() + 1;
  }

  SudokuSolver solver_;
};

}  // namespace

Extents sudoku_boxes(int64_t board) {
  EBT_CHECK(board == 4 || board == 6 || board == 9, "--board: {} is not 4, 6 or 9", board);
  return {board == 9 ? 3 : 2, board == 4 ? 2 : 3};
}

std::unique_ptr<Puzzle> make_sudoku(const PuzzleConfig& config) {
  EBT_CHECK(config.trained_size == 0,
            "--trained-size: the holes of a sudoku follow from its board");
  return std::make_unique<Sudoku>(SudokuSolver(sudoku_boxes(config.board)));
}

}  // namespace ebt
