// Generator of graphs whose nodes are to be coloured so that no edge joins two of one colour.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ebt/data/puzzle/puzzle_generator.h"

namespace ebt {

// A graph of N nodes is its N x N adjacency matrix: 'x' an edge, '-' none, and on the diagonal the
// colour of a node, '1' to '9', which is given or asked for. '#' stands for nodes that are not
// there.
struct ColouringConfig {
  std::string nodes = "8";
  int64_t frame = 0;
  int64_t colours = 3;
  double degree = 4;
  std::string holes;
  bool unique = false;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("nodes", nodes, "nodes of the graph, drawn for every puzzle: 8, or 6-12");
    visit("frame", frame,
          "nodes that a row has cells for: smaller graphs are some of them, so that one model sees "
          "several sizes; 0: the largest of --nodes");
    visit_shape(visit);
    visit(
        "degree", degree,
        "edges of a node on average, as far as a colouring allows; graphs of 3 colours are hardest "
        "near 4.7");
    visit("holes", holes,
          "nodes whose colour is asked for, drawn for every puzzle: 5, or 3-6, and never more than "
          "there are; default: from half of them to all but one of each colour");
    visit("unique", unique,
          "only puzzles with one solution; else there may be several, and any is right");
  }
  // What answers are checked by.
  template <class Visitor>
  void visit_shape(Visitor&& visit) {
    visit("colours", colours, "colours, 2 to 9");
  }
};

// Throws Error naming the first impossible field.
std::unique_ptr<PuzzleGenerator> make_colouring_generator(const ColouringConfig& config);

}  // namespace ebt
