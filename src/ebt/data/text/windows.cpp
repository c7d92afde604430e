#include "ebt/data/text/windows.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/kernels/rng.h"

namespace ebt {

TrainingWindows::TrainingWindows(TokenSequence tokens, int64_t context, uint64_t seed)
    : tokens_(std::move(tokens)), context_(context), seed_(seed) {
  EBT_CHECK(context >= 1, "the context must be at least one token, not {}", context);
  EBT_CHECK(tokens_.size() > context,
            "the training text has {} tokens, and a context of {} needs at least {}",
            tokens_.size(), context, context + 1);
  // As many as fit behind any offset below context, so that all epochs are equally long.
  epoch_rows_ = std::max<int64_t>(1, (tokens_.size() - context) / context);
}

void TrainingWindows::shuffle(int64_t epoch) {
  const RandomStream random{seed_, RandomPurpose::kDataOrder, static_cast<uint64_t>(epoch)};
  const int64_t unused_tokens = tokens_.size() - 1 - epoch_rows_ * context_;
  const int64_t offsets = std::min(context_, unused_tokens + 1);
  offset_ = static_cast<int64_t>(random.below(static_cast<uint64_t>(offsets), 0));
  order_.resize(static_cast<size_t>(epoch_rows_));
  std::iota(order_.begin(), order_.end(), int64_t{0});
  for (size_t last = order_.size() - 1; last > 0; --last) {
    std::swap(order_[last], order_[random.below(last + 1, last)]);
  }
  epoch_ = epoch;
}

void TrainingWindows::fill(Batch& batch, int64_t first_row, int64_t rows) {
  batch.resize(rows, context_);
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t epoch = (first_row + row) / epoch_rows_;
    if (epoch != epoch_) {
      shuffle(epoch);
    }
    const auto place = static_cast<size_t>((first_row + row) % epoch_rows_);
    const int64_t first_token = offset_ + order_[place] * context_;
    tokens_.copy_tokens(first_token, context_, batch.inputs.data() + row * context_);
    tokens_.copy_tokens(first_token + 1, context_, batch.targets.data() + row * context_);
  }
  batch.target_bytes = tokens_.bytes_of(batch.targets);
}

ValidationWindows::ValidationWindows(TokenSequence tokens, int64_t context)
    : tokens_(std::move(tokens)), context_(context) {
  EBT_CHECK(context >= 1, "the context must be at least one token, not {}", context);
}

int64_t ValidationWindows::count() const {
  const int64_t targets = std::max<int64_t>(0, tokens_.size() - 1);
  return (targets + context_ - 1) / context_;
}

void ValidationWindows::fill(Batch& batch, int64_t first_row, int64_t rows) const {
  EBT_CHECK(first_row >= 0 && rows >= 0 && first_row <= count() - rows,
            "validation rows {} to {} were asked for, but there are {}", first_row,
            first_row + rows - 1, count());
  batch.resize(rows, context_);
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t first_token = (first_row + row) * context_;
    const int64_t used = std::min(context_, tokens_.size() - 1 - first_token);
    int32_t* const inputs = batch.inputs.data() + row * context_;
    int32_t* const targets = batch.targets.data() + row * context_;
    tokens_.copy_tokens(first_token, used, inputs);
    tokens_.copy_tokens(first_token + 1, used, targets);
    std::fill(inputs + used, inputs + context_, 0);
    std::fill(targets + used, targets + context_, kIgnoredTarget);
  }
  batch.target_bytes = tokens_.bytes_of(batch.targets);
}

}  // namespace ebt
