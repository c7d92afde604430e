#include "ebt/data/puzzle/colouring_generator.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "ebt/core/error.h"
#include "ebt/core/printable.h"
#include "ebt/data/puzzle/square.h"

namespace ebt {
namespace {

constexpr int64_t kMostNodes = 64;
constexpr char kEdge = 'x';
constexpr char kNoEdge = '-';
constexpr char kAbsent = '#';

struct Graph {
  size_t nodes = 0;
  std::vector<bool> edges;  // (nodes, nodes)

  bool has_edge(size_t a, size_t b) const { return edges[a * nodes + b]; }
};

// The colour of every node, from 1; 0: none yet.
using Colours = std::vector<int64_t>;

// Counts colourings that agree with what is given, until two are found or the search has grown too
// large: always of the node for which fewest colours are left.
struct ColouringCount {
  const Graph& graph;
  int64_t colours;
  int64_t placements_left;
  int64_t found = 0;

  std::vector<int64_t> colours_left(const Colours& given, size_t node) const {
    std::vector<int64_t> left;
    for (int64_t colour = 1; colour <= colours; ++colour) {
      bool is_free = true;
      for (size_t other = 0; other < graph.nodes && is_free; ++other) {
        is_free = !graph.has_edge(node, other) || given[other] != colour;
      }
      if (is_free) {
        left.push_back(colour);
      }
    }
    return left;
  }
  // True: the search is over.
  bool run(Colours& given) {
    std::optional<size_t> best;
    std::vector<int64_t> left;
    for (size_t node = 0; node < graph.nodes; ++node) {
      if (given[node] == 0) {
        std::vector<int64_t> of_node = colours_left(given, node);
        if (!best || of_node.size() < left.size()) {
          best = node;
          left = std::move(of_node);
        }
      }
    }
    if (!best) {
      return ++found == 2;
    }
    for (const int64_t colour : left) {
      if (--placements_left < 0) {
        return true;
      }
      given[*best] = colour;
      if (run(given)) {
        return true;
      }
    }
    given[*best] = 0;
    return false;
  }
};

class ColouringGenerator : public PuzzleGenerator {
 public:
  explicit ColouringGenerator(const ColouringConfig& config)
      : size_(framed_size("--nodes", config.nodes, config.frame, 2, kMostNodes)),
        colours_(config.colours),
        degree_(config.degree),
        unique_(config.unique) {
    constexpr int64_t kMostColours = 9;
    check_between("--colours", colours_, 2, kMostColours);
    EBT_CHECK(degree_ >= 0 && degree_ <= static_cast<double>(kMostNodes),
              "--degree: {} is not between 0 and {}", degree_, kMostNodes);
    if (!config.holes.empty()) {
      holes_ = parse_range("--holes", config.holes);
      EBT_CHECK(holes_->least >= 1 && holes_->least <= size_.sizes.least,
                "--holes: a graph of {} nodes has 1 to {} to colour, not {}", size_.sizes.least,
                size_.sizes.least, holes_->least);
    }
  }

