#include "ebt/data/puzzle/sudoku_solver.h"

#include <algorithm>
#include <array>
#include <bit>
#include <set>

#include "ebt/core/error.h"
#include "ebt/core/printable.h"

namespace ebt {
namespace {

constexpr size_t kLargest = 16;
constexpr size_t kMostCells = kLargest * kLargest;
constexpr size_t kUnitsOfCell = 3;

// Sets of digits, or of the places of a unit: bit i stands for digit i + 1, or for place i.
using Set = uint16_t;

Set set_of(size_t item) { return static_cast<Set>(1U << item); }
bool has_one(Set set) { return (set & (set - 1)) == 0; }
size_t first_of(Set set) { return static_cast<size_t>(std::countr_zero(set)); }
Set first_items(int64_t count) {
  return static_cast<Set>((1U << static_cast<unsigned>(count)) - 1);
}

}  // namespace

char sudoku_digit(int64_t digit) {
  constexpr int64_t kFigures = 9;
  return static_cast<char>(digit <= kFigures ? '0' + digit : 'A' + digit - kFigures - 1);
}

// What may still stand where.
struct SudokuSolver::Candidates {
  std::array<Set, kMostCells> of_cell;                          // digits
  std::array<std::array<Set, kLargest>, 3 * kLargest> of_unit;  // places of each digit
  std::array<bool, kMostCells> placed;
  int64_t holes;

  explicit Candidates(const SudokuSolver& solver) : holes(solver.cell_count()) {
    const Set all = first_items(solver.size_);
    std::fill_n(of_cell.begin(), solver.cell_count(), all);
    std::fill_n(placed.begin(), solver.cell_count(), false);
    for (size_t unit = 0; unit < solver.units_.size(); ++unit) {
      std::fill_n(of_unit[unit].begin(), solver.size_, all);
    }
  }
};

// Counts solutions, until `wanted` are found or the search has grown too large.
struct SudokuSolver::Search {
  struct Placement {
    size_t cell;
    size_t digit;  // from 0
  };

  const SudokuSolver& solver;
  int64_t wanted;
  int64_t guesses_left;
  RandomDraws* draws = nullptr;  // shuffles what is tried
  int64_t found = 0;
  std::string solution = {};          // the last that was found
  std::vector<Placement> queue = {};  // placements that follow from what was found out

  // Both return false where that leaves nothing for some cell, or no place for some digit.
  bool remove(Candidates& left, size_t cell, size_t digit) {
    Set& digits = left.of_cell[cell];
    if ((digits & set_of(digit)) == 0) {
      return true;
    }
    digits = static_cast<Set>(digits & ~set_of(digit));
    if (digits == 0) {
      return false;
    }
    if (has_one(digits)) {
      queue.push_back({cell, first_of(digits)});
    }
    for (size_t i = 0; i < kUnitsOfCell; ++i) {
      const Place& place = solver.places_[kUnitsOfCell * cell + i];
      const auto unit = static_cast<size_t>(place.unit);
      Set& places = left.of_unit[unit][digit];
      places = static_cast<Set>(places & ~set_of(static_cast<size_t>(place.index)));
      if (places == 0) {
        return false;
      }
      if (has_one(places)) {
        queue.push_back({static_cast<size_t>(solver.units_[unit][first_of(places)]), digit});
      }
    }
    return true;
  }
  bool place(Candidates& left, Placement first) {
    queue.assign(1, first);
    while (!queue.empty()) {
      const auto [cell, digit] = queue.back();
      queue.pop_back();
      if ((left.of_cell[cell] & set_of(digit)) == 0) {
        return false;
      }
      if (left.placed[cell]) {
        continue;
      }
      left.placed[cell] = true;
      --left.holes;
      for (auto others = static_cast<Set>(left.of_cell[cell] & ~set_of(digit)); others != 0;
           others = static_cast<Set>(others & (others - 1))) {
        if (!remove(left, cell, first_of(others))) {
          return false;
        }
      }
      for (const int16_t peer : solver.peers_[cell]) {
        if (!remove(left, static_cast<size_t>(peer), digit)) {
          return false;
        }
      }
    }
    return true;
  }
  bool place_given(Candidates& left, std::string_view board) {
    for (size_t cell = 0; cell < board.size(); ++cell) {
      const int64_t digit = solver.digit_of(board[cell]);
      if (digit > 0 && !place(left, {cell, static_cast<size_t>(digit - 1)})) {
        return false;
      }
    }
    return true;
  }

