// Interfaces of sources of token rows, for training and for validation; rows are addressed by
// number.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ebt/data/text/batch.h"

namespace ebt {

// An endless series of rows to learn from. Row r depends on nothing but r: to resume, go on with
// the next row. Not thread-safe.
class RowSeries {
 public:
  virtual ~RowSeries() = default;
  // Makes `batch` the rows [first_row, first_row + rows) of the series.
  virtual void fill(Batch& batch, int64_t first_row, int64_t rows) = 0;
  // Bytes that the first fill() takes and keeps.
  virtual size_t order_bytes() const { return 0; }
};

// Rows to measure on. Safe to read from many threads.
class RowSet {
 public:
  virtual ~RowSet() = default;
  virtual int64_t count() const = 0;
  // Makes `batch` the rows [first_row, first_row + rows), which must be among the count().
  virtual void fill(Batch& batch, int64_t first_row, int64_t rows) const = 0;
};

}  // namespace ebt
