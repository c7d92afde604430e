// Old predictions that thinking takes up again: some rows of every S2 batch start where an earlier
// training step ended.
#pragma once

#include <cstdint>
#include <vector>

#include "ebt/data/text/batch.h"
#include "ebt/kernels/rng.h"

namespace ebt {

// Rows of text and where thinking about them ended.
template <class T>
struct ThoughtRows {
  Batch text;             // (B, S)
  std::vector<T> logits;  // (B, S, V)

  // Zeros for `rows` rows.
  void resize(int64_t rows, int64_t context, int64_t vocab_size);
};

// The last `capacity` rows that were pushed, oldest out first. Memory is taken at construction.
template <class T>
class ReplayBuffer {
 public:
  ReplayBuffer(int64_t capacity, int64_t context, int64_t vocab_size);

  // Rows it holds now.
  int64_t size() const { return size_; }
  int64_t capacity() const { return slots_.text.rows; }
  int64_t context() const { return slots_.text.context; }
  int64_t vocab_size() const { return vocab_size_; }

  // Keeps all rows, the last `capacity` of them when they are more.
  void push(const ThoughtRows<T>& rows);

  // Copies min(count, size()) different rows, every one equally likely, into the first rows of
  // `sample`, and returns their number. The same stream and content give the same rows.
  int64_t draw(const RandomStream& stream, int64_t count, ThoughtRows<T>& sample) const;

  // The state to save: the first size() rows of `slots`, and the slot that the next push fills.
  ThoughtRows<T>& slots() { return slots_; }
  int64_t next() const { return next_; }
  // Declares slots [0, size) filled, as they were when `next` was saved. Throws Error when the
  // numbers cannot belong to this buffer.
  void restore(int64_t size, int64_t next);

 private:
  void copy_row(const ThoughtRows<T>& from, int64_t from_row, ThoughtRows<T>& to,
                int64_t to_row) const;

  int64_t vocab_size_;
  ThoughtRows<T> slots_;
  int64_t size_ = 0;
  int64_t next_ = 0;
};

}  // namespace ebt
