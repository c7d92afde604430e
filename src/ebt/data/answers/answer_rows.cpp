#include "ebt/data/answers/answer_rows.h"

#include <algorithm>

#include "ebt/data/even_choice.h"

namespace ebt {

void AnswerSet::fill_evenly(AnswerBatch& batch, int64_t first, int64_t rows, int64_t total) const {
  AnswerBatch one;
  for (int64_t row = 0; row < rows; ++row) {
    fill(one, spread_place(first + row, total, count()), 1);
    if (row == 0) {
      batch.resize(rows, one.length);
    }
    std::copy(one.tokens.begin(), one.tokens.end(), batch.tokens.begin() + row * batch.length);
    std::copy(one.known.begin(), one.known.end(), batch.known.begin() + row * batch.length);
  }
}

}  // namespace ebt
