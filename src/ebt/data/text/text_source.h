// The flags that say which text a command reads, and in which format.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ebt/core/config_fields.h"

namespace ebt {

// What a file is read as. kAuto is what its name and its first bytes say.
enum class TextFormat { kAuto, kText, kJsonl, kCsv, kTsv, kBytes };
const EnumNames<TextFormat>& enum_names(TextFormat);

// The flags that every command with a text has. docs/formats.md says what they mean.
struct TextSource {
  std::string data;  // a file, folder or stream; empty: the manual that CMake prints
  std::string text_field = "text";
  TextFormat as = TextFormat::kAuto;
  bool skip_bad_lines = false;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("data", data,
          "a file or a folder of files: text, .jsonl, .csv or .tsv, also as .gz and .zst; - is "
          "standard input; default: the CMake manual");
    visit_format(visit);
  }
  // All but `data`.
  template <class Visitor>
  void visit_format(Visitor&& visit) {
    visit("text-field", text_field, "field of a .jsonl line, or column of a .csv, with the text");
    visit("as", as,
          "what files are, whatever their names say: auto, text, jsonl, csv, tsv, or bytes, which "
          "are neither decoded nor refused");
    visit("skip-bad-lines", skip_bad_lines,
          "pass over lines of a .jsonl or .csv that cannot be read, and count them");
  }
};

// Lines of files that cannot be read: passed over and counted, or refused.
class BadLines {
 public:
  // `flag_hint` is what refusals say about passing over; empty where a command cannot.
  explicit BadLines(bool skip = false, std::string flag_hint = {})
      : skip_(skip), flag_hint_(std::move(flag_hint)) {}

  // Counts a line that `sentence` says what is wrong with, or throws it as an Error.
  void add(const std::string& sentence);
  int64_t count() const { return count_; }
  // Of the first five.
  const std::vector<std::string>& sentences() const { return sentences_; }
  // Says on stderr how many lines were passed over, and the first; nothing where there are none.
  void report() const;

 private:
  bool skip_;
  std::string flag_hint_;
  int64_t count_ = 0;
  std::vector<std::string> sentences_;
};
// As a source says.
BadLines bad_lines_of(const TextSource& source);

// What a text turned out to be.
struct TextSummary {
  int64_t files = 0;      // of prepared data: shards
  int64_t documents = 0;  // or examples
  int64_t bytes = 0;      // of text
  int64_t tokens = 0;     // of all documents, without separators
  int64_t bad_lines = 0;  // that were passed over
};

}  // namespace ebt
