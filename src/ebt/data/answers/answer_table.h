// A table in memory of questions with their answers, or of lines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/data/answers/answer_data.h"

namespace ebt {

class AnswerTable {
 public:
  struct Opened;
  // Reads records or lines of config.data: as a layout of `config`, where it is kAuto as the first
  // record tells, and says how they become rows.
  static Opened open(const AnswerDataConfig& config);
  // Reads those that are rows of `format`; others are bad lines.
  static AnswerTable open(const AnswerDataConfig& config, const AnswerFormat& format);

  int64_t count() const { return static_cast<int64_t>(places_.size()); }
  std::string_view question(int64_t row) const {
    const Place& place = places_[static_cast<size_t>(row)];
    return std::string_view(text_).substr(place.begin, place.question);
  }
  std::string_view answer(int64_t row) const {
    const Place& place = places_[static_cast<size_t>(row)];
    return std::string_view(text_).substr(place.begin + place.question, place.answer);
  }
  int64_t bad_lines() const { return bad_lines_; }
  uint64_t fingerprint() const;

 private:
  struct Place {
    size_t begin = 0;
    uint32_t question = 0;  // bytes
    uint32_t answer = 0;    // behind it
  };
  class Reader;

  std::string text_;
  std::vector<Place> places_;
  int64_t bad_lines_ = 0;
};

struct AnswerTable::Opened {
  AnswerTable table;
  AnswerFormat format;
};

}  // namespace ebt
