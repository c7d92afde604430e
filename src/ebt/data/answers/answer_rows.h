// Interface of sources of token rows of which some tokens are known and the others asked for.
#pragma once

#include <cstdint>
#include <vector>

#include "ebt/core/tensor.h"

namespace ebt {

struct AnswerBatch {
  std::vector<int32_t> tokens;  // (B, N) what stands there, be it asked for or not
  std::vector<uint8_t> known;   // (B, N) 1: given, 0: asked for
  int64_t rows = 0;             // B
  int64_t length = 0;           // N

  // Leaves the values as they are, or zero.
  void resize(int64_t new_rows, int64_t new_length) {
    rows = new_rows;
    length = new_length;
    tokens.resize(static_cast<size_t>(rows * length));
    known.resize(static_cast<size_t>(rows * length));
  }
  Tensor<const int32_t> token_view() const { return {tokens.data(), {rows, length}}; }
  Tensor<const uint8_t> known_view() const { return {known.data(), {rows, length}}; }
};

// An endless series of rows to learn from. Row r depends on nothing but r: to resume, go on with
// the next row. Not thread-safe.
class AnswerSeries {
 public:
  virtual ~AnswerSeries() = default;
  // Makes `batch` the rows [first_row, first_row + rows) of the series.
  virtual void fill(AnswerBatch& batch, int64_t first_row, int64_t rows) = 0;
};

// Rows to measure on. Safe to read from many threads.
class AnswerSet {
 public:
  virtual ~AnswerSet() = default;
  virtual int64_t count() const = 0;
  // Makes `batch` the rows [first_row, first_row + rows), which must be among the count().
  virtual void fill(AnswerBatch& batch, int64_t first_row, int64_t rows) const = 0;

  // Makes `batch` the places [first, first + rows) of `total` rows that lie evenly in the set.
  void fill_evenly(AnswerBatch& batch, int64_t first, int64_t rows, int64_t total) const;
};

}  // namespace ebt