  // The fewest placements of which one must be right: the digits of a cell, or the cells of a digit
  // in a unit.
  std::vector<Placement> choices(const Candidates& left) const {
    constexpr int kFewest = 2;
    const auto size = static_cast<size_t>(solver.size_);
    int fewest = static_cast<int>(kLargest) + 1;
    size_t best_cell = 0;
    for (size_t cell = 0; cell < size * size && fewest > kFewest; ++cell) {
      const int count = std::popcount(left.of_cell[cell]);
      if (!left.placed[cell] && count < fewest) {
        fewest = count;
        best_cell = cell;
      }
    }
    std::vector<Placement> best;
    for (Set digits = left.of_cell[best_cell]; digits != 0;
         digits = static_cast<Set>(digits & (digits - 1))) {
      best.push_back({best_cell, first_of(digits)});
    }
    for (size_t unit = 0; unit < solver.units_.size() && fewest > kFewest; ++unit) {
      for (size_t digit = 0; digit < size && fewest > kFewest; ++digit) {
        Set places = left.of_unit[unit][digit];
        const int count = std::popcount(places);
        if (count > 1 && count < fewest) {
          fewest = count;
          best.clear();
          for (; places != 0; places = static_cast<Set>(places & (places - 1))) {
            best.push_back({static_cast<size_t>(solver.units_[unit][first_of(places)]), digit});
          }
        }
      }
    }
    return best;
  }

