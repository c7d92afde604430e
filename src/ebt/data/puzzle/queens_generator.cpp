#include "ebt/data/puzzle/queens_generator.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <vector>

#include "ebt/core/error.h"
#include "ebt/core/printable.h"
#include "ebt/data/puzzle/square.h"

namespace ebt {
namespace {

constexpr int64_t kLeastSize = 4;  // no smaller board but that of one square has a solution
constexpr int64_t kMostSize = 32;
constexpr char kQueen = 'Q';
constexpr char kEmpty = '.';
constexpr char kOutside = '#';

// The column of the queen in every row; -1: none.
using Queens = std::vector<int64_t>;

bool attack(int64_t row_a, int64_t column_a, int64_t row_b, int64_t column_b) {
  return row_a == row_b || column_a == column_b ||
         std::abs(row_a - row_b) == std::abs(column_a - column_b);
}

// Places the missing queens, always in the row that has fewest squares left, until `wanted`
// solutions are found or the search has grown too large.
struct Completion {
  int64_t wanted;
  int64_t placements_left;
  RandomDraws* draws = nullptr;  // shuffles the squares that are tried
  int64_t found = 0;

  static std::vector<int64_t> free_columns(const Queens& queens, int64_t row) {
    std::vector<int64_t> columns;
    const auto size = static_cast<int64_t>(queens.size());
    for (int64_t column = 0; column < size; ++column) {
      bool is_free = true;
      for (int64_t other = 0; other < size && is_free; ++other) {
        const int64_t taken = queens[static_cast<size_t>(other)];
        is_free = taken < 0 || !attack(row, column, other, taken);
      }
      if (is_free) {
        columns.push_back(column);
      }
    }
    return columns;
  }
  // True: the search is over, and `queens` is the last solution if there is one.
  bool run(Queens& queens) {
    std::optional<size_t> best;
    std::vector<int64_t> columns;
    for (size_t row = 0; row < queens.size(); ++row) {
      if (queens[row] < 0) {
        std::vector<int64_t> free = free_columns(queens, static_cast<int64_t>(row));
        if (!best || free.size() < columns.size()) {
          best = row;
          columns = std::move(free);
        }
      }
    }
    if (!best) {
      return ++found == wanted;
    }
    if (draws != nullptr) {
      draws->shuffle(columns);
    }
    for (const int64_t column : columns) {
      if (--placements_left < 0) {
        return true;
      }
      queens[*best] = column;
      if (run(queens)) {
        return true;
      }
      queens[*best] = -1;
    }
    return false;
  }
};

Queens draw_queens(int64_t size, RandomDraws& draws) {
  constexpr int64_t kPlacements = 1000;  // many times what is needed: then it pays to start over
  for (;;) {
    // One queen anywhere: a search from the first row alone would favour some boards.
    Queens queens(static_cast<size_t>(size), -1);
    queens[static_cast<size_t>(draws.below(size))] = draws.below(size);
    Completion completion{1, kPlacements, &draws};
    completion.run(queens);
    if (completion.found == 1) {
      return queens;
    }
  }
}

class QueensGenerator : public PuzzleGenerator {
 public:
  explicit QueensGenerator(const QueensConfig& config)
      : size_(framed_size("--board", config.board, config.frame, kLeastSize, kMostSize)),
        unique_(config.unique) {
    if (!config.holes.empty()) {
      holes_ = parse_range("--holes", config.holes);
      EBT_CHECK(holes_->least >= 1 && holes_->least <= size_.sizes.least,
                "--holes: a board of {} has 1 to {} queens to place, not {}", size_.sizes.least,
                size_.sizes.least, holes_->least);
    }
  }

