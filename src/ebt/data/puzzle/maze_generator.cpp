#include "ebt/data/puzzle/maze_generator.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "ebt/core/config_check.h"
#include "ebt/core/printable.h"
#include "ebt/data/puzzle/square.h"

namespace ebt {
namespace {

constexpr int64_t kMostRooms = 64;
constexpr char kWall = '#';
constexpr char kStart = 'S';
constexpr char kEnd = 'E';
constexpr char kOnTheWay = '+';
constexpr char kAside = '.';

// A square of cells.
struct Cells {
  int64_t side = 0;
  std::string cells;  // (side, side)

  // Those above, below, left and right at a distance, which lie within the square.
  std::vector<int64_t> around(int64_t cell, int64_t distance) const {
    constexpr std::array<std::array<int64_t, 2>, 4> kDirections = {
        {{-1, 0}, {1, 0}, {0, -1}, {0, 1}}};
    std::vector<int64_t> cells_around;
    for (const auto& [down, right] : kDirections) {
      const int64_t row = cell / side + distance * down;
      const int64_t column = cell % side + distance * right;
      if (row >= 0 && row < side && column >= 0 && column < side) {
        cells_around.push_back(row * side + column);
      }
    }
    return cells_around;
  }
  char& at(int64_t cell) { return cells[static_cast<size_t>(cell)]; }
  char at(int64_t cell) const { return cells[static_cast<size_t>(cell)]; }
};

// How a cell is reached from where a search begins.
struct Reach {
  int64_t steps = -1;   // fewest; -1: not at all
  int64_t ways = 0;     // of that length; 2 stands for more
  int64_t before = -1;  // the cell before it on one of them
};

// Breadth first, through cells that `is_open` accepts.
template <class IsOpen>
std::vector<Reach> reaches_from(const Cells& maze, int64_t start, IsOpen&& is_open) {
  std::vector<Reach> reaches(maze.cells.size());
  reaches[static_cast<size_t>(start)] = {0, 1, -1};
  std::vector<int64_t> queue = {start};
  for (size_t next = 0; next < queue.size(); ++next) {
    const Reach from = reaches[static_cast<size_t>(queue[next])];
    for (const int64_t neighbour : maze.around(queue[next], 1)) {
      if (!is_open(maze.at(neighbour))) {
        continue;
      }
      Reach& to = reaches[static_cast<size_t>(neighbour)];
      if (to.steps < 0) {
        to = {from.steps + 1, from.ways, queue[next]};
        queue.push_back(neighbour);
      } else if (to.steps == from.steps + 1) {
        to.ways = 2;
      }
    }
  }
  return reaches;
}

std::vector<Reach> reaches_from(const Cells& maze, int64_t start) {
  return reaches_from(maze, start, [](char cell) { return cell != kWall; });
}

int64_t wall_between(int64_t a, int64_t b) { return (a + b) / 2; }

// Rooms of a maze joined by depth-first search, which makes long and winding passages, and then
// some more walls opened.
Cells carve(int64_t rooms, double loops, RandomDraws& draws) {
  Cells maze{2 * rooms - 1,
             std::string(static_cast<size_t>((2 * rooms - 1) * (2 * rooms - 1)), kWall)};
  std::vector<int64_t> path = {2 * draws.below(rooms) * maze.side + 2 * draws.below(rooms)};
  maze.at(path.back()) = kUnknownCell;
  while (!path.empty()) {
    std::vector<int64_t> next = maze.around(path.back(), 2);
    std::erase_if(next, [&](int64_t room) { return maze.at(room) != kWall; });
    if (next.empty()) {
      path.pop_back();
      continue;
    }
    const int64_t room = draws.pick(next);
    maze.at(wall_between(path.back(), room)) = kUnknownCell;
    maze.at(room) = kUnknownCell;
    path.push_back(room);
  }
  for (int64_t cell = 0; loops > 0 && cell < maze.side * maze.side; ++cell) {
    const bool is_between = cell / maze.side % 2 != cell % maze.side % 2;
    if (is_between && maze.at(cell) == kWall && draws.uniform() < loops) {
      maze.at(cell) = kUnknownCell;
    }
  }
  return maze;
}

// The cells between the start and a cell on the shortest way to it.
std::vector<int64_t> way_to(const std::vector<Reach>& reaches, int64_t end) {
  std::vector<int64_t> way;
  for (int64_t cell = reaches[static_cast<size_t>(end)].before;
       reaches[static_cast<size_t>(cell)].steps > 0;
       cell = reaches[static_cast<size_t>(cell)].before) {
    way.push_back(cell);
  }
  return way;
}

// The maze in a larger square of walls, at some room of it.
Cells framed(const Cells& maze, int64_t frame, RandomDraws& draws) {
  const int64_t side = 2 * frame - 1;
  const int64_t free_rooms = (side - maze.side) / 2;
  Cells larger{side, std::string(static_cast<size_t>(side * side), kWall)};
  const int64_t top = 2 * draws.below(free_rooms + 1);
  const int64_t left = 2 * draws.below(free_rooms + 1);
  for (int64_t cell = 0; cell < maze.side * maze.side; ++cell) {
    larger.at((top + cell / maze.side) * side + left + cell % maze.side) = maze.at(cell);
  }
  return larger;
}

class MazeGenerator : public PuzzleGenerator {
 public:
  explicit MazeGenerator(const MazeConfig& config)
      : size_(framed_size("--rooms", config.rooms, config.frame, 2, kMostRooms)),
        loops_(config.loops) {
    check_closed_share("--loops", loops_);
  }

