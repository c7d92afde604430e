// A tokenizer.json of byte-pair encoding, read and checked: docs/formats.md describes what is
// accepted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/data/tokenizer/added_tokens.h"
#include "ebt/data/tokenizer/bpe_model.h"
#include "ebt/data/tokenizer/end_of_text.h"
#include "ebt/data/tokenizer/pre_tokenizer.h"
#include "ebt/data/tokenizer/text_normalizer.h"

namespace ebt {

struct BpeFile {
  TextNormalizer normalizer;
  PreTokenizer pre_tokenizer;
  BpeModel model;
  std::vector<AddedToken> added_tokens;
  std::vector<std::string> texts;  // (V) the bytes of every token; none for the separator and where
                                   // an id has no token
  int32_t document_separator = 0;
  std::string separator_name;  // the separator as the file writes it
};

// Parses the text of a tokenizer.json. Throws Error, in a sentence that begins with `what`
// ("'tokenizer.json'"), when it is damaged, and UnsupportedTokenizer when it asks for anything that
// is not supported.
BpeFile parse_bpe_file(std::string_view text, const EndOfText& end_of_text,
                       const std::string& what);

}  // namespace ebt
