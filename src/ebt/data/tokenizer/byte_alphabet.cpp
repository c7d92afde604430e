#include "ebt/data/tokenizer/byte_alphabet.h"

#include <array>
#include <unordered_map>

#include "ebt/core/unicode.h"

namespace ebt {
namespace {

// Printable bytes stand for themselves, the others for the code points from 256 on.
std::array<std::string, 256> characters_of_bytes() {
  std::array<std::string, 256> characters;
  char32_t next = 256;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
    characters[byte] = to_utf8(printable ? byte : next++);
  }
  return characters;
}

const std::array<std::string, 256>& characters() {
  static const std::array<std::string, 256> table = characters_of_bytes();
  return table;
}

}  // namespace

std::string to_byte_alphabet(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += characters()[static_cast<unsigned char>(byte)];
  }
  return text;
}

std::optional<std::string> from_byte_alphabet(std::string_view text) {
  static const std::unordered_map<char32_t, char> byte_of = [] {
    std::unordered_map<char32_t, char> table;
    for (size_t byte = 0; byte < 256; ++byte) {
      table.emplace(first_character(characters()[byte]), static_cast<char>(byte));
    }
    return table;
  }();
  std::string bytes;
  for (; !text.empty(); text.remove_prefix(first_character_bytes(text))) {
    const auto byte = byte_of.find(first_character(text));
    if (byte == byte_of.end()) {
      return std::nullopt;
    }
    bytes.push_back(byte->second);
  }
  return bytes;
}

}  // namespace ebt
