// The byte-level tokenizer: every byte is a token, and one more stands between documents.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebt {

inline constexpr int32_t kDocumentSeparator = 256;
inline constexpr int64_t kByteVocabularySize = 257;

// One token for each byte of `text`.
std::vector<int32_t> encode(std::string_view text);
// The bytes of the tokens; separators have none. Throws Error for a token outside the vocabulary.
std::string decode(std::span<const int32_t> tokens);

}  // namespace ebt
