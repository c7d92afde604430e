// Rows of answers drawn on a terminal while they are thought about.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ebt/data/answers/answer_format.h"

namespace ebt {

// The cells of a row as lines of a terminal: those of a grid, with rules between its boxes, or else
// one behind the other. What is given is bold; other cells are coloured by how sure they are, from
// orange to blue.
class BoardView {
 public:
  BoardView(const AnswerFormat& format, std::vector<uint8_t> known);

  // A row (N) with the probabilities of its tokens (N), beside `notes`, one a line.
  std::vector<std::string> lines(std::span<const int32_t> tokens, std::span<const float> sureness,
                                 const std::vector<std::string>& notes) const;
  // Draws it on standard output, over what was drawn before.
  void draw(std::span<const int32_t> tokens, std::span<const float> sureness,
            const std::vector<std::string>& notes);

 private:
  std::string cell(int64_t index, std::span<const int32_t> tokens,
                   std::span<const float> sureness) const;
  std::string rule() const;  // below a row of boxes

  AnswerFormat format_;
  std::vector<uint8_t> known_;
  int64_t columns_, box_rows_, box_columns_;
  bool grid_;
  size_t drawn_lines_ = 0;
};

}  // namespace ebt
