#include <cmath>
#include <numbers>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/eval/task_text.h"
#include "ebt/eval/tasks.h"

namespace ebt {
namespace {

class TextTask : public Task {
 public:
  TextTask(std::shared_ptr<const Tokenizer> tokenizer, ValidationWindows windows, std::string name,
           int64_t examples)
      : tokenizer_(std::move(tokenizer)),
        windows_(std::move(windows)),
        name_(std::move(name)),
        examples_(limited(examples, windows_.count())) {
    EBT_CHECK(examples_ > 0, "{} is too short: one token leaves nothing to predict", name_);
  }

  std::string description() const override {
    return some_of(examples_, windows_.count(), "windows") + " of " + name_;
  }
  int64_t examples() const override { return examples_; }

  // A window of S + 1 tokens, each but the first predicted from those before it.
  std::vector<Query> queries(int64_t example) const override {
    Query query;
    query.request.prompt = window(example);
    query.request.score_from = 1;
    query.request.max_tokens = 0;
    return {query};
  }

  ExampleResult judge(int64_t example, const std::vector<Answer>& answers) const override {
    const std::vector<int32_t> tokens = window(example);
    ExampleResult result;
    result.add_cost(answers[0]);
    result.add_scored(
        answers[0], static_cast<int64_t>(tokens.size()) - 1,
        static_cast<int64_t>(tokenizer_->decode(std::span(tokens).subspan(1)).size()));
    return result;
  }

  std::vector<Metric> metrics(const TaskTotals& totals) const override {
    const double bytes = static_cast<double>(totals.sums.bytes);
    return {{"perplexity", "perplexity", std::exp(totals.loss()), true},
            {"loss", "nats per token", totals.loss()},
            {"bits_per_byte", "bits per byte", totals.sums.nats / std::numbers::ln2 / bytes},
            {"token_accuracy", "accuracy of tokens",
             static_cast<double>(totals.sums.likeliest) / static_cast<double>(totals.sums.tokens),
             true}};
  }

 private:
  std::vector<int32_t> window(int64_t example) const {
    Batch batch;
    windows_.fill(batch, spread_place(example, examples_, windows_.count()), 1);
    std::vector<int32_t> tokens = {batch.inputs[0]};
    for (const int32_t target : batch.targets) {
      if (target != kIgnoredTarget) {
        tokens.push_back(target);
      }
    }
    return tokens;
  }

  std::shared_ptr<const Tokenizer> tokenizer_;
  ValidationWindows windows_;
  std::string name_;
  int64_t examples_;
};

}  // namespace

std::unique_ptr<Task> text_task(std::shared_ptr<const Tokenizer> tokenizer,
                                ValidationWindows windows, const std::string& text_name,
                                int64_t examples) {
  return std::make_unique<TextTask>(std::move(tokenizer), std::move(windows), text_name, examples);
}

}  // namespace ebt