  PuzzleRow draw(RandomDraws& draws) const override {
    constexpr int kAttempts = 1000;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const int64_t nodes = draws.between(size_.sizes.least, size_.sizes.most);
      const int64_t holes = draw_holes(nodes, draws);
      Colours solved(static_cast<size_t>(nodes));
      for (int64_t& colour : solved) {
        colour = draws.between(1, colours_);
      }
      const Graph graph = draw_graph(solved, draws);
      Colours given = solved;
      std::vector<size_t> order(given.size());
      std::iota(order.begin(), order.end(), 0);
      draws.shuffle(order);
      for (size_t i = 0; i < static_cast<size_t>(holes); ++i) {
        given[order[i]] = 0;
      }
      if (!unique_ || has_one_colouring(graph, given)) {
        return rows_of(graph, given, solved, draws);
      }
    }
    fail(
        "--unique: no graph with one colouring was found in {}: ask for fewer --holes or a higher "
        "--degree",
        kAttempts);
  }
  std::string fault(std::string_view puzzle, std::string_view answer) const override {
    const std::optional<int64_t> side = side_of_square(puzzle.size());
    if (!side) {
      return "the puzzle is no square";
    }
    if (answer.size() != puzzle.size()) {
      return fmt::format("it has {} cells, and the graph {}", answer.size(), puzzle.size());
    }
    const auto nodes = static_cast<size_t>(*side);
    for (size_t i = 0; i < answer.size(); ++i) {
      const bool is_asked = i % (nodes + 1) == 0 && puzzle[i] == kUnknownCell;
      const bool is_colour = answer[i] >= '1' && answer[i] <= '0' + colours_;
      if (is_asked ? !is_colour : answer[i] != puzzle[i]) {
        return fmt::format("{} holds '{}' where {}",
                           place_in_square(static_cast<int64_t>(i), *side),
                           printable(answer.substr(i, 1)),
                           is_asked ? fmt::format("a colour of 1 to {} is asked for", colours_)
                                    : fmt::format("'{}' is given", printable(puzzle.substr(i, 1))));
      }
    }
    for (size_t a = 0; a < nodes; ++a) {
      for (size_t b = 0; b < a; ++b) {
        const bool joined = puzzle[a * nodes + b] == kEdge || puzzle[b * nodes + a] == kEdge;
        if (joined && answer[a * (nodes + 1)] == answer[b * (nodes + 1)]) {
          return fmt::format("nodes {} and {} are joined, and both have colour {}", b + 1, a + 1,
                             answer[a * (nodes + 1)]);
        }
      }
    }
    return "";
  }
  int64_t grid_rows() const override { return size_.frame; }
  int64_t grid_columns() const override { return size_.frame; }

 private:
  int64_t draw_holes(int64_t nodes, RandomDraws& draws) const {
    const int64_t half = (nodes + 1) / 2;
    return holes_ ? draws.between(holes_->least, std::min(holes_->most, nodes))
                  : draws.between(half, std::max(half, nodes - colours_));
  }
  // Each pair of nodes of different colours is joined with the chance that gives the degree.
  Graph draw_graph(const Colours& solved, RandomDraws& draws) const {
    Graph graph{solved.size(), std::vector<bool>(solved.size() * solved.size())};
    std::vector<std::pair<size_t, size_t>> pairs;
    for (size_t a = 0; a < graph.nodes; ++a) {
      for (size_t b = 0; b < a; ++b) {
        if (solved[a] != solved[b]) {
          pairs.emplace_back(a, b);
        }
      }
    }
    const double wanted = degree_ * static_cast<double>(graph.nodes) / 2;
    for (const auto& [a, b] : pairs) {
      if (draws.uniform() * static_cast<double>(pairs.size()) < wanted) {
        graph.edges[a * graph.nodes + b] = true;
        graph.edges[b * graph.nodes + a] = true;
      }
    }
    return graph;
  }
  bool has_one_colouring(const Graph& graph, Colours given) const {
    constexpr int64_t kPlacements = 100'000;
    ColouringCount count{graph, colours_, kPlacements};
    count.run(given);
    return count.found == 1 && count.placements_left >= 0;
  }
  // The nodes are some of the frame's.
  PuzzleRow rows_of(const Graph& graph, const Colours& given, const Colours& solved,
                    RandomDraws& draws) const {
    const auto frame = static_cast<size_t>(size_.frame);
    std::vector<size_t> places(frame);
    std::iota(places.begin(), places.end(), 0);
    draws.shuffle(places);
    PuzzleRow row;
    row.puzzle.assign(frame * frame, kAbsent);
    for (size_t a = 0; a < graph.nodes; ++a) {
      for (size_t b = 0; b < graph.nodes; ++b) {
        row.puzzle[places[a] * frame + places[b]] = graph.has_edge(a, b) ? kEdge : kNoEdge;
      }
    }
    row.solution = row.puzzle;
    for (size_t node = 0; node < graph.nodes; ++node) {
      const size_t cell = places[node] * (frame + 1);
      row.puzzle[cell] = static_cast<char>('0' + given[node]);
      row.solution[cell] = static_cast<char>('0' + solved[node]);
    }
    return row;
  }

  FramedSize size_;
  int64_t colours_;
  double degree_;
  std::optional<NumberRange> holes_;
  bool unique_;
};

}  // namespace

std::unique_ptr<PuzzleGenerator> make_colouring_generator(const ColouringConfig& config) {
  return std::make_unique<ColouringGenerator>(config);
}

}  // namespace ebt
