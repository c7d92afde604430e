// A small tokenizer.json, to be changed by tests.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ebt/core/unicode.h"

namespace ebt::testing {

// Byte-level BPE with the 256 bytes (ids 0 .. 255 in the order of the bytes), then "he", "ll",
// "hell", "hello", "Ġh", "Ġhello" (256 .. 261) by the merges, and the special token <|endoftext|>
// (262).
inline nlohmann::json small_tokenizer() {
  nlohmann::json vocabulary = nlohmann::json::object();
  char32_t unprintable = 256;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD);
    vocabulary[to_utf8(printable ? byte : unprintable++)] = static_cast<int>(byte);
  }
  int next = 256;
  for (const char* token : {"he", "ll", "hell", "hello", "\u0120h", "\u0120hello"}) {
    vocabulary[token] = next++;
  }
  return {{"version", "1.0"},
          {"added_tokens", {{{"id", next}, {"content", "<|endoftext|>"}, {"special", true}}}},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model",
           {{"type", "BPE"},
            {"vocab", vocabulary},
            {"merges", {"h e", "l l", "he ll", "hell o", "\u0120 h", "\u0120 hello"}}}}};
}

}  // namespace ebt::testing
