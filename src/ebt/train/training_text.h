// What a run on text learns from, and what it is measured on.
#pragma once

#include <cstdint>
#include <memory>

#include "ebt/data/text/rows.h"
#include "ebt/data/tokenizer/tokenizer.h"
#include "ebt/train/text_train_config.h"

namespace ebt {

struct TrainingText {
  std::unique_ptr<RowSeries> training;
  std::unique_ptr<RowSet> validation;  // without rows where nothing is kept for it
  int64_t training_tokens = 0;
  int64_t epoch_rows = 0;    // of training, until every token, or example, was seen once
  uint64_t fingerprint = 0;  // of all tokens of both, by which a changed text is noticed
  TextSummary summary;       // of both parts together
};

// Windows of a text or, where `data.prompt_field` is set, examples. Throws Error as
// TokenCorpus::open, TokenCorpus::split and ExampleSet do.
TrainingText open_training_text(const TextDataConfig& data, int64_t context, uint64_t seed,
                                const Tokenizer& tokenizer);

}  // namespace ebt
