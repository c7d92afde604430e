#include "ebt/data/text/examples.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/data/text/text_input.h"

namespace ebt {

// All examples of a file, their tokens one after the other.
struct ExampleSet::Storage {
  struct Place {
    size_t begin = 0;  // of its tokens
    size_t end = 0;
    int64_t answer_from = 0;   // from `begin` on
    int64_t answer_bytes = 0;  // of text
  };
  std::vector<int32_t> tokens;
  std::vector<Place> places;
  int32_t separator = 0;
  TextSummary summary;
};

Example make_example(const Tokenizer& tokenizer, std::string_view prompt, std::string_view answer) {
  Example example;
  std::vector<int32_t>& tokens = example.tokens;
  const auto append = [&](const std::vector<int32_t>& more) {
    tokens.insert(tokens.end(), more.begin(), more.end());
  };
  append({tokenizer.document_separator()});
  append(tokenizer.encode(prompt));
  example.answer_from = static_cast<int64_t>(tokens.size());
  append(tokenizer.encode(answer));
  append({tokenizer.document_separator()});
  return example;
}

ExampleSet::ExampleSet(std::shared_ptr<const Storage> storage, std::vector<int64_t> chosen,
                       int64_t context)
    : storage_(std::move(storage)), chosen_(std::move(chosen)), context_(context) {}

ExampleSet ExampleSet::open(const TextSource& source, const std::string& prompt_field,
                            const Tokenizer& tokenizer, int64_t context) {
  const auto storage = std::make_shared<Storage>();
  storage->separator = tokenizer.document_separator();
  TextSummary& summary = storage->summary;
  BadLines bad = bad_lines_of(source);
  Example example;
  int64_t answer_bytes = 0;
  const auto take = [&](const std::string& what, const nlohmann::json& object) {
    const std::string& answer = text_member(object, what, source.text_field);
    example = make_example(tokenizer, text_member(object, what, prompt_field), answer);
    const auto length = static_cast<int64_t>(example.tokens.size());
    EBT_CHECK(length - 1 <= context, "{} takes a context of {} tokens, and that is {}", what,
              length - 1, context);
    answer_bytes = static_cast<int64_t>(answer.size());
  };
  const auto keep = [&] {
    const size_t begin = storage->tokens.size();
    storage->tokens.insert(storage->tokens.end(), example.tokens.begin(), example.tokens.end());
    storage->places.push_back({begin, storage->tokens.size(), example.answer_from, answer_bytes});
    summary.bytes += answer_bytes;
  };
  for_each_text_input(source.data, source.as, [&](TextInput& input, const std::string& /*path*/) {
    EBT_CHECK(input.has_records(),
              "--prompt-field: {} has no records: prompts with answers are read from .jsonl, .csv "
              "and .tsv, or as --as says",
              input.name);
    ++summary.files;
    for_each_record(input, bad, take, keep);
  });
  EBT_CHECK(!storage->places.empty(), "{} is empty: there is no example to read{}",
            source_name(source.data), bad.count() == 0 ? "" : ", for " + bad.sentences().front());
  bad.report();
  summary.documents = static_cast<int64_t>(storage->places.size());
  summary.tokens = static_cast<int64_t>(storage->tokens.size());
  summary.bad_lines = bad.count();
  std::vector<int64_t> all(storage->places.size());
  std::iota(all.begin(), all.end(), int64_t{0});
  return {storage, std::move(all), context};
}

const TextSummary& ExampleSet::summary() const { return storage_->summary; }

Example ExampleSet::example(int64_t row) const {
  const Storage::Place& place =
      storage_->places[static_cast<size_t>(chosen_[static_cast<size_t>(row)])];
  const auto tokens = storage_->tokens.begin();
  return {{tokens + static_cast<std::ptrdiff_t>(place.begin),
           tokens + static_cast<std::ptrdiff_t>(place.end)},
          place.answer_from};
}

int64_t ExampleSet::target_count() const {
  int64_t count = 0;
  for (const int64_t chosen : chosen_) {
    const Storage::Place& place = storage_->places[static_cast<size_t>(chosen)];
    count += static_cast<int64_t>(place.end - place.begin) - place.answer_from;
  }
  return count;
}

ExampleSet::Split ExampleSet::split(double share) const {
  const int64_t wanted =
      share > 0 ? std::max<int64_t>(1, std::llround(share * static_cast<double>(count()))) : 0;
  EBT_CHECK(wanted < count(), "of {} examples {} would be kept for validation, and none be left",
            count(), wanted);
  Split split = {{storage_, {}, context_}, {storage_, {}, context_}};
  for (int64_t row = 0; row < count(); ++row) {
    // As many of the first row + 1 as the share demands.
    const bool kept = (row + 1) * wanted / count() > row * wanted / count();
    (kept ? split.validation : split.training).chosen_.push_back(chosen_[static_cast<size_t>(row)]);
  }
  return split;
}

void ExampleSet::fill_row(Batch& batch, int64_t place, int64_t row) const {
  const Storage::Place& at =
      storage_->places[static_cast<size_t>(chosen_[static_cast<size_t>(place)])];
  const int32_t* const tokens = storage_->tokens.data() + at.begin;
  const auto used = static_cast<int64_t>(at.end - at.begin) - 1;
  int32_t* const inputs = batch.inputs.data() + row * context_;
  int32_t* const targets = batch.targets.data() + row * context_;
  std::copy_n(tokens, used, inputs);
  std::fill(inputs + used, inputs + context_, storage_->separator);
  std::fill(targets, targets + context_, kIgnoredTarget);
  std::copy(tokens + at.answer_from, tokens + used + 1, targets + at.answer_from - 1);
  batch.target_bytes += at.answer_bytes;
}

void ExampleSet::fill(Batch& batch, int64_t first_row, int64_t rows) const {
  EBT_CHECK(first_row >= 0 && rows >= 0 && first_row <= count() - rows,
            "examples {} to {} were asked for, but there are {}", first_row, first_row + rows - 1,
            count());
  batch.resize(rows, context_);
  batch.target_bytes = 0;
  for (int64_t row = 0; row < rows; ++row) {
    fill_row(batch, first_row + row, row);
  }
}

void ExampleSeries::fill(Batch& batch, int64_t first_row, int64_t rows) {
  batch.resize(rows, examples_.context_);
  batch.target_bytes = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t number = first_row + row;
    examples_.fill_row(batch, order_.at(number / examples_.count(), number % examples_.count()),
                       row);
  }
}

}  // namespace ebt
