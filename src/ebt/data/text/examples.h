// Prompts and the texts that answer them, one example a row: only the answers are learned.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/data/shuffled_order.h"
#include "ebt/data/text/rows.h"
#include "ebt/data/text/text_source.h"
#include "ebt/data/tokenizer/tokenizer.h"

namespace ebt {

// A separator, the prompt, the answer, a separator. Prompt and answer are encoded apart, since
// whoever asks has the prompt alone.
struct Example {
  std::vector<int32_t> tokens;
  int64_t answer_from = 0;  // place of the answer's first token
};
Example make_example(const Tokenizer& tokenizer, std::string_view prompt, std::string_view answer);

// Examples of a source, or some of them. Every row begins with an example's first token and is
// filled up with separators; its targets are the tokens of the answer and the separator that ends
// it. Copies share the memory.
class ExampleSet : public RowSet {
 public:
  // Reads the records of files, each with two strings, which are not blank: a prompt in
  // `prompt_field`, and its answer in the source's text field. Lines that are passed over are told
  // on stderr. Throws Error when there is none, a file has no records, or one is bad or longer than
  // `context` + 1 tokens.
  static ExampleSet open(const TextSource& source, const std::string& prompt_field,
                         const Tokenizer& tokenizer, int64_t context);

  int64_t count() const override { return static_cast<int64_t>(chosen_.size()); }
  void fill(Batch& batch, int64_t first_row, int64_t rows) const override;
  Example example(int64_t row) const;
  // Of all that was opened, whatever was split off since.
  const TextSummary& summary() const;
  // Targets of all rows together.
  int64_t target_count() const;

  struct Split;
  // Sets aside `share` (at least 0, below 1) of the examples, spread evenly; at least one where the
  // share is not 0. Throws Error when none is left.
  Split split(double share) const;

 private:
  struct Storage;
  ExampleSet(std::shared_ptr<const Storage> storage, std::vector<int64_t> chosen, int64_t context);
  void fill_row(Batch& batch, int64_t place, int64_t row) const;
  friend class ExampleSeries;

  std::shared_ptr<const Storage> storage_;
  std::vector<int64_t> chosen_;  // places in the storage
  int64_t context_ = 0;
};

struct ExampleSet::Split {
  ExampleSet training;
  ExampleSet validation;
};

// The examples of a set, in a new random order in every epoch.
class ExampleSeries : public RowSeries {
 public:
  // The set must have an example.
  ExampleSeries(ExampleSet examples, uint64_t seed)
      : examples_(std::move(examples)), order_(seed, examples_.count()) {}

  void fill(Batch& batch, int64_t first_row, int64_t rows) override;

 private:
  ExampleSet examples_;
  ShuffledOrder order_;
};

}  // namespace ebt
