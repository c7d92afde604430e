#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/data/even_choice.h"
#include "ebt/eval/task_text.h"
#include "ebt/eval/tasks.h"

namespace ebt {
namespace {

struct Problem {
  std::string question;
  std::string answer;
  std::string number;  // that the answer ends in

  std::string asked() const { return "Question: " + question + "\nAnswer:"; }
};

// Problems are separated by an empty line, and a next question needs none: there an answer ends. So
// it does behind its number.
bool is_answered(const std::string& text) {
  const size_t mark = text.find("####");
  const bool has_number =
      mark != std::string::npos && final_number(text).has_value() &&
      text.find('\n', text.find_first_of("0123456789", mark)) != std::string::npos;
  return has_number || text.find("\n\n") != std::string::npos ||
         text.find("Question:") != std::string::npos;
}

class Gsm8kTask : public Task {
 public:
  Gsm8kTask(std::shared_ptr<const Tokenizer> tokenizer, const std::string& path,
            const TaskOptions& options)
      : tokenizer_(std::move(tokenizer)), path_(path), answer_tokens_(options.answer_tokens) {
    for_each_example(path, [&](const std::string& what, const nlohmann::json& object) {
      Problem problem = {text_member(object, what, "question"), text_member(object, what, "answer"),
                         ""};
      const std::optional<std::string> number = final_number(problem.answer);
      EBT_CHECK(number.has_value(), "{} has an \"answer\" without a number after \"####\"", what);
      problem.number = *number;
      if (shots_ < options.shots) {
        prefix_ += problem.asked() + " " + problem.answer + "\n\n";
        ++shots_;
      } else {
        problems_.push_back(std::move(problem));
      }
    });
    EBT_CHECK(!problems_.empty(),
              "--shots: '{}' has {} examples, and {} shots leave none to measure", path, shots_,
              options.shots);
    examples_ = limited(options.examples, count());
  }

  std::string description() const override {
    return fmt::format("{} of '{}', {}-shot", some_of(examples_, count(), "problems"), path_,
                       shots_);
  }
  int64_t examples() const override { return examples_; }

  std::vector<Query> queries(int64_t example) const override {
    std::vector<Query> queries = {{given_answer(example).request, nullptr}};
    if (answer_tokens_ > 0) {
      queries.push_back(
          written_text(*tokenizer_, prefix_ + at(example).asked(), answer_tokens_, is_answered));
    }
    return queries;
  }

  ExampleResult judge(int64_t example, const std::vector<Answer>& answers) const override {
    const ScoredText given = given_answer(example);
    ExampleResult result;
    result.add_scored(answers[0], given.scored, given.bytes);
    for (const Answer& answer : answers) {
      result.add_cost(answer);
    }
    if (answer_tokens_ > 0) {
      result.written = written_by(*tokenizer_, answers[1].tokens);
      result.right = final_number(result.written) == at(example).number;
    }
    return result;
  }

  std::vector<Metric> metrics(const TaskTotals& totals) const override {
    std::vector<Metric> metrics = {
        {"perplexity", "perplexity of the answer", std::exp(totals.loss()), true},
        {"loss", "nats per token", totals.loss()}};
    if (answer_tokens_ > 0) {
      metrics.insert(metrics.begin(), {"exact_match", "exact match", totals.accuracy(), true});
    }
    return metrics;
  }

 private:
  int64_t count() const { return static_cast<int64_t>(problems_.size()); }
  const Problem& at(int64_t example) const {
    return problems_[static_cast<size_t>(spread_place(example, examples_, count()))];
  }
  ScoredText given_answer(int64_t example) const {
    return scored_text(*tokenizer_, prefix_ + at(example).asked(), " " + at(example).answer);
  }

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::string path_;
  int64_t answer_tokens_;
  int64_t shots_ = 0;
  std::string prefix_;  // the shots
  std::vector<Problem> problems_;
  int64_t examples_ = 0;
};

}  // namespace

std::unique_ptr<Task> gsm8k_task(std::shared_ptr<const Tokenizer> tokenizer,
                                 const std::string& path, const TaskOptions& options) {
  return std::make_unique<Gsm8kTask>(std::move(tokenizer), path, options);
}

}  // namespace ebt