  // True: the search is over.
  bool run(const Candidates& left) {
    if (left.holes == 0) {
      solution.clear();
      for (size_t cell = 0; cell < static_cast<size_t>(solver.cell_count()); ++cell) {
        solution += sudoku_digit(static_cast<int64_t>(first_of(left.of_cell[cell])) + 1);
      }
      return ++found == wanted;
    }
    std::vector<Placement> tried = choices(left);
    if (draws != nullptr) {
      draws->shuffle(tried);
    }
    for (const Placement& placement : tried) {
      if (--guesses_left < 0) {
        return true;
      }
      Candidates next = left;
      if (place(next, placement) && run(next)) {
        return true;
      }
    }
    return false;
  }
};

SudokuSolver::SudokuSolver(Extents boxes, const std::string& flag) : size_(boxes.count()) {
  EBT_CHECK(boxes.rows >= 2 && boxes.columns >= 2 && size_ <= static_cast<int64_t>(kLargest),
            "{}: boxes have at least 2 rows and 2 columns, and at most {} cells; {}x{} do not",
            flag, kLargest, boxes.rows, boxes.columns);
  units_.resize(kUnitsOfCell * static_cast<size_t>(size_));
  for (int64_t cell = 0; cell < cell_count(); ++cell) {
    const int64_t row = cell / size_;
    const int64_t column = cell % size_;
    const int64_t box = row / boxes.rows * boxes.rows + column / boxes.columns;
    for (const int64_t unit : {row, size_ + column, 2 * size_ + box}) {
      Unit& cells = units_[static_cast<size_t>(unit)];
      places_.push_back({static_cast<int16_t>(unit), static_cast<int16_t>(cells.size())});
      cells.push_back(static_cast<int16_t>(cell));
    }
  }
  for (size_t cell = 0; cell < static_cast<size_t>(cell_count()); ++cell) {
    std::set<int16_t> peers;
    for (size_t i = 0; i < kUnitsOfCell; ++i) {
      const Unit& unit = units_[static_cast<size_t>(places_[kUnitsOfCell * cell + i].unit)];
      peers.insert(unit.begin(), unit.end());
    }
    peers.erase(static_cast<int16_t>(cell));
    peers_.emplace_back(peers.begin(), peers.end());
  }
}

int64_t SudokuSolver::digit_of(char cell) const {
  constexpr int64_t kFigures = 9;
  const int64_t digit = cell == '.'                  ? 0
                        : cell >= '0' && cell <= '9' ? cell - '0'
                        : cell >= 'A'                ? cell - 'A' + kFigures + 1
                                                     : -1;
  return digit <= size_ ? digit : -1;
}

std::string SudokuSolver::draw_board(RandomDraws& draws) const {
  constexpr int64_t kGuesses = 1000;  // many times what is needed: then it pays to start over
  for (;;) {
    Search search{*this, 1, kGuesses, &draws};
    search.run(Candidates(*this));
    if (search.found == 1) {
      return search.solution;
    }
  }
}

bool SudokuSolver::has_one_solution(std::string_view board, int64_t guesses) const {
  Search search{*this, 2, guesses};
  Candidates left(*this);
  if (!search.place_given(left, board)) {
    return false;
  }
  search.run(left);
  return search.found == 1 && search.guesses_left >= 0;
}

bool SudokuSolver::is_implied(std::string_view board, int64_t cell, int64_t guesses) const {
  const auto at = static_cast<size_t>(cell);
  Set seen = 0;
  for (const int16_t peer : peers_[at]) {
    const int64_t digit = digit_of(board[static_cast<size_t>(peer)]);
    seen = static_cast<Set>(digit > 0 ? seen | set_of(static_cast<size_t>(digit - 1)) : seen);
  }
  if (std::popcount(seen) == size_ - 1) {
    return true;  // its peers hold all other digits
  }
  std::string rest(board);
  rest[at] = sudoku_digit(0);
  Search search{*this, 1, guesses};
  Candidates left(*this);
  if (!search.place_given(left, rest)) {
    return false;
  }
  // Is there a solution with another digit?
  const auto digit = static_cast<size_t>(digit_of(board[at]) - 1);
  search.queue.clear();
  if (!search.remove(left, at, digit)) {
    return true;
  }
  const std::vector<Search::Placement> follow = search.queue;
  for (const Search::Placement& placement : follow) {
    if (!search.place(left, placement)) {
      return true;
    }
  }
  search.run(left);
  return search.found == 0 && search.guesses_left >= 0;
}

std::string SudokuSolver::unit_name(int64_t unit) const {
  const char* const kind = unit < size_ ? "row" : unit < 2 * size_ ? "column" : "box";
  return fmt::format("{} {}", kind, unit % size_ + 1);
}

std::string SudokuSolver::fault(std::string_view board) const {
  if (static_cast<int64_t>(board.size()) != cell_count()) {
    return fmt::format("it has {} cells, and the board {}", board.size(), cell_count());
  }
  for (size_t cell = 0; cell < board.size(); ++cell) {
    if (digit_of(board[cell]) <= 0) {
      return fmt::format("row {}, column {} holds '{}', which is no digit of 1 to {}",
                         cell / static_cast<size_t>(size_) + 1,
                         cell % static_cast<size_t>(size_) + 1, printable(board.substr(cell, 1)),
                         sudoku_digit(size_));
    }
  }
  for (size_t unit = 0; unit < units_.size(); ++unit) {
    std::set<char> seen;
    for (const int16_t cell : units_[unit]) {
      const char digit = board[static_cast<size_t>(cell)];
      if (!seen.insert(digit).second) {
        return fmt::format("{} holds {} twice", unit_name(static_cast<int64_t>(unit)), digit);
      }
    }
  }
  return "";
}

}  // namespace ebt
