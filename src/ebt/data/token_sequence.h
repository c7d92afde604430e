// Documents read as one sequence of tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace ebt {

// The bytes of some documents, with one document separator between each and the next. Nothing is
// copied: tokens are made from the bytes when asked for. Copies share the bytes, and keep them
// alive.
class TokenSequence {
 public:
  TokenSequence() = default;
  // `owner` keeps the memory of the documents alive.
  TokenSequence(std::vector<std::string_view> documents, std::shared_ptr<const void> owner);

  // Number of tokens.
  int64_t size() const { return size_; }
  // Writes tokens [first, first + count) to out. The range must lie within the sequence.
  void copy_tokens(int64_t first, int64_t count, int32_t* out) const;
  int32_t token(int64_t position) const {
    int32_t token = 0;
    copy_tokens(position, 1, &token);
    return token;
  }

 private:
  std::shared_ptr<const void> owner_;
  std::vector<std::string_view> documents_;
  std::vector<int64_t> starts_;  // position of each document's first token
  int64_t size_ = 0;
};

}  // namespace ebt