  PuzzleRow draw(RandomDraws& draws) const override {
    constexpr int kAttempts = 1000;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const int64_t size = draws.between(size_.sizes.least, size_.sizes.most);
      const int64_t holes = holes_ ? draws.between(holes_->least, std::min(holes_->most, size))
                                   : draws.between((size + 1) / 2, size - 1);
      const Queens solved = draw_queens(size, draws);
      Queens given = solved;
      std::vector<size_t> rows(given.size());
      std::iota(rows.begin(), rows.end(), 0);
      draws.shuffle(rows);
      for (size_t i = 0; i < static_cast<size_t>(holes); ++i) {
        given[rows[i]] = -1;
      }
      if (!unique_ || has_one_completion(given)) {
        return rows_of(given, solved, draws);
      }
    }
    fail("--unique: no board with one solution was found in {}: ask for fewer --holes", kAttempts);
  }
  std::string fault(std::string_view puzzle, std::string_view answer) const override {
    const std::optional<int64_t> side = side_of_square(puzzle.size());
    if (!side) {
      return "the puzzle is no square";
    }
    if (answer.size() != puzzle.size()) {
      return fmt::format("it has {} squares, and the board {}", answer.size(), puzzle.size());
    }
    int64_t squares = 0;
    std::vector<int64_t> queens;
    for (size_t i = 0; i < answer.size(); ++i) {
      const bool is_given = puzzle[i] == kQueen || puzzle[i] == kOutside;
      squares += puzzle[i] == kOutside ? 0 : 1;
      if (is_given ? answer[i] != puzzle[i] : answer[i] != kQueen && answer[i] != kEmpty) {
        return fmt::format(
            "{} holds '{}' where {}", place_in_square(static_cast<int64_t>(i), *side),
            printable(answer.substr(i, 1)),
            is_given ? fmt::format("'{}' is given", puzzle[i]) : "'Q' or '.' is asked for");
      }
      if (answer[i] == kQueen) {
        queens.push_back(static_cast<int64_t>(i));
      }
    }
    const int64_t size = side_of_square(static_cast<size_t>(squares)).value_or(-1);
    if (static_cast<int64_t>(queens.size()) != size) {
      return fmt::format("it has {} queens on {} squares", queens.size(), squares);
    }
    for (size_t a = 0; a < queens.size(); ++a) {
      for (size_t b = 0; b < a; ++b) {
        if (attack(queens[a] / *side, queens[a] % *side, queens[b] / *side, queens[b] % *side)) {
          return fmt::format("the queens at {} and {} attack each other",
                             place_in_square(queens[b], *side), place_in_square(queens[a], *side));
        }
      }
    }
    return "";
  }
  int64_t grid_rows() const override { return size_.frame; }
  int64_t grid_columns() const override { return size_.frame; }

 private:
  static bool has_one_completion(Queens given) {
    constexpr int64_t kPlacements = 100'000;
    Completion completion{2, kPlacements};
    completion.run(given);
    return completion.found == 1 && completion.placements_left >= 0;
  }
  // The board somewhere in its frame.
  PuzzleRow rows_of(const Queens& given, const Queens& solved, RandomDraws& draws) const {
    const auto size = static_cast<int64_t>(solved.size());
    const int64_t top = draws.below(size_.frame - size + 1);
    const int64_t left = draws.below(size_.frame - size + 1);
    PuzzleRow row;
    row.puzzle.assign(static_cast<size_t>(size_.frame * size_.frame), kOutside);
    row.solution = row.puzzle;
    for (int64_t cell = 0; cell < size * size; ++cell) {
      const auto place =
          static_cast<size_t>((top + cell / size) * size_.frame + left + cell % size);
      const auto on = static_cast<size_t>(cell / size);
      row.puzzle[place] = given[on] == cell % size ? kQueen : kUnknownCell;
      row.solution[place] = solved[on] == cell % size ? kQueen : kEmpty;
    }
    return row;
  }

  FramedSize size_;
  std::optional<NumberRange> holes_;
  bool unique_;
};

}  // namespace

std::unique_ptr<PuzzleGenerator> make_queens_generator(const QueensConfig& config) {
  return std::make_unique<QueensGenerator>(config);
}

}  // namespace ebt
