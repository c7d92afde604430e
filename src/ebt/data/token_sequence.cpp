#include "ebt/data/token_sequence.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "ebt/data/tokenizer.h"

namespace ebt {

TokenSequence::TokenSequence(std::vector<std::string_view> documents,
                             std::shared_ptr<const void> owner)
    : owner_(std::move(owner)), documents_(std::move(documents)) {
  starts_.reserve(documents_.size());
  for (const std::string_view document : documents_) {
    starts_.push_back(size_);
    size_ += static_cast<int64_t>(document.size()) + 1;
  }
  // No separator after the last document.
  size_ -= documents_.empty() ? 0 : 1;
}

void TokenSequence::copy_tokens(int64_t first, int64_t count, int32_t* out) const {
  assert(first >= 0 && count >= 0 && first <= size_ - count);
  if (count == 0) {
    return;
  }
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), first);
  auto document = static_cast<size_t>(after - starts_.begin()) - 1;
  auto offset = static_cast<size_t>(first - starts_[document]);
  int32_t* const end = out + count;
  while (true) {
    const std::string_view rest = documents_[document].substr(offset);
    const size_t copied = std::min(rest.size(), static_cast<size_t>(end - out));
    out = std::transform(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(copied), out,
                         [](char byte) { return static_cast<unsigned char>(byte); });
    if (out == end) {
      return;
    }
    *out++ = byte_tokenizer()->document_separator();
    if (out == end) {
      return;
    }
    ++document;
    offset = 0;
  }
}

}  // namespace ebt
