// Byte-pair encoding of words: the "model" of a tokenizer.json.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ebt/data/tokenizer/byte_pair_merger.h"
#include "ebt/data/tokenizer/json_part.h"
#include "ebt/data/tokenizer/word_cache.h"

namespace ebt {

// Once made, safe to use from many threads.
class BpeModel {
 public:
  using Tokens = std::vector<int32_t>;
  using Ids = std::unordered_map<std::string, int32_t, TextHash, std::equal_to<>>;

  // Words of a byte-level model are bytes, and its vocabulary is written in the byte alphabet;
  // words of others are characters. Throws Error when the model is damaged, asks for what is not
  // supported, or cannot write every text.
  BpeModel(const JsonPart& model, bool byte_level);

  // The tokens by their names in the file.
  const Ids& vocabulary() const { return ids_; }
  // What stands for characters that have no token; none where the file names none.
  std::optional<int32_t> unknown() const { return unknown_; }

  // Appends the tokens of a word.
  void encode(std::string_view word, Tokens& tokens) const;
  // Appends the token of a byte that is not UTF-8: of U+FFFD where the byte has none.
  void encode_stray_byte(char byte, Tokens& tokens) const;

  // An id that a file states. Throws Error when it is none.
  static int32_t id_of(const JsonPart& id);

 private:
  static constexpr int32_t kNoToken = -1;

  void read_byte_tokens(const JsonPart& model);
  void read_merges(const JsonPart& model);
  int32_t part_of_merge(const std::string& name, const JsonPart& model) const;
  // Appends the tokens that a word begins as, before they merge.
  void append_bytes(std::string_view bytes, Tokens& tokens) const;
  void append_characters(std::string_view word, Tokens& tokens) const;

  bool byte_level_ = false;
  Ids ids_;
  Ids whole_words_;  // filled where these are not to be merged from their parts
  std::array<int32_t, 256> byte_tokens_ = {};  // of these bytes alone
  bool has_byte_tokens_ = false;
  std::optional<int32_t> unknown_;
  bool fuse_unknown_ = false;
  BytePairMerger merger_;
};

}  // namespace ebt
