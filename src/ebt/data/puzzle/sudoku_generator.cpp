#include "ebt/data/puzzle/sudoku_generator.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "ebt/core/error.h"

namespace ebt {
namespace {

// A board that has lost digits. All of its states have one solution.
class Digging {
 public:
  Digging(const SudokuSolver& solver, const std::string& solved, int64_t wanted)
      : solver_(&solver), solved_(&solved), board_(solved), wanted_(wanted) {}

  bool done() const { return holes_ == wanted_; }
  int64_t holes() const { return holes_; }
  const std::string& board() const { return board_; }

  // Tries every digit once, until enough are gone. Afterwards none can be spared: what is needed
  // beside others is needed beside fewer.
  void take_away(RandomDraws& draws) {
    std::vector<int64_t> given = cells_that([](char cell) { return cell != kUnknownCell; });
    draws.shuffle(given);
    for (const int64_t cell : given) {
      if (done()) {
        return;
      }
      if (solver_->is_implied(board_, cell)) {
        board_[static_cast<size_t>(cell)] = kUnknownCell;
        ++holes_;
      }
    }
  }
  void put_back(int64_t count, RandomDraws& draws) {
    std::vector<int64_t> missing = cells_that([](char cell) { return cell == kUnknownCell; });
    draws.shuffle(missing);
    for (size_t i = 0; i < std::min(missing.size(), static_cast<size_t>(count)); ++i) {
      const auto cell = static_cast<size_t>(missing[i]);
      board_[cell] = (*solved_)[cell];
      --holes_;
    }
  }

 private:
  template <class Wanted>
  std::vector<int64_t> cells_that(Wanted&& wanted) const {
    std::vector<int64_t> cells;
    for (size_t cell = 0; cell < board_.size(); ++cell) {
      if (wanted(board_[cell])) {
        cells.push_back(static_cast<int64_t>(cell));
      }
    }
    return cells;
  }

  const SudokuSolver* solver_;
  const std::string* solved_;
  std::string board_;
  int64_t wanted_;
  int64_t holes_ = 0;
};

// The fewest digits that can fix a board: known for 4x4, 6x6 and 9x9 (McGuire, Tugemann and
// Civario, 2014); of others, all digits but one must occur.
int64_t fewest_given(const SudokuSolver& solver) {
  const int64_t size = solver.size();
  return size == 4 ? 4 : size == 6 ? 8 : size == 9 ? 17 : size - 1;
}

class SudokuGenerator : public PuzzleGenerator {
 public:
  SudokuGenerator(const SudokuConfig& config)
      : solver_(parse_extents("--boxes", config.boxes)), holes_(default_holes()) {
    if (!config.holes.empty()) {
      holes_ = parse_range("--holes", config.holes);
    }
    const int64_t most = solver_.cell_count() - fewest_given(solver_);
    EBT_CHECK(holes_.least >= 1 && holes_.most <= most,
              "--holes: {}-{} are not between 1 and {}, more than which leave no sudoku of boxes "
              "of {} with one solution",
              holes_.least, holes_.most, most, config.boxes);
  }

  PuzzleRow draw(RandomDraws& draws) const override {
    constexpr int kBoards = 30;
    const int64_t holes = draws.between(holes_.least, holes_.most);
    for (int attempt = 0; attempt < kBoards; ++attempt) {
      const std::string solved = solver_.draw_board(draws);
      if (std::optional<std::string> puzzle = with_holes(solver_, solved, holes, draws)) {
        return {std::move(*puzzle), solved};
      }
    }
    fail("--holes: no sudoku with {} holes and one solution was found in {} boards: ask for fewer",
         holes, kBoards);
  }
  std::string fault(std::string_view puzzle, std::string_view answer) const override {
    std::string fault = solver_.fault(answer);
    for (size_t cell = 0; fault.empty() && cell < answer.size(); ++cell) {
      const bool given =
          cell < puzzle.size() && puzzle[cell] != kUnknownCell && puzzle[cell] != '.';
      if (given && puzzle[cell] != answer[cell]) {
        const auto size = static_cast<size_t>(solver_.size());
        return fmt::format("row {}, column {} holds {} where {} is given", cell / size + 1,
                           cell % size + 1, answer[cell], puzzle[cell]);
      }
    }
    return fault.empty() && puzzle.size() != answer.size()
               ? fmt::format("the puzzle has {} cells, and the board {}", puzzle.size(),
                             answer.size())
               : fault;
  }
  int64_t grid_rows() const override { return solver_.size(); }
  int64_t grid_columns() const override { return solver_.size(); }
  // A board that was seen solved is known with whatever holes.
  const std::string& subject(const PuzzleRow& row) const override { return row.solution; }

 private:
  NumberRange default_holes() const {
    return {solver_.cell_count() / 6, solver_.cell_count() * 4 / 9};
  }

  SudokuSolver solver_;
  NumberRange holes_;
};

}  // namespace

std::optional<std::string> with_holes(const SudokuSolver& solver, const std::string& solved,
                                      int64_t holes, RandomDraws& draws) {
  constexpr int kExchanges = 1000;
  constexpr int64_t kMostPutBack = 3;
  Digging best(solver, solved, holes);
  best.take_away(draws);
  for (int i = 0; i < kExchanges && !best.done(); ++i) {
    Digging next = best;
    next.put_back(draws.between(1, kMostPutBack), draws);
    next.take_away(draws);
    if (next.holes() >= best.holes()) {
      best = next;
    }
  }
  return best.done() ? std::optional(best.board()) : std::nullopt;
}

std::unique_ptr<PuzzleGenerator> make_sudoku_generator(const SudokuConfig& config) {
  return std::make_unique<SudokuGenerator>(config);
}

}  // namespace ebt
