#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/data/even_choice.h"
#include "ebt/eval/task_text.h"
#include "ebt/eval/tasks.h"

namespace ebt {
namespace {

// A row of tokens, and which of them are scored.
struct ScoredRow {
  std::vector<int32_t> tokens;
  int64_t score_from = 0;
};

ScoredRow scored_row(const RowSet& rows, int64_t number) {
  Batch batch;
  rows.fill(batch, number, 1);
  const std::vector<int32_t>& targets = batch.targets;
  const auto carries_loss = [](int32_t target) { return target != kIgnoredTarget; };
  const auto first = std::find_if(targets.begin(), targets.end(), carries_loss);
  const auto end = std::find_if(targets.rbegin(), targets.rend(), carries_loss).base();
  ScoredRow row;
  row.tokens.assign(batch.inputs.begin(), batch.inputs.begin() + (end - targets.begin()));
  row.tokens.push_back(*(end - 1));
  row.score_from = first - targets.begin() + 1;
  return row;
}

// What texts and answers have in common: rows of which tokens are scored.
class RowTask : public Task {
 public:
  RowTask(std::shared_ptr<const Tokenizer> tokenizer, std::shared_ptr<const RowSet> rows,
          int64_t examples)
      : tokenizer_(std::move(tokenizer)),
        rows_(std::move(rows)),
        examples_(limited(examples, rows_->count())) {}

  int64_t examples() const override { return examples_; }

  std::vector<Query> queries(int64_t example) const override {
    ScoredRow row = scored_row(*rows_, place(example));
    Query query;
    query.request.prompt = std::move(row.tokens);
    query.request.score_from = row.score_from;
    query.request.max_tokens = 0;
    return {query};
  }

  ExampleResult judge(int64_t example, const std::vector<Answer>& answers) const override {
    const ScoredRow row = scored_row(*rows_, place(example));
    const auto scored = std::span(row.tokens).subspan(static_cast<size_t>(row.score_from));
    ExampleResult result;
    result.add_cost(answers[0]);
    result.add_scored(answers[0], static_cast<int64_t>(scored.size()),
                      static_cast<int64_t>(tokenizer_->decode(scored).size()));
    return result;
  }

 protected:
  std::string name_of(const std::string& things, const std::string& text_name) const {
    return some_of(examples_, rows_->count(), things) + " of " + text_name;
  }
  static double token_accuracy(const TaskTotals& totals) {
    return static_cast<double>(totals.sums.likeliest) / static_cast<double>(totals.sums.tokens);
  }

 private:
  int64_t place(int64_t example) const { return spread_place(example, examples_, rows_->count()); }

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::shared_ptr<const RowSet> rows_;
  int64_t examples_;
};

class TextTask : public RowTask {
 public:
  TextTask(std::shared_ptr<const Tokenizer> tokenizer, std::shared_ptr<const RowSet> windows,
           std::string name, int64_t examples)
      : RowTask(std::move(tokenizer), std::move(windows), examples), name_(std::move(name)) {
    EBT_CHECK(this->examples() > 0, "{} is too short: one token leaves nothing to predict", name_);
  }

  std::string description() const override { return name_of("windows", name_); }

  std::vector<Metric> metrics(const TaskTotals& totals) const override {
    const double bytes = static_cast<double>(totals.sums.bytes);
    return {{"perplexity", "perplexity", std::exp(totals.loss()), true},
            {"loss", "nats per token", totals.loss()},
            {"bits_per_byte", "bits per byte", totals.sums.nats / std::numbers::ln2 / bytes},
            {"token_accuracy", "accuracy of tokens", token_accuracy(totals), true}};
  }

 private:
  std::string name_;
};

class AnswerTask : public RowTask {
 public:
  AnswerTask(std::shared_ptr<const Tokenizer> tokenizer, std::shared_ptr<const RowSet> questions,
             std::string name, int64_t examples)
      : RowTask(std::move(tokenizer), std::move(questions), examples), name_(std::move(name)) {
    EBT_CHECK(this->examples() > 0, "{} has no example to measure", name_);
  }

  std::string description() const override { return name_of("examples", name_); }

  ExampleResult judge(int64_t example, const std::vector<Answer>& answers) const override {
    ExampleResult result = RowTask::judge(example, answers);
    result.right = result.likeliest == result.tokens;
    return result;
  }

  std::vector<Metric> metrics(const TaskTotals& totals) const override {
    return {{"accuracy", "accuracy of answers", totals.accuracy(), true},
            {"loss", "nats per token", totals.loss(), true},
            {"token_accuracy", "accuracy of tokens", token_accuracy(totals)}};
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Task> text_task(std::shared_ptr<const Tokenizer> tokenizer,
                                std::shared_ptr<const RowSet> windows, const std::string& text_name,
                                int64_t examples) {
  return std::make_unique<TextTask>(std::move(tokenizer), std::move(windows), text_name, examples);
}

std::unique_ptr<Task> answer_task(std::shared_ptr<const Tokenizer> tokenizer,
                                  std::shared_ptr<const RowSet> questions,
                                  const std::string& text_name, int64_t examples) {
  return std::make_unique<AnswerTask>(std::move(tokenizer), std::move(questions), text_name,
                                      examples);
}

}  // namespace ebt
