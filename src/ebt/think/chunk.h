// How the candidates of a batch are cut into chunks, which are thought about and learned from one
// after the other in the same memory: candidates that do not see each other may be.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "ebt/core/tensor.h"

namespace ebt {

// Positions of a row.
struct QueryRange {
  int64_t begin = 0;
  int64_t end = 0;

  int64_t count() const { return end - begin; }
  bool operator==(const QueryRange&) const = default;
};

// The least range that holds every target of (batch, context); empty where there is none.
QueryRange range_of_targets(Tensor<const int32_t> targets);

// The same part of some rows of a batch.
struct Chunk {
  int64_t first_row, rows;
  int64_t first_query, queries;
  int64_t queries_in_row;

  int64_t count() const { return rows * queries; }
  // Calls visit(first, at, n) for all positions of the chunk: n that follow each other in the batch
  // from `first` on, and in the chunk from `at` on.
  template <class Visit>
  void for_each_run(const Visit& visit) const {
    const bool whole = queries == queries_in_row;
    const int64_t runs = whole ? 1 : rows;
    const int64_t length = whole ? count() : queries;
    for (int64_t run = 0; run < runs; ++run) {
      visit((first_row + run) * queries_in_row + first_query, run * length, length);
    }
  }
};

// Cuts a range of the `context` positions of every row into chunks of about `positions`, none
// larger than those of the whole context: all of one shape but the last, or the last of every row.
std::vector<Chunk> cut_into_chunks(int64_t batch, int64_t context, QueryRange range,
                                   int64_t positions);

// Positions per chunk that keep products large and logits in the cache of a core or near it.
inline int64_t default_chunk_positions(int64_t vocab) { return vocab > 8192 ? 256 : 512; }

// Rows that are thought about as a whole.
inline std::vector<Chunk> cut_rows_into_chunks(int64_t batch, int64_t rows) {
  return cut_into_chunks(batch, 1, {0, 1}, rows);
}

}  // namespace ebt
