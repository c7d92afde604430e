#include "lab/sudoku.h"

#include <numeric>

#include "ebt/core/error.h"
#include "lab/sudoku_solver.h"

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
        !solver_.is_solved(answer)) {
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
  // Takes digits away in random order, but not those without which there are several solutions.
  PuzzleExample ask(int64_t size, const std::string& subject, Draws& draws) const override {
    constexpr int kAttempts = 1000;
    std::vector<size_t> cells(subject.size());
    std::iota(cells.begin(), cells.end(), 0);
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      draws.shuffle(cells);
      std::string board = subject;
      int64_t holes = 0;
      for (const size_t cell : cells) {
        if (holes == size) {
          break;
        }
        board[cell] = '.';
        if (solver_.has_one_solution(board)) {
          ++holes;
        } else {
          board[cell] = subject[cell];
        }
      }
      if (holes == size) {
        return {board + '=', subject};
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

std::unique_ptr<Puzzle> make_sudoku(const PuzzleConfig& config) {
  EBT_CHECK(config.trained_size == 0,
            "--trained-size: the holes of a sudoku follow from its board");
  return std::make_unique<Sudoku>(SudokuSolver(config.board));
}

}  // namespace ebt
