// Tokens cut into the rows that a model reads: shuffled for training, in order for validation.
#pragma once

#include <cstdint>
#include <vector>

#include "ebt/data/text/rows.h"
#include "ebt/data/text/token_sequence.h"

namespace ebt {

// Every epoch cuts the tokens, from a random offset below `context` on, into windows of context + 1
// tokens that share one token with the next, and visits them in random order. Row r is a function
// of (tokens, context, seed, r) alone. The order of the last epoch asked for is kept.
class TrainingWindows : public RowSeries {
 public:
  // Throws Error when there are fewer than context + 1 tokens.
  TrainingWindows(TokenSequence tokens, int64_t context, uint64_t seed);

  // Rows in an epoch.
  int64_t epoch_rows() const { return epoch_rows_; }
  void fill(Batch& batch, int64_t first_row, int64_t rows) override;
  size_t order_bytes() const override { return sizeof(int64_t) * static_cast<size_t>(epoch_rows_); }

 private:
  void shuffle(int64_t epoch);

  TokenSequence tokens_;
  int64_t context_;
  uint64_t seed_;
  int64_t epoch_rows_;
  // Of the epoch that was asked for last.
  int64_t epoch_ = -1;
  int64_t offset_ = 0;
  std::vector<int64_t> order_;
};

// All tokens but the first as targets, each exactly once, in order: windows follow one another with
// a stride of `context`. Targets beyond the last token are kIgnoredTarget, inputs there 0.
class ValidationWindows : public RowSet {
 public:
  ValidationWindows(TokenSequence tokens, int64_t context);

  // 0 when there are fewer than two tokens.
  int64_t count() const override;
  void fill(Batch& batch, int64_t first_row, int64_t rows) const override;

 private:
  TokenSequence tokens_;
  int64_t context_;
};

}  // namespace ebt
