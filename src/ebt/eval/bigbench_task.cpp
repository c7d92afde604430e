#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/data/even_choice.h"
#include "ebt/eval/task_text.h"
#include "ebt/eval/tasks.h"
#include "ebt/io/json.h"

namespace ebt {
namespace {

// A question with targets, of which any is a right answer, or with choices. The first target, or
// the first of the best choices, is the one that perplexity is measured on.
struct Question {
  std::string input;
  std::vector<std::string> answers;  // targets, or choices
  std::vector<double> scores;        // of the choices; empty: answers are targets

  bool has_choices() const { return !scores.empty(); }
  size_t best() const {
    return static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  }
  const std::string& reference() const { return answers[has_choices() ? best() : 0]; }
  std::string asked() const { return "Q: " + input + "\nA:"; }
  // What ends an answer.
  std::string end() const {
    const bool one_line = std::none_of(answers.begin(), answers.end(), [](const std::string& text) {
      return trimmed(text).find('\n') != std::string_view::npos;
    });
    return one_line ? "\n" : "\n\n";
  }
};

std::vector<std::string> read_targets(const nlohmann::json& target, const std::string& what) {
  const nlohmann::json list = target.is_array() ? target : nlohmann::json::array({target});
  EBT_CHECK(!list.empty(), "{} has no \"target\"", what);
  std::vector<std::string> targets;
  for (const nlohmann::json& one : list) {
    targets.push_back(text_member({{"target", one}}, what, "target"));
  }
  return targets;
}

Question read_question(const nlohmann::json& object, const std::string& what) {
  EBT_CHECK(object.is_object(), "{} is not a JSON object", what);
  Question question;
  question.input = text_member(object, what, "input");
  const auto scores = object.find("target_scores");
  if (scores == object.end()) {
    EBT_CHECK(object.contains("target"), "{} has neither \"target\" nor \"target_scores\"", what);
    question.answers = read_targets(object.at("target"), what);
    return question;
  }
  EBT_CHECK(scores->is_object() && scores->size() >= 2,
            "{} has \"target_scores\" that are not an object of at least two choices", what);
  for (const auto& [choice, score] : scores->items()) {
    EBT_CHECK(!trimmed(choice).empty(), "{} has an empty choice", what);
    EBT_CHECK(score.is_number() && std::isfinite(score.get<double>()),
              "{} has a choice whose score is not a number", what);
    question.answers.push_back(choice);
    question.scores.push_back(score.get<double>());
  }
  return question;
}

class BigbenchTask : public Task {
 public:
  BigbenchTask(std::shared_ptr<const Tokenizer> tokenizer, const std::string& path,
               const TaskOptions& options)
      : tokenizer_(std::move(tokenizer)), path_(path), answer_tokens_(options.answer_tokens) {
    const std::string source = source_name(path);
    const nlohmann::json file = parse_json(read_decoded_text(path, kMaxJson_bytes), source);
    EBT_CHECK(file.is_object() && file.contains("examples") && file.at("examples").is_array(),
              "{} has no list of \"examples\"", source);
    int64_t number = 0;
    for (const nlohmann::json& example : file.at("examples")) {
      Question question = read_question(example, fmt::format("example {} of {}", ++number, source));
      if (shots_ < options.shots) {
        prefix_ += fmt::format("{} {}\n\n", question.asked(), trimmed(question.reference()));
        ++shots_;
      } else {
        has_choices_ = has_choices_ || question.has_choices();
        questions_.push_back(std::move(question));
      }
    }
    EBT_CHECK(number > 0, "{} is empty: there is no example to measure", source);
    EBT_CHECK(!questions_.empty(),
              "--shots: {} has {} examples, and {} shots leave none to measure", source, number,
              options.shots);
    examples_ = limited(options.examples, count());
  }

  std::string description() const override {
    return fmt::format("{} of '{}', {}-shot", some_of(examples_, count(), "questions"), path_,
                       shots_);
  }
  int64_t examples() const override { return examples_; }

  std::vector<Query> queries(int64_t example) const override {
    const Question& question = at(example);
    std::vector<Query> queries;
    if (question.has_choices()) {
      for (const std::string& choice : question.answers) {
        queries.push_back({scored(question, choice).request, nullptr});
      }
      return queries;
    }
    queries.push_back({scored(question, question.reference()).request, nullptr});
    if (answer_tokens_ > 0) {
      queries.push_back(written_text(*tokenizer_, prefix_ + question.asked(), answer_tokens_,
                                     [end = question.end()](const std::string& text) {
                                       return text.find(end) != std::string::npos;
                                     }));
    }
    return queries;
  }

  ExampleResult judge(int64_t example, const std::vector<Answer>& answers) const override {
    const Question& question = at(example);
    ExampleResult result;
    for (const Answer& answer : answers) {
      result.add_cost(answer);
    }
    const ScoredText reference = scored(question, question.reference());
    const size_t place = question.has_choices() ? question.best() : 0;
    result.add_scored(answers[place], reference.scored, reference.bytes);
    if (question.has_choices()) {
      const size_t chosen = likeliest_choice(question, answers);
      result.written = question.answers[chosen];
      result.right = question.scores[chosen] == question.scores[question.best()];
    } else if (answer_tokens_ > 0) {
      const std::string text = written_by(*tokenizer_, answers[1].tokens);
      result.written = trimmed(std::string_view(text).substr(0, text.find(question.end())));
      result.right =
          std::any_of(question.answers.begin(), question.answers.end(),
                      [&](const std::string& target) { return trimmed(target) == result.written; });
    }
    return result;
  }

  std::vector<Metric> metrics(const TaskTotals& totals) const override {
    std::vector<Metric> metrics = {
        {"perplexity", "perplexity of the target", std::exp(totals.loss()), true},
        {"loss", "nats per token", totals.loss()}};
    if (totals.asked > 0) {
      metrics.insert(metrics.begin(),
                     has_choices_ ? Metric{"accuracy", "accuracy", totals.accuracy(), true}
                                  : Metric{"exact_match", "exact match", totals.accuracy(), true});
    }
    return metrics;
  }

 private:
  int64_t count() const { return static_cast<int64_t>(questions_.size()); }
  const Question& at(int64_t example) const {
    return questions_[static_cast<size_t>(spread_place(example, examples_, count()))];
  }
  ScoredText scored(const Question& question, const std::string& answer) const {
    return scored_text(*tokenizer_, prefix_ + question.asked(),
                       fmt::format(" {}", trimmed(answer)));
  }
  // By log probability of the whole choice; the first of equals.
  size_t likeliest_choice(const Question& question, const std::vector<Answer>& answers) const {
    size_t likeliest = 0;
    double least_nats = 0;
    for (size_t choice = 0; choice < answers.size(); ++choice) {
      ExampleResult one;
      const ScoredText text = scored(question, question.answers[choice]);
      one.add_scored(answers[choice], text.scored, text.bytes);
      if (choice == 0 || one.nats < least_nats) {
        likeliest = choice;
        least_nats = one.nats;
      }
    }
    return likeliest;
  }

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::string path_;
  int64_t answer_tokens_;
  int64_t shots_ = 0;
  std::string prefix_;  // the shots
  std::vector<Question> questions_;
  bool has_choices_ = false;
  int64_t examples_ = 0;
};

}  // namespace

std::unique_ptr<Task> bigbench_task(std::shared_ptr<const Tokenizer> tokenizer,
                                    const std::string& path, const TaskOptions& options) {
  return std::make_unique<BigbenchTask>(std::move(tokenizer), path, options);
}

}  // namespace ebt
