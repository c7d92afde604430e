#include "ebt/data/answers/answer_data.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "ebt/core/config_check.h"
#include "ebt/data/answers/answer_table.h"
#include "ebt/data/answers/answer_text.h"
#include "ebt/data/even_choice.h"
#include "ebt/data/shuffled_order.h"
#include "ebt/data/text/text_input.h"
#include "ebt/io/byte_stream.h"

namespace ebt {
namespace {

// Some rows of a table.
class TableRows {
 public:
  TableRows(std::shared_ptr<const AnswerTable> table, const AnswerFormat& format, GapConfig gaps,
            std::vector<int64_t> chosen)
      : table_(std::move(table)), encoder_(format), gaps_(gaps), chosen_(std::move(chosen)) {}

  int64_t count() const { return static_cast<int64_t>(chosen_.size()); }
  int64_t length() const { return encoder_.format().length; }
  // Writes row `place` of them to row `row` of the batch.
  void fill_row(AnswerBatch& batch, int64_t place, int64_t row, const RandomStream& gaps) const {
    const auto length = static_cast<size_t>(batch.length);
    const auto begin = static_cast<size_t>(row) * length;
    const std::span known = std::span(batch.known).subspan(begin, length);
    const int64_t at = chosen_[static_cast<size_t>(place)];
    const std::string_view answer = table_->answer(at);
    encoder_.encode("the row", table_->question(at), answer,
                    std::span(batch.tokens).subspan(begin, length), known);
    if (encoder_.format().layout == AnswerLayout::kLines) {
      RandomDraws draws(gaps);
      draw_gaps(gaps_, draws, known.first(answer.size()));
    }
  }

 private:
  std::shared_ptr<const AnswerTable> table_;
  AnswerEncoder encoder_;
  GapConfig gaps_;
  std::vector<int64_t> chosen_;
};

class TableSeries : public AnswerSeries {
 public:
  TableSeries(TableRows rows, uint64_t seed)
      : rows_(std::move(rows)), order_(seed, rows_.count()), seed_(seed) {}

  void fill(AnswerBatch& batch, int64_t first_row, int64_t rows) override {
    batch.resize(rows, rows_.length());
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t number = first_row + row;
      rows_.fill_row(batch, order_.at(number / rows_.count(), number % rows_.count()), row,
                     training_gaps(seed_, number));
    }
  }

 private:
  TableRows rows_;
  ShuffledOrder order_;
  uint64_t seed_;
};

class TableSet : public AnswerSet {
 public:
  explicit TableSet(TableRows rows) : rows_(std::move(rows)) {}

  int64_t count() const override { return rows_.count(); }
  void fill(AnswerBatch& batch, int64_t first_row, int64_t rows) const override {
    EBT_CHECK(first_row >= 0 && rows >= 0 && first_row <= count() - rows,
              "rows {} to {} were asked for, but there are {}", first_row, first_row + rows - 1,
              count());
    batch.resize(rows, rows_.length());
    for (int64_t row = 0; row < rows; ++row) {
      rows_.fill_row(batch, first_row + row, row, validation_gaps(first_row + row));
    }
  }

 private:
  TableRows rows_;
};

// What kAuto is: of text text, of records what the first one tells. A pipe, which cannot be looked
// at and then read, is taken for records.
AnswerLayout resolve_layout(const AnswerDataConfig& config) {
  if (config.layout != AnswerLayout::kAuto || is_stream(config.data)) {
    return config.layout;
  }
  int64_t with_records = 0;
  int64_t without = 0;
  for_each_text_input(config.data, config.as, [&](TextInput& input, const std::string& /*path*/) {
    (input.has_records() ? with_records : without) += 1;
  });
  EBT_CHECK(with_records == 0 || without == 0,
            "{} holds {} files of records and {} of text: say by --layout what they are",
            source_name(config.data), with_records, without);
  return without > 0 ? AnswerLayout::kText : AnswerLayout::kAuto;
}

AnswerData open_table(const AnswerDataConfig& config, uint64_t seed) {
  AnswerTable::Opened opened = AnswerTable::open(config);
  const auto table = std::make_shared<const AnswerTable>(std::move(opened.table));
  const int64_t count = table->count();
  const int64_t wanted =
      config.validation > 0
          ? std::max<int64_t>(1, std::llround(config.validation * static_cast<double>(count)))
          : 0;
  EBT_CHECK(wanted < count, "of {} rows {} would be kept for validation, and none be left", count,
            wanted);
  std::vector<int64_t> training;
  std::vector<int64_t> validation;
  const std::vector<bool> kept = choose_evenly(wanted, count);
  for (int64_t row = 0; row < count; ++row) {
    (kept[static_cast<size_t>(row)] ? validation : training).push_back(row);
  }
  AnswerData data;
  data.format = opened.format;
  data.training_rows = static_cast<int64_t>(training.size());
  data.fingerprint = table->fingerprint();
  data.bad_lines = table->bad_lines();
  data.training = std::make_unique<TableSeries>(
      TableRows(table, data.format, config.gaps, std::move(training)), seed);
  data.validation =
      std::make_unique<TableSet>(TableRows(table, data.format, config.gaps, std::move(validation)));
  return data;
}

}  // namespace

void AnswerDataConfig::check() const {
  EBT_CHECK(!data.empty(), "--data: name a file of puzzles, of questions, or of text");
  check_between("--row-length", row_length, 2, kMostRowTokens);
  // Also refuses what is not a number.
  EBT_CHECK(validation >= 0 && validation < 1, "--validation: {} is not in [0, 1)", validation);
  gaps.check();
}

AnswerData open_answer_data(const AnswerDataConfig& config, uint64_t seed) {
  config.check();
  AnswerDataConfig resolved = config;
  resolved.layout = resolve_layout(config);
  AnswerData data = resolved.layout == AnswerLayout::kText ? open_answer_text(resolved, seed)
                                                           : open_table(resolved, seed);
  data.format.check();
  return data;
}

std::unique_ptr<AnswerSet> open_answers(const AnswerDataConfig& config,
                                        const AnswerFormat& format) {
  config.check();
  format.check();
  if (format.layout == AnswerLayout::kText) {
    return open_answer_text(config, format);
  }
  const auto table = std::make_shared<const AnswerTable>(AnswerTable::open(config, format));
  std::vector<int64_t> all(static_cast<size_t>(table->count()));
  std::iota(all.begin(), all.end(), int64_t{0});
  return std::make_unique<TableSet>(TableRows(table, format, config.gaps, std::move(all)));
}

}  // namespace ebt