  PuzzleRow draw(RandomDraws& draws) const override {
    for (;;) {
      const int64_t rooms = draws.between(size_.sizes.least, size_.sizes.most);
      Cells maze = framed(carve(rooms, loops_, draws), size_.frame, draws);
      std::vector<int64_t> starts;
      for (int64_t cell = 0; cell < maze.side * maze.side; ++cell) {
        if (is_room(cell, maze.side) && maze.at(cell) != kWall) {
          starts.push_back(cell);
        }
      }
      const int64_t start = draws.pick(starts);
      const std::vector<Reach> reaches = reaches_from(maze, start);
      const std::vector<int64_t> ends = far_rooms(reaches, maze.side);
      if (ends.empty()) {
        continue;  // every far room is reached by several ways
      }
      const int64_t end = draws.pick(ends);
      maze.at(start) = kStart;
      maze.at(end) = kEnd;
      Cells solved = maze;
      for (const int64_t cell : way_to(reaches, end)) {
        solved.at(cell) = kOnTheWay;
      }
      std::replace(solved.cells.begin(), solved.cells.end(), kUnknownCell, kAside);
      return {maze.cells, solved.cells};
    }
  }
  std::string fault(std::string_view puzzle, std::string_view answer) const override {
    const std::optional<int64_t> side = side_of_square(puzzle.size());
    if (!side || std::count(puzzle.begin(), puzzle.end(), kStart) != 1 ||
        std::count(puzzle.begin(), puzzle.end(), kEnd) != 1) {
      return "the puzzle is no square with one S and one E";
    }
    if (answer.size() != puzzle.size()) {
      return fmt::format("it has {} cells, and the maze {}", answer.size(), puzzle.size());
    }
    const auto is_given = [](char cell) { return cell == kWall || cell == kStart || cell == kEnd; };
    for (size_t i = 0; i < answer.size(); ++i) {
      const bool is_right = is_given(puzzle[i]) ? answer[i] == puzzle[i]
                                                : answer[i] == kOnTheWay || answer[i] == kAside;
      if (!is_right) {
        return fmt::format("{} holds '{}' where {}",
                           place_in_square(static_cast<int64_t>(i), *side),
                           printable(answer.substr(i, 1)),
                           is_given(puzzle[i]) ? fmt::format("'{}' is given", puzzle[i])
                                               : "'+' or '.' is asked for");
      }
    }
    return fault_of_way({*side, std::string(answer)});
  }
  int64_t grid_rows() const override { return 2 * size_.frame - 1; }
  int64_t grid_columns() const override { return 2 * size_.frame - 1; }

 private:
  static bool is_room(int64_t cell, int64_t side) {
    return cell / side % 2 == 0 && cell % side % 2 == 0;
  }
  // Rooms that one shortest way leads to, which has at least half the steps of the farthest room's,
  // and not to the next room.
  static std::vector<int64_t> far_rooms(const std::vector<Reach>& reaches, int64_t side) {
    int64_t farthest = 0;
    for (const Reach& reach : reaches) {
      farthest = std::max(farthest, reach.steps);
    }
    std::vector<int64_t> rooms;
    for (int64_t cell = 0; cell < side * side; ++cell) {
      const Reach& reach = reaches[static_cast<size_t>(cell)];
      if (is_room(cell, side) && reach.ways == 1 && reach.steps > 0 &&
          2 * reach.steps >= farthest) {
        rooms.push_back(cell);
      }
    }
    return rooms;
  }
  // Of an answer that keeps the maze.
  static std::string fault_of_way(const Cells& solved) {
    const auto start = static_cast<int64_t>(solved.cells.find(kStart));
    const size_t end = solved.cells.find(kEnd);
    const int64_t shortest = reaches_from(solved, start)[end].steps;
    if (shortest < 0) {
      return "no way leads from S to E in this maze";
    }
    const int64_t marked =
        reaches_from(solved, start,
                     [](char cell) { return cell == kOnTheWay || cell == kEnd; })[end]
            .steps;
    if (marked < 0) {
      return "the marked cells do not lead from S to E";
    }
    if (marked > shortest) {
      return fmt::format("the marked way takes {} steps, and the shortest {}", marked, shortest);
    }
    const auto count = std::count(solved.cells.begin(), solved.cells.end(), kOnTheWay);
    return count >= shortest ? fmt::format("{} cells are marked, and the shortest way has {}",
                                           count, shortest - 1)
                             : "";
  }

  FramedSize size_;
  double loops_;
};

}  // namespace

std::unique_ptr<PuzzleGenerator> make_maze_generator(const MazeConfig& config) {
  return std::make_unique<MazeGenerator>(config);
}

}  // namespace ebt
