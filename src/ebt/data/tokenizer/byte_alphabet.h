// The characters that stand for bytes in the vocabulary of a byte-level tokenizer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ebt {

// Every byte as its character, in UTF-8: printable ones stand for themselves.
std::string to_byte_alphabet(std::string_view bytes);
// The bytes that the characters of valid UTF-8 stand for; none where one stands for no byte.
std::optional<std::string> from_byte_alphabet(std::string_view text);

}  // namespace ebt
