#include "lab/maze.h"

#include <algorithm>
#include <array>
#include <optional>

namespace ebt {
namespace {

// The length of a way is between these, in half sides.
constexpr int64_t kShortestWay = 3;
constexpr int64_t kLongestWay = 6;

struct Direction {
  char letter;
  int64_t down, right;
};
constexpr std::array<Direction, 4> kDirections = {
    {{'U', -1, 0}, {'D', 1, 0}, {'L', 0, -1}, {'R', 0, 1}}};

// A square of cells, as the prompt draws it but without the marks between its rows.
struct Grid {
  int64_t side = 0;
  std::string cells;  // (side, side)

  int64_t start() const { return static_cast<int64_t>(cells.find('S')); }
  int64_t end() const { return static_cast<int64_t>(cells.find('E')); }
  // The next cell in that direction, unless it is blocked or there is none.
  std::optional<int64_t> neighbour(int64_t cell, const Direction& to) const {
    const int64_t row = cell / side + to.down;
    const int64_t column = cell % side + to.right;
    if (row < 0 || row >= side || column < 0 || column >= side) {
      return std::nullopt;
    }
    const int64_t next = row * side + column;
    return cells[static_cast<size_t>(next)] == '#' ? std::nullopt : std::optional(next);
  }
};

// How a cell is reached from the start.
struct Reach {
  int64_t steps = -1;  // fewest; -1: not at all
  int64_t ways = 0;    // of that length; 2 stands for more
  char last = 0;       // the last step of one of them
  int64_t before = 0;  // the cell before it
};

// Breadth first.
std::vector<Reach> reaches_from(const Grid& grid, int64_t start) {
  std::vector<Reach> reaches(grid.cells.size());
  reaches[static_cast<size_t>(start)] = {0, 1, 0, start};
  std::vector<int64_t> queue = {start};
  for (size_t next = 0; next < queue.size(); ++next) {
    const int64_t cell = queue[next];
    const Reach from = reaches[static_cast<size_t>(cell)];
    for (const Direction& direction : kDirections) {
      const std::optional<int64_t> neighbour = grid.neighbour(cell, direction);
      if (!neighbour) {
        continue;
      }
      Reach& to = reaches[static_cast<size_t>(*neighbour)];
      if (to.steps < 0) {
        to = {from.steps + 1, from.ways, direction.letter, cell};
        queue.push_back(*neighbour);
      } else if (to.steps == from.steps + 1) {
        to.ways = 2;
      }
    }
  }
  return reaches;
}

std::string way_to(const std::vector<Reach>& reaches, int64_t cell) {
  std::string way;
  for (; reaches[static_cast<size_t>(cell)].steps > 0;
       cell = reaches[static_cast<size_t>(cell)].before) {
    way += reaches[static_cast<size_t>(cell)].last;
  }
  std::reverse(way.begin(), way.end());
  return way;
}

// Reads what draw() writes, a '=' after it; nothing where the prompt is no maze.
std::optional<Grid> read_grid(std::string_view prompt) {
  Grid grid;
  grid.side = static_cast<int64_t>(std::min(prompt.find('/'), prompt.size()));
  if (grid.side == 0 || static_cast<int64_t>(prompt.size()) != grid.side * (grid.side + 1)) {
    return std::nullopt;
  }
  for (int64_t i = 0; i < static_cast<int64_t>(prompt.size()); ++i) {
    const char character = prompt[static_cast<size_t>(i)];
    if (i % (grid.side + 1) < grid.side) {
      grid.cells += character;
    } else if (character != (i + 1 < static_cast<int64_t>(prompt.size()) ? '/' : '=')) {
      return std::nullopt;
    }
  }
  const auto has_one = [&](char mark) {
    return std::count(grid.cells.begin(), grid.cells.end(), mark) == 1;
  };
  const bool is_maze =
      has_one('S') && has_one('E') && grid.cells.find_first_not_of(".#SE") == std::string::npos;
  return is_maze ? std::optional(grid) : std::nullopt;
}

std::string draw(const Grid& grid) {
  std::string text;
  for (int64_t row = 0; row < grid.side; ++row) {
    text += row == 0 ? "" : "/";
    text.append(grid.cells, static_cast<size_t>(row * grid.side), static_cast<size_t>(grid.side));
  }
  return text;
}

class Maze : public Puzzle {
 public:
  explicit Maze(std::vector<PuzzleLevel> levels) : Puzzle("maze", std::move(levels)) {}

  bool is_right(std::string_view prompt, std::string_view answer) const override {
    const std::optional<Grid> grid = read_grid(prompt);
    if (!grid) {
      return false;
    }
    int64_t cell = grid->start();
    const Reach end = reaches_from(*grid, cell)[static_cast<size_t>(grid->end())];
    for (const char letter : answer) {
      const auto* direction =
          std::find_if(kDirections.begin(), kDirections.end(),
                       [&](const Direction& one) { return one.letter == letter; });
      const std::optional<int64_t> next =
          direction == kDirections.end() ? std::nullopt : grid->neighbour(cell, *direction);
      if (!next) {
        return false;
      }
      cell = *next;
    }
    return cell == grid->end() && static_cast<int64_t>(answer.size()) == end.steps;
  }

 private:
  std::string draw_subject(int64_t size, Draws& draws) const override {
    Grid grid{size, {}};
    std::vector<int64_t> ends;
    while (ends.empty()) {
      grid.cells.clear();
      for (int64_t i = 0; i < size * size; ++i) {
        grid.cells += draws.below(5) < 2 ? '#' : '.';
      }
      const int64_t start = draws.below(size * size);
      grid.cells[static_cast<size_t>(start)] = 'S';
      const std::vector<Reach> reaches = reaches_from(grid, start);
      for (int64_t i = 0; i < size * size; ++i) {
        const Reach& reach = reaches[static_cast<size_t>(i)];
        if (reach.ways == 1 && 2 * reach.steps >= kShortestWay * size &&
            2 * reach.steps <= kLongestWay * size) {
          ends.push_back(i);
        }
      }
    }
    grid.cells[static_cast<size_t>(draws.pick(ends))] = 'E';
    return draw(grid);
  }
  PuzzleExample ask(int64_t /*size*/, const std::string& subject, Draws& /*draws*/) const override {
    const std::string prompt = subject + '=';
    const Grid grid = *read_grid(prompt);
    return {prompt, way_to(reaches_from(grid, grid.start()), grid.end())};
  }
  int64_t longest_of_size(int64_t size) const override {
    return size * (size + 1) + kLongestWay * size / 2;
  }
};

}  // namespace

std::unique_ptr<Puzzle> make_maze(const PuzzleConfig& config) {
  constexpr int64_t kDefault = 6;
  constexpr int64_t kLargest = 50;
  const int64_t most = config.trained_size == 0 ? kDefault : config.trained_size;
  return std::make_unique<Maze>(puzzle_levels("cells a side", 4, most, kLargest));
}

}  // namespace ebt
