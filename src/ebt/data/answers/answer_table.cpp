#include "ebt/data/answers/answer_table.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/core/printable.h"
#include "ebt/data/answers/answer_text.h"
#include "ebt/data/text/corpus.h"
#include "ebt/data/text/text_input.h"
#include "ebt/io/checksum.h"

namespace ebt {
namespace {

// What may stand for a cell that is asked for where nothing says what does.
constexpr std::string_view kUnknownCandidates = "0._?";

using Names = std::array<const char*, 4>;
constexpr Names kQuestionNames = {"puzzle", "quizzes", "question", "prompt"};
constexpr Names kAnswerNames = {"solution", "solutions", "answer", "completion"};

// The field that is named, or the first of those that is there.
const std::string& field_of(const nlohmann::json& record, const std::string& what,
                            const std::string& named, const Names& names, const char* flag) {
  if (!named.empty()) {
    return text_member(record, what, named);
  }
  const auto* const found = std::find_if(names.begin(), names.end(),
                                         [&](const char* name) { return record.contains(name); });
  if (found == names.end()) {
    throw MissingField(
        fmt::format("{} has none of {}: name the field by {}", what, fmt::join(names, ", "), flag));
  }
  return text_member(record, what, *found);
}

// Which of the 256 characters occur.
class Characters {
 public:
  void add(std::string_view text) {
    for (const char c : text) {
      has_[static_cast<unsigned char>(c)] = true;
    }
  }
  bool has(char c) const { return has_[static_cast<unsigned char>(c)]; }
  std::string in_order() const {
    std::string characters;
    for (size_t c = 0; c < has_.size(); ++c) {
      characters += has_[c] ? std::string(1, static_cast<char>(c)) : "";
    }
    return characters;
  }

 private:
  std::array<bool, 256> has_{};
};

}  // namespace

// Takes records or lines one by one; those that cannot be rows are refused before they are kept.
class AnswerTable::Reader {
 public:
  // `encoder`: of the format that rows must have; null: they determine it.
  Reader(const AnswerDataConfig& config, const AnswerEncoder* encoder)
      : config_(config),
        encoder_(encoder),
        layout_(encoder == nullptr ? config.layout : encoder->format().layout),
        bad_(bad_lines_of(config)) {}

  void read() {
    if (layout_ == AnswerLayout::kLines) {
      read_lines();
    } else {
      read_records();
    }
    EBT_CHECK(table_.count() > 0, "{} is empty: there is no row to read{}",
              source_name(config_.data),
              bad_.count() == 0 ? "" : ", for " + bad_.sentences().front());
    bad_.report();
    table_.bad_lines_ = bad_.count();
  }
  AnswerFormat format() const {
    AnswerFormat format;
    format.layout = layout_;
    format.grid = config_.grid;
    format.boxes = config_.boxes;
    format.padded = layout_ != AnswerLayout::kCells || shortest_ < longest_;
    format.length = longest_;
    Characters vocabulary = of_answers_;
    if (layout_ == AnswerLayout::kAnswer) {
      format.question_length = longest_question_;
      format.length += longest_question_;
      vocabulary.add(of_questions_.in_order());
    }
    format.characters = vocabulary.in_order();
    format.unknown = unknown_characters();
    return format;
  }
  AnswerTable take_table() { return std::move(table_); }

 private:
  void read_records() {
    for_each_text_input(
        config_.data, config_.as, [&](TextInput& input, const std::string& /*path*/) {
          EBT_CHECK(
              input.has_records(),
              "{} has no records: puzzles and questions are read from .jsonl, .csv and .tsv, or as "
              "--as says",
              input.name);
          for_each_record(
              input, bad_,
              [&](const std::string& what, const nlohmann::json& record) {
                question_ =
                    field_of(record, what, config_.puzzle_field, kQuestionNames, "--puzzle-field");
                answer_ =
                    field_of(record, what, config_.answer_field, kAnswerNames, "--answer-field");
                check_row(what);
              },
              [&] { keep(); });
        });
  }
  void read_lines() {
    const Corpus corpus = Corpus::open(config_);
    int64_t number = 0;
    for (std::string_view document : corpus.documents()) {
      while (!document.empty()) {
        const std::string_view line = document.substr(0, document.find('\n'));
        document.remove_prefix(std::min(document.size(), line.size() + 1));
        ++number;
        answer_ = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
        if (answer_.find_first_not_of(" \t") != std::string::npos) {
          take_line(fmt::format("line {} of {}", number, corpus.name()));
        }
      }
    }
  }
  void take_line(const std::string& what) {
    std::string fault;
    try {
      check_row(what);
    } catch (const Error& error) {
      fault = error.what();
    }
    if (fault.empty()) {
      keep();
    } else {
      bad_.add(fault);
    }
  }

