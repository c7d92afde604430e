// Generator of additions as on paper, a digit a column.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ebt/data/puzzle/puzzle_generator.h"

namespace ebt {

// Rows of one mark and W digits, leading zeros among them: '.' and the first number, '+' and the
// second, '=' and the sum, which is asked for; with carries above them a row of 'c' and of what
// every column takes over from the one to its right. '?' is a digit that is asked for.
struct AdditionConfig {
  std::string digits = "3";
  int64_t frame = 0;
  bool carries = false;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("digits", digits, "digits of both numbers, drawn for every puzzle: 3, or 1-5");
    visit("frame", frame,
          "digits of the numbers that a row has cells for: shorter ones begin with zeros, so that "
          "one model sees several sizes; 0: the largest of --digits");
    visit("carries", carries, "ask for the carries as well");
  }
  // What answers are checked by: the puzzle alone.
  template <class Visitor>
  void visit_shape(Visitor&& /*visit*/) {}
};

// Throws Error naming the first impossible field.
std::unique_ptr<PuzzleGenerator> make_addition_generator(const AdditionConfig& config);

}  // namespace ebt
