// Training and evaluation data of models that think about whole answers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ebt/data/answers/answer_format.h"
#include "ebt/data/answers/answer_rows.h"
#include "ebt/data/answers/gaps.h"
#include "ebt/data/text/text_source.h"

namespace ebt {

// What is read, and as what.
struct AnswerDataConfig : TextSource {
  AnswerLayout layout = AnswerLayout::kAuto;
  std::string puzzle_field;
  std::string answer_field;
  std::string unknown;
  std::string grid;
  std::string boxes;
  int64_t row_length = 128;
  GapConfig gaps;
  double validation = 0.1;

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("data", data,
          "a file or a folder of files: .csv, .tsv or .jsonl with puzzles and their solutions, or "
          "text, also as .gz and .zst; - is standard input");
    visit(
        "layout", layout,
        "cells (a puzzle cell by cell as its solution), answer (a question, then an answer), lines "
        "or text (with drawn gaps); auto: records are cells where the first one can be, else "
        "answers, and text is text");
    visit("grid", grid, "rows x columns of the cells of a row, as 6x6; default: a line");
    visit("boxes", boxes, "rows x columns of the boxes of the grid, as 2x3; default: none");
    visit("puzzle-field", puzzle_field,
          "column or field of the puzzle or question; default: the first of puzzle, quizzes, "
          "question, prompt that is there");
    visit("answer-field", answer_field,
          "column or field of the solution or answer; default: the first of solution, solutions, "
          "answer, completion that is there");
    visit("unknown", unknown,
          "characters of a puzzle that stand for what is asked for; default: those of 0 . _ ? that "
          "no solution holds");
    visit("row-length", row_length, "characters of a row of text");
    gaps.visit_fields(visit);
    visit_format(visit);
    visit("validation", validation, "share of the rows kept for validation");
  }
};

// Data opened for training. Row r of the series is a place in an order of its own for every epoch,
// with gaps of its own; rows for validation are spread evenly over the data, or cut from text as
// for models of text, and their gaps are the same for all seeds.
struct AnswerData {
  AnswerFormat format;
  std::unique_ptr<AnswerSeries> training;
  std::unique_ptr<AnswerSet> validation;  // count() may be 0
  int64_t training_rows = 0;              // of an epoch
  uint64_t fingerprint = 0;               // of all rows, by which changed data are noticed
  int64_t bad_lines = 0;                  // passed over
};
// Reads config.data into memory (text is mapped). Lines that are passed over are told on stderr.
// Throws Error for impossible configs, when data cannot be read, hold no row or too few, rows do
// not fit the grid, or a line is bad, naming it.
AnswerData open_answer_data(const AnswerDataConfig& config, uint64_t seed);

// All rows of config.data, as a model reads them that learned from data of this format: its
// vocabulary, lengths and unknown characters. Throws Error likewise, also for what the format has
// no place or token for.
std::unique_ptr<AnswerSet> open_answers(const AnswerDataConfig& config, const AnswerFormat& format);

}  // namespace ebt
