#include "ebt/data/tokenizer.h"

#include "ebt/core/error.h"

namespace ebt {

std::vector<int32_t> encode(std::string_view text) {
  std::vector<int32_t> tokens;
  tokens.reserve(text.size());
  for (const char byte : text) {
    tokens.push_back(static_cast<unsigned char>(byte));
  }
  return tokens;
}

std::string decode(std::span<const int32_t> tokens) {
  std::string text;
  text.reserve(tokens.size());
  for (const int32_t token : tokens) {
    EBT_CHECK(token >= 0 && token < kByteVocabularySize,
              "cannot decode token {}: the byte vocabulary has tokens 0 to {}", token,
              kByteVocabularySize - 1);
    if (token != kDocumentSeparator) {
      text.push_back(static_cast<char>(token));
    }
  }
  return text;
}

}  // namespace ebt
