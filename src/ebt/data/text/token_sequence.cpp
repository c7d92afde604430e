#include "ebt/data/text/token_sequence.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/io/checksum.h"

namespace ebt {
namespace {

static_assert(std::endian::native == std::endian::little, "tokens are mapped as they are stored");

// Widens `count` tokens and returns the largest, as a number without sign.
template <class Stored>
uint32_t widen(const std::byte* data, int64_t count, int32_t* out) {
  uint32_t largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    Stored token = 0;
    std::memcpy(&token, data + i * static_cast<int64_t>(sizeof token), sizeof token);
    out[i] = static_cast<int32_t>(token);
    largest = std::max<uint32_t>(largest, token);
  }
  return largest;
}

uint32_t widen(const TokenSpan& span, int64_t offset, int64_t count, int32_t* out) {
  const std::byte* const data = span.data + offset * span.token_bytes;
  return span.token_bytes == 1   ? widen<uint8_t>(data, count, out)
         : span.token_bytes == 2 ? widen<uint16_t>(data, count, out)
                                 : widen<uint32_t>(data, count, out);
}

}  // namespace

std::shared_ptr<const Vocabulary> vocabulary_of(const Tokenizer& tokenizer) {
  auto vocabulary = std::make_shared<Vocabulary>();
  vocabulary->document_separator = tokenizer.document_separator();
  Checksum fingerprint;
  fingerprint.add(static_cast<uint64_t>(vocabulary->document_separator));
  const auto size = static_cast<int32_t>(tokenizer.vocabulary_size());
  for (int32_t token = 0; token < size; ++token) {
    const std::string text = tokenizer.decode({&token, 1});
    vocabulary->token_bytes.push_back(static_cast<int32_t>(text.size()));
    fingerprint.add(uint64_t{text.size()});
    fingerprint.add(text);
  }
  vocabulary->fingerprint = fingerprint.value();
  return vocabulary;
}

std::vector<TokenSpan> byte_spans(const std::vector<std::string_view>& documents) {
  std::vector<TokenSpan> spans;
  spans.reserve(documents.size());
  for (const std::string_view document : documents) {
    spans.push_back({reinterpret_cast<const std::byte*>(document.data()),
                     static_cast<int64_t>(document.size())});
  }
  return spans;
}

TokenSequence::TokenSequence(std::vector<TokenSpan> spans,
                             std::shared_ptr<const Vocabulary> vocabulary,
                             std::shared_ptr<const void> owner)
    : owner_(std::move(owner)), vocabulary_(std::move(vocabulary)), spans_(std::move(spans)) {
  // One without tokens or separator would stand where the next one starts.
  std::erase_if(spans_, [](const TokenSpan& s) { return s.count == 0 && !s.ends_document; });
  if (!spans_.empty()) {
    spans_.back().ends_document = false;  // no separator after the last document
  }
  starts_.reserve(spans_.size());
  for (const TokenSpan& span : spans_) {
    starts_.push_back(size_);
    size_ += span.count + (span.ends_document ? 1 : 0);
  }
}

TokenSequence::TokenSequence(const std::vector<std::string_view>& documents,
                             std::shared_ptr<const void> owner)
    : TokenSequence(byte_spans(documents), vocabulary_of(*byte_tokenizer()), std::move(owner)) {}

void TokenSequence::copy_tokens(int64_t first, int64_t count, int32_t* out) const {
  assert(first >= 0 && count >= 0 && first <= size_ - count);
  if (count == 0) {
    return;
  }
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), first);
  auto index = static_cast<size_t>(after - starts_.begin()) - 1;
  int64_t offset = first - starts_[index];
  for (int32_t* const end = out + count; out != end; ++index, offset = 0) {
    const TokenSpan& span = spans_[index];
    const int64_t copied = std::min<int64_t>(span.count - offset, end - out);
    const uint32_t largest = widen(span, offset, copied, out);
    EBT_CHECK(largest < vocabulary_->token_bytes.size(),
              "the prepared text is damaged: it has a token {}, and the tokenizer has {}", largest,
              vocabulary_->size());
    out += copied;
    if (span.ends_document && out != end) {
      *out++ = vocabulary_->document_separator;
    }
  }
}

int64_t TokenSequence::bytes_of(std::span<const int32_t> tokens) const {
  int64_t bytes = 0;
  for (const int32_t token : tokens) {
    bytes += token < 0 ? 0 : vocabulary_->token_bytes[static_cast<size_t>(token)];
  }
  return bytes;
}

}  // namespace ebt
