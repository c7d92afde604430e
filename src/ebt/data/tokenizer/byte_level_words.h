// GPT-2's splitting of text into words, which a tokenizer.json calls ByteLevel.
#pragma once

#include <functional>
#include <string_view>

namespace ebt {

// Contractions, letters, digits, other signs, and white space, of which the last blank belongs to
// the word behind it.
inline constexpr char kByteLevelPattern[] =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// Calls on_word for every match of this pattern in valid UTF-8, which together are the text. Many
// times as fast as the regular expression.
void split_byte_level_words(std::string_view text,
                            const std::function<void(std::string_view word)>& on_word);

}  // namespace ebt
