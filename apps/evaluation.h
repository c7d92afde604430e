// Shared by the commands that use a trained model: opening it, choosing a text, tabulating its
// losses.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ebt/data/text/rows.h"
#include "ebt/data/tokenizer/tokenizer.h"
#include "ebt/eval/task.h"
#include "ebt/report/html_report.h"
#include "ebt/think/evaluate.h"
#include "ebt/train/text_train_config.h"

namespace ebt {

// Which text a model is measured on.
struct TextSelection : TextSource {
  std::string prompt_field;
  std::string split;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("data", data,
          "a file or a folder of files: text, .jsonl, .csv or .tsv, also as .gz and .zst; - is "
          "standard input; or a folder that 'ebt data prepare' made; default: the text of the "
          "training");
    visit_format(visit);
    visit("prompt-field", prompt_field,
          "field or column that holds a prompt, of which the text is the answer");
    visit("split", split,
          "all of the text, or only the validation part that training kept out of it; default: all "
          "with --data, validation without");
  }
};

struct SelectedText {
  std::string name;  // "the validation part of book.txt"
  std::shared_ptr<const RowSet> rows;
  bool has_answers = false;  // rows are examples, not windows
};

// Throws Error when --model was not given.
void check_names_model(const std::string& folder);

// The config of the model in `folder`. Throws Error when --model was not given, or names no model.
TextTrainConfig open_config(const std::string& folder);

// Opens the selected text, cut as the model of `config` reads it. Throws Error when it cannot, or
// --split is neither "all" nor "validation".
SelectedText select_text(const TextSelection& selection, const TextTrainConfig& config,
                         const Tokenizer& tokenizer);

// Predicting the rows, `examples` of them spread evenly; 0: all.
std::unique_ptr<Task> task_of(const SelectedText& text, std::shared_ptr<const Tokenizer> tokenizer,
                              int64_t examples);

// Throws Error "--name must be at least ..." for the first value below its least.
struct FlagCount {
  const char* name;
  int64_t value;
  int64_t least;
};
void check_counts(std::initializer_list<FlagCount> counts);

// One row for each number of thinking steps.
std::vector<EvaluationRow> evaluation_rows(const TextLosses& measured);

}  // namespace ebt
