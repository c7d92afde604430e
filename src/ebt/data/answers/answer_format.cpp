#include "ebt/data/answers/answer_format.h"

#include <algorithm>

#include "ebt/core/config_fields.h"
#include "ebt/core/error.h"
#include "ebt/core/printable.h"
#include "ebt/data/notation.h"

namespace ebt {

const EnumNames<AnswerLayout>& enum_names(AnswerLayout) {
  static const EnumNames<AnswerLayout> names = {{"auto", AnswerLayout::kAuto},
                                                {"cells", AnswerLayout::kCells},
                                                {"answer", AnswerLayout::kAnswer},
                                                {"lines", AnswerLayout::kLines},
                                                {"text", AnswerLayout::kText}};
  return names;
}

void AnswerFormat::check() const {
  EBT_CHECK(layout != AnswerLayout::kAuto, "layout: auto is no layout of rows");
  EBT_CHECK(!characters.empty() && characters.size() <= 256,
            "characters: {} of them make no vocabulary", characters.size());
  for (size_t i = 0; i < characters.size(); ++i) {
    EBT_CHECK(characters.find(characters[i], i + 1) == std::string::npos,
              "characters: '{}' stands there twice", printable(characters.substr(i, 1)));
    EBT_CHECK(unknown.find(characters[i]) == std::string::npos,
              "unknown: '{}' is a character of the vocabulary as well",
              printable(characters.substr(i, 1)));
  }
  EBT_CHECK(length >= 1 && length <= kMostRowTokens, "length: {} is not between 1 and {}", length,
            kMostRowTokens);
  const bool has_question = layout == AnswerLayout::kAnswer;
  EBT_CHECK(has_question ? question_length >= 1 && question_length < length : question_length == 0,
            "question-length: {} cannot be, of rows of {}", question_length, length);
  EBT_CHECK(padded || layout == AnswerLayout::kCells, "padded: rows of {} are filled up",
            enum_name(layout));
  grid_axes(grid, boxes, length);
}

std::vector<RowAxis> grid_axes(const std::string& grid, const std::string& boxes, int64_t length) {
  EBT_CHECK(!grid.empty() || boxes.empty(), "--boxes: {} are boxes of no --grid", boxes);
  if (grid.empty()) {
    return {};
  }
  const Extents cells = parse_extents("--grid", grid);
  EBT_CHECK(cells.count() == length, "--grid: {} are {} cells, and rows of the data have {}", grid,
            cells.count(), length);
  std::vector<RowAxis> axes = {{"row", cells.rows, {}}, {"column", cells.columns, {}}};
  for (int64_t cell = 0; cell < length; ++cell) {
    axes[0].coordinates.push_back(static_cast<int32_t>(cell / cells.columns));
    axes[1].coordinates.push_back(static_cast<int32_t>(cell % cells.columns));
  }
  if (!boxes.empty()) {
    const Extents box = parse_extents("--boxes", boxes);
    EBT_CHECK(cells.rows % box.rows == 0 && cells.columns % box.columns == 0,
              "--boxes: boxes of {} do not tile a grid of {}", boxes, grid);
    const int64_t across = cells.columns / box.columns;
    RowAxis axis{"box", cells.rows / box.rows * across, {}};
    for (int64_t cell = 0; cell < length; ++cell) {
      axis.coordinates.push_back(static_cast<int32_t>(cell / cells.columns / box.rows * across +
                                                      cell % cells.columns / box.columns));
    }
    axes.push_back(std::move(axis));
  }
  return axes;
}

AnswerEncoder::AnswerEncoder(const AnswerFormat& format) : format_(format) {
  tokens_.fill(-1);
  for (size_t i = 0; i < format_.characters.size(); ++i) {
    tokens_[static_cast<unsigned char>(format_.characters[i])] = static_cast<int32_t>(i);
  }
}

int32_t AnswerEncoder::token_of(const std::string& what, char character) const {
  const int32_t token = tokens_[static_cast<unsigned char>(character)];
  EBT_CHECK(token >= 0, "{} has '{}', which is not a character of the vocabulary, {}", what,
            printable({&character, 1}), printable(format_.characters));
  return token;
}

void AnswerEncoder::put(const std::string& what, std::string_view text, int64_t first,
                        int64_t length, std::span<int32_t> tokens) const {
  const auto size = static_cast<int64_t>(text.size());
  EBT_CHECK(size == length || (size < length && format_.padded),
            "{} has {} characters where rows have {}", what, size, length);
  for (int64_t i = 0; i < length; ++i) {
    tokens[static_cast<size_t>(first + i)] =
        i < size ? token_of(what, text[static_cast<size_t>(i)]) : format_.padding();
  }
}

void AnswerEncoder::encode(const std::string& what, std::string_view question,
                           std::string_view answer, std::span<int32_t> tokens,
                           std::span<uint8_t> known) const {
  const int64_t asked_from = format_.question_length;
  put(what, question.substr(0, format_.layout == AnswerLayout::kAnswer ? question.npos : 0), 0,
      asked_from, tokens);
  put(what, answer, asked_from, format_.length - asked_from, tokens);
  std::fill(known.begin(), known.end(), uint8_t{1});
  if (format_.layout == AnswerLayout::kAnswer) {
    std::fill(known.begin() + asked_from, known.end(), uint8_t{0});
  } else if (format_.layout == AnswerLayout::kCells) {
    EBT_CHECK(question.size() == answer.size(), "{} has a puzzle of {} cells and a solution of {}",
              what, question.size(), answer.size());
    for (size_t i = 0; i < question.size(); ++i) {
      EBT_CHECK(question[i] == answer[i] || is_unknown(question[i]),
                "{} has '{}' in cell {} of the puzzle and '{}' in that of the solution", what,
                printable(question.substr(i, 1)), i + 1, printable(answer.substr(i, 1)));
      known[i] = question[i] == answer[i] ? 1 : 0;
    }
  }
}

void AnswerEncoder::encode_question(const std::string& what, std::string_view question,
                                    std::span<int32_t> tokens, std::span<uint8_t> known) const {
  const bool has_answer = format_.layout == AnswerLayout::kAnswer;
  std::string text(question);
  std::fill(known.begin(), known.end(), uint8_t{1});
  for (size_t i = 0; !has_answer && i < std::min(text.size(), known.size()); ++i) {
    if (is_unknown(text[i])) {
      text[i] = format_.characters[0];
      known[i] = 0;
    }
  }
  put(what, text, 0, has_answer ? format_.question_length : format_.length, tokens);
  if (has_answer) {
    std::fill(tokens.begin() + format_.question_length, tokens.end(), 0);
    std::fill(known.begin() + format_.question_length, known.end(), uint8_t{0});
  }
}

std::string AnswerEncoder::decode(std::span<const int32_t> row) const {
  std::string text;
  for (const int32_t token : row.subspan(static_cast<size_t>(format_.question_length))) {
    if (token >= 0 && token < format_.padding()) {
      text += format_.characters[static_cast<size_t>(token)];
    }
  }
  return text;
}

}  // namespace ebt
