#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/data/even_choice.h"
#include "ebt/eval/task_text.h"
#include "ebt/eval/tasks.h"

namespace ebt {
namespace {

class LambadaTask : public Task {
 public:
  LambadaTask(std::shared_ptr<const Tokenizer> tokenizer, const std::string& path,
              const TaskOptions& options)
      : tokenizer_(std::move(tokenizer)), path_(path) {
    for_each_example(path, [&](const std::string& what, const nlohmann::json& object) {
      passages_.push_back(text_member(object, what, "text"));
      EBT_CHECK(split_last_word(passages_.back()).has_value(),
                "{} has a \"text\" of one word: nothing precedes the last", what);
    });
    examples_ = limited(options.examples, count());
  }

  std::string description() const override {
    return fmt::format("{} of '{}'", some_of(examples_, count(), "passages"), path_);
  }
  int64_t examples() const override { return examples_; }

  std::vector<Query> queries(int64_t example) const override {
    return {{last_word(example).request, nullptr}};
  }

  ExampleResult judge(int64_t example, const std::vector<Answer>& answers) const override {
    const ScoredText word = last_word(example);
    ExampleResult result;
    result.add_cost(answers[0]);
    result.add_scored(answers[0], word.scored, word.bytes);
    result.right = result.likeliest == result.tokens;
    return result;
  }

  std::vector<Metric> metrics(const TaskTotals& totals) const override {
    const double word_loss = totals.sums.nats / static_cast<double>(totals.examples);
    return {{"accuracy", "accuracy of the last word", totals.accuracy(), true},
            {"perplexity", "perplexity of the last word", std::exp(word_loss), true},
            {"loss", "nats per token", totals.loss()}};
  }

 private:
  int64_t count() const { return static_cast<int64_t>(passages_.size()); }

  ScoredText last_word(int64_t example) const {
    const std::string& passage =
        passages_[static_cast<size_t>(spread_place(example, examples_, count()))];
    const auto [before, word] = *split_last_word(passage);
    return scored_text(*tokenizer_, before, word);
  }

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::string path_;
  std::vector<std::string> passages_;
  int64_t examples_ = 0;
};

}  // namespace

std::unique_ptr<Task> lambada_task(std::shared_ptr<const Tokenizer> tokenizer,
                                   const std::string& path, const TaskOptions& options) {
  return std::make_unique<LambadaTask>(std::move(tokenizer), path, options);
}

}  // namespace ebt
