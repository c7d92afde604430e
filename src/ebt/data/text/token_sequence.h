// Documents read as one sequence of tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "ebt/data/tokenizer/tokenizer.h"

namespace ebt {

// What a text source knows about the tokens of a tokenizer.
struct Vocabulary {
  int32_t document_separator = 0;
  std::vector<int32_t> token_bytes;  // (V) bytes of text that a token stands for
  // The same for all tokenizers with the same tokens under the same ids.
  uint64_t fingerprint = 0;

  int64_t size() const { return static_cast<int64_t>(token_bytes.size()); }
};
std::shared_ptr<const Vocabulary> vocabulary_of(const Tokenizer& tokenizer);

// Tokens that lie in memory one after the other.
struct TokenSpan {
  const std::byte* data = nullptr;
  int64_t count = 0;
  int32_t token_bytes = 1;    // that a token takes: 1, 2 or 4, little-endian
  bool ends_document = true;  // else the document goes on in the next span
};

// The tokens of some documents, with one separator between each and the next. Nothing is copied:
// tokens are widened when asked for. Copies share the memory, and keep it alive.
class TokenSequence {
 public:
  TokenSequence() = default;
  // `owner` keeps the memory of the spans alive.
  TokenSequence(std::vector<TokenSpan> spans, std::shared_ptr<const Vocabulary> vocabulary,
                std::shared_ptr<const void> owner);
  // Documents whose bytes are tokens.
  TokenSequence(const std::vector<std::string_view>& documents, std::shared_ptr<const void> owner);

  // Number of tokens.
  int64_t size() const { return size_; }
  // Writes tokens [first, first + count) to out. The range must lie within the sequence. Throws
  // Error when one is not in the vocabulary: files may be damaged.
  void copy_tokens(int64_t first, int64_t count, int32_t* out) const;
  int32_t token(int64_t position) const {
    int32_t token = 0;
    copy_tokens(position, 1, &token);
    return token;
  }
  // Bytes of text that tokens stand for; separators and negative numbers stand for none.
  int64_t bytes_of(std::span<const int32_t> tokens) const;

 private:
  std::shared_ptr<const void> owner_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  std::vector<TokenSpan> spans_;
  std::vector<int64_t> starts_;  // position of each span's first token
  int64_t size_ = 0;
};

// One span for each document.
std::vector<TokenSpan> byte_spans(const std::vector<std::string_view>& documents);

}  // namespace ebt
