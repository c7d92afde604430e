// A tokenizer.json of byte-level BPE, read and checked: docs/formats.md describes what is accepted.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/data/added_tokens.h"
#include "ebt/data/text_pattern.h"
#include "ebt/data/unicode.h"

namespace ebt {

// Cuts text at the matches of a pattern.
struct TextSplit {
  enum class Keep { kEverything, kMatches, kGaps };
  TextPattern pattern;
  Keep keep = Keep::kEverything;
};

struct BpeFile {
  static constexpr int32_t kNoToken = -1;
  struct Merge {
    int32_t left = 0;
    int32_t right = 0;
    int32_t merged = 0;
  };

  std::vector<std::string> tokens;  // (V) the bytes of every token; none for the separator
  std::array<int32_t, 256> byte_tokens = {};  // kNoToken only where no UTF-8 has the byte
  std::vector<Merge> merges;                  // in the order of their learning
  std::vector<AddedToken> added_tokens;
  std::vector<bool> is_added;  // (V)
  int32_t document_separator = 0;

  std::vector<NormalForm> normal_forms;  // applied to text one after the other
  std::vector<TextSplit> splits;         // applied one after the other to each part of the last
  bool add_prefix_space = false;         // before every part that begins without one
  std::vector<TextSplit> words;          // at most one: how these parts are cut into words at last
  bool ignore_merges = false;            // a word that is a token is never taken apart
};

// Parses the text of a tokenizer.json. Throws Error, in a sentence that begins with `what`
// ("'tokenizer.json'"), when it is damaged or asks for anything that is not supported.
BpeFile parse_bpe_file(std::string_view text, const std::string& what);

}  // namespace ebt
