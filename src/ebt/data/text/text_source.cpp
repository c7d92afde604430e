#include "ebt/data/text/text_source.h"

#include <fmt/format.h>

#include "ebt/core/error.h"
#include "ebt/core/log.h"

namespace ebt {

const EnumNames<TextFormat>& enum_names(TextFormat) {
  static const EnumNames<TextFormat> names = {
      {"auto", TextFormat::kAuto}, {"text", TextFormat::kText}, {"jsonl", TextFormat::kJsonl},
      {"csv", TextFormat::kCsv},   {"tsv", TextFormat::kTsv},   {"bytes", TextFormat::kBytes}};
  return names;
}

void BadLines::add(const std::string& sentence) {
  constexpr size_t kMostSentences = 5;
  EBT_CHECK(skip_, "{}{}", sentence, flag_hint_);
  ++count_;
  if (sentences_.size() < kMostSentences) {
    sentences_.push_back(sentence);
  }
}

void BadLines::report() const {
  if (count_ == 0) {
    return;
  }
  ProgressLine line;
  for (const std::string& sentence : sentences_) {
    line.note("passed over: " + sentence);
  }
  line.note(fmt::format("{} bad {} passed over", count_, count_ == 1 ? "line was" : "lines were"));
}

BadLines bad_lines_of(const TextSource& source) {
  return BadLines(source.skip_bad_lines, "; --skip-bad-lines passes over such lines");
}

}  // namespace ebt
