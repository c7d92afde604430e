// The pre-tokenizer of a tokenizer.json: it cuts a text into words.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ebt/data/tokenizer/json_part.h"
#include "ebt/data/tokenizer/text_pattern.h"

namespace ebt {

// Immutable and thread-safe.
class PreTokenizer {
 public:
  using OnWord = std::function<void(std::string_view word)>;

  // Without a "pre_tokenizer" a text is one word. Throws Error when it asks for what is not
  // supported.
  explicit PreTokenizer(const JsonPart& pre_tokenizer);

  // Whether ByteLevel is among its steps: tokens then are of bytes, else of characters.
  bool is_byte_level() const { return is_byte_level_; }
  // Calls on_word for the words of valid UTF-8, none of them empty, in order. `at_start` says that
  // nothing of the text stands before this part of it.
  void split(std::string_view text, bool at_start, const OnWord& on_word) const;

 private:
  enum class Behavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };
  enum class Prepend { kAlways, kFirst, kNever };

  // The steps, applied one after the other to each part that the last one made.
  struct Split {
    TextPattern pattern;
    Behavior behavior;
    bool invert = false;  // what matches and what lies between change places
  };
  struct PrefixSpace {};  // before every part that begins without one
  struct SpaceSymbol {    // in place of spaces, and before the text
    std::string symbol;
    Prepend prepend;
  };
  struct ByteLevelWords {};
  struct ByteAlphabet {};  // characters become those of their bytes
  using Step = std::variant<Split, PrefixSpace, SpaceSymbol, ByteLevelWords, ByteAlphabet>;

  void add(const JsonPart& pre_tokenizer);
  void add_split(const char* pattern, Behavior behavior, bool invert = false);
  void add_byte_level(const JsonPart& byte_level);
  void add_metaspace(const JsonPart& metaspace);
  static Behavior behavior_of(const JsonPart& split);

  void apply(size_t step, std::string_view part, bool at_start, const OnWord& on_word) const;
  void apply(const Split& split, size_t step, std::string_view part, bool at_start,
             const OnWord& on_word) const;

  std::vector<Step> steps_;
  bool is_byte_level_ = false;
};

}  // namespace ebt