  // Throws Error where question_ and answer_ are no row.
  void check_row(const std::string& what) {
    EBT_CHECK(static_cast<int64_t>(question_.size() + answer_.size()) <= kMostRowTokens,
              "{} has {} characters, and rows have at most {}", what,
              question_.size() + answer_.size(), kMostRowTokens);
    if (encoder_ != nullptr) {
      tokens_.resize(static_cast<size_t>(encoder_->format().length));
      known_.resize(tokens_.size());
      encoder_->encode(what, question_, answer_, tokens_, known_);
    }
    if (layout_ == AnswerLayout::kAuto) {
      layout_ = could_be_cells() ? AnswerLayout::kCells : AnswerLayout::kAnswer;
    }
    if (layout_ == AnswerLayout::kCells) {
      check_cells(what);
    }
  }
  bool may_be_unknown(char c) const {
    return (config_.unknown.empty() ? kUnknownCandidates : std::string_view(config_.unknown))
               .find(c) != std::string_view::npos;
  }
  bool could_be_cells() const {
    bool asks = false;
    for (size_t i = 0; i < question_.size() && question_.size() == answer_.size(); ++i) {
      if (question_[i] != answer_[i]) {
        if (!may_be_unknown(question_[i])) {
          return false;
        }
        asks = true;
      }
    }
    return asks;
  }
  void check_cells(const std::string& what) {
    EBT_CHECK(question_.size() == answer_.size(),
              "{} has a puzzle of {} cells and a solution of {}", what, question_.size(),
              answer_.size());
    bool asks = false;
    for (size_t i = 0; i < answer_.size(); ++i) {
      const bool differs = question_[i] != answer_[i];
      EBT_CHECK(!differs || encoder_ != nullptr || may_be_unknown(question_[i]),
                "{} has '{}' in cell {} of the puzzle and '{}' in that of the solution", what,
                printable(question_.substr(i, 1)), i + 1, printable(answer_.substr(i, 1)));
      EBT_CHECK(config_.unknown.find(answer_[i]) == std::string::npos,
                "{} has '{}', which stands for unknown cells, in its solution", what,
                printable(answer_.substr(i, 1)));
      asks = asks || differs;
    }
    EBT_CHECK(asks, "{} asks for nothing: no cell of the puzzle is unknown", what);
  }
  void keep() {
    table_.places_.push_back({table_.text_.size(), static_cast<uint32_t>(question_.size()),
                              static_cast<uint32_t>(answer_.size())});
    table_.text_ += question_;
    table_.text_ += answer_;
    of_answers_.add(answer_);
    of_questions_.add(question_);
    for (size_t i = 0; layout_ == AnswerLayout::kCells && i < answer_.size(); ++i) {
      if (question_[i] != answer_[i]) {
        asked_by_.add(std::string_view(question_).substr(i, 1));
      }
    }
    const auto length = static_cast<int64_t>(answer_.size());
    longest_ = std::max(longest_, length);
    shortest_ = table_.count() == 1 ? length : std::min(shortest_, length);
    longest_question_ = std::max(longest_question_, static_cast<int64_t>(question_.size()));
  }

  std::string unknown_characters() const {
    if (layout_ == AnswerLayout::kCells) {
      const std::string unknown = asked_by_.in_order();
      for (const char c : unknown) {
        EBT_CHECK(!of_answers_.has(c),
                  "'{}' stands for unknown cells in puzzles of {} and occurs in solutions as well: "
                  "name the characters that stand for unknown cells by --unknown",
                  c, source_name(config_.data));
      }
      return unknown;
    }
    return layout_ == AnswerLayout::kLines ? unknown_in_text(config_, of_answers_.in_order()) : "";
  }

  const AnswerDataConfig& config_;
  const AnswerEncoder* encoder_;
  AnswerLayout layout_;
  BadLines bad_;
  AnswerTable table_;
  std::string question_, answer_;  // of the row that is being taken
  std::vector<int32_t> tokens_;
  std::vector<uint8_t> known_;
  Characters of_answers_, of_questions_;
  Characters asked_by_;  // that stand where a solution has others
  int64_t longest_ = 0, shortest_ = 0, longest_question_ = 0;
};

std::string unknown_in_text(const AnswerDataConfig& config, const std::string& characters) {
  if (!config.unknown.empty()) {
    const size_t found = config.unknown.find_first_of(characters);
    EBT_CHECK(found == std::string::npos, "--unknown: '{}' occurs in {}",
              printable(config.unknown.substr(std::min(found, config.unknown.size()), 1)),
              source_name(config.data));
    return config.unknown;
  }
  for (const char candidate : {'_', '?', '0', '.'}) {
    if (characters.find(candidate) == std::string::npos) {
      return {candidate};
    }
  }
  return "";
}

AnswerTable::Opened AnswerTable::open(const AnswerDataConfig& config) {
  Reader reader(config, nullptr);
  reader.read();
  AnswerFormat format = reader.format();
  return {reader.take_table(), std::move(format)};
}

AnswerTable AnswerTable::open(const AnswerDataConfig& config, const AnswerFormat& format) {
  const AnswerEncoder encoder(format);
  Reader reader(config, &encoder);
  reader.read();
  return reader.take_table();
}

uint64_t AnswerTable::fingerprint() const {
  Checksum sum;
  sum.add(text_);
  for (const Place& place : places_) {
    sum.add(uint64_t{place.question} << 32U | place.answer);
  }
  return sum.value();
}

}  // namespace ebt
