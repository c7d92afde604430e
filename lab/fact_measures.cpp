#include "lab/fact_measures.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <set>
#include <span>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/eval/scoring.h"
#include "ebt/eval/statistics.h"
#include "ebt/eval/task_text.h"
#include "ebt/model/model_folder.h"
#include "ebt/think/open_model.h"
#include "ebt/train/run_config.h"
#include "ebt/train/text_train_config.h"
#include "lab/word_energies.h"

namespace ebt {
namespace {

constexpr int64_t kTexts = 16;

// The token of each name.
std::vector<int32_t> tokens_of(const Tokenizer& tokenizer, const std::vector<std::string>& names) {
  std::vector<int32_t> tokens;
  for (const std::string& name : names) {
    const std::vector<int32_t> encoded = tokenizer.encode(" " + name);
    EBT_CHECK(encoded.size() == 1, "facts: the name '{}' is not one token", name);
    tokens.push_back(encoded[0]);
  }
  return tokens;
}

// Log probabilities of all tokens behind every prompt, handed over question by question. False
// where it was asked to stop.
bool for_each_distribution(
    Generator& generator, const Tokenizer& tokenizer, const std::vector<Question>& questions,
    const JobWatch& watch,
    const std::function<void(size_t question, const std::vector<double>& log_probabilities)>&
        visit) {
  const int64_t vocabulary = tokenizer.vocabulary_size();
  size_t asked = 0;
  size_t answered = 0;
  std::vector<double> log_probabilities(static_cast<size_t>(vocabulary));
  run_queries(
      generator,
      [&]() -> std::optional<Query> {
        if (asked == questions.size() || watch.stop_requested()) {
          return std::nullopt;
        }
        Query query;
        query.request.prompt = document_tokens(tokenizer, questions[asked].prompt);
        query.request.max_tokens = 1;
        query.request.top_tokens = vocabulary;
        query.request.sampling.temperature = 0;
        query.request.think.seed = asked++;
        return query;
      },
      [&](Answer&& answer) {
        check_finite(answer.finish);
        for (const TokenProbability& token : answer.tokens.back().top) {
          log_probabilities[static_cast<size_t>(token.token)] = token.log_probability;
        }
        visit(answered++, log_probabilities);
      });
  return answered == questions.size();
}

// The share that the right tokens have at a temperature.
double right_share(const std::vector<double>& log_probabilities, const std::vector<int32_t>& right,
                   double temperature) {
  const double most = *std::max_element(log_probabilities.begin(), log_probabilities.end());
  if (temperature == 0) {
    const auto likeliest =
        static_cast<int32_t>(std::find(log_probabilities.begin(), log_probabilities.end(), most) -
                             log_probabilities.begin());
    return std::find(right.begin(), right.end(), likeliest) == right.end() ? 0 : 1;
  }
  const auto weight = [&](double log_probability) {
    return std::exp((log_probability - most) / temperature);
  };
  double all = 0;
  for (const double log_probability : log_probabilities) {
    all += weight(log_probability);
  }
  double of_right = 0;
  for (const int32_t token : right) {
    of_right += weight(log_probabilities[static_cast<size_t>(token)]);
  }
  return of_right / all;
}

// A question, and the tails that some expert has for it.
struct Candidates {
  size_t question = 0;
  std::vector<int32_t> tokens;
  std::vector<bool> right;
};

std::vector<Candidates> candidates_of(const Tokenizer& tokenizer,
                                      const std::vector<Question>& questions,
                                      const std::vector<ExpertCopy>& copies,
                                      const std::vector<std::string>& entity_names) {
  std::vector<Candidates> result;
  for (size_t i = 0; i < questions.size(); ++i) {
    const Question& question = questions[i];
    std::set<int32_t> tails;
    for (const ExpertCopy& copy : copies) {
      for (const Fact& fact : copy.facts.of(question.head, question.relation)) {
        tails.insert(fact.tail);
      }
    }
    Candidates candidates;
    candidates.question = i;
    std::vector<std::string> names;
    for (const int32_t tail : tails) {
      names.push_back(entity_names[static_cast<size_t>(tail)]);
      candidates.right.push_back(
          std::binary_search(question.tails.begin(), question.tails.end(), tail));
    }
    candidates.tokens = tokens_of(tokenizer, names);
    const bool has_right =
        std::find(candidates.right.begin(), candidates.right.end(), true) != candidates.right.end();
    const bool has_wrong = std::find(candidates.right.begin(), candidates.right.end(), false) !=
                           candidates.right.end();
    if (has_right && has_wrong) {
      result.push_back(std::move(candidates));
    }
  }
  return result;
}

// Scores of the candidates of many questions, the higher the better.
class Ranking {
 public:
  void add(const std::vector<double>& scores, const std::vector<bool>& right) {
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    picked_right_ += right[static_cast<size_t>(best)] ? 1 : 0;
    within_ += area_under_roc(scores, right);
    const double mean =
        std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
    for (size_t i = 0; i < scores.size(); ++i) {
      (right[i] ? right_centered_ : wrong_centered_).push_back(scores[i] - mean);
    }
    ++count_;
    scores_.insert(scores_.end(), scores.begin(), scores.end());
    right_.insert(right_.end(), right.begin(), right.end());
  }
  double best_is_right() const { return picked_right_ / count_; }
  double auroc() const { return within_ / count_; }
  double pooled_auroc() const { return area_under_roc(scores_, right_); }
  // Less the mean of their question's.
  const std::vector<double>& centered(bool of_right) const {
    return of_right ? right_centered_ : wrong_centered_;
  }

 private:
  double picked_right_ = 0;
  double within_ = 0;
  double count_ = 0;
  std::vector<double> scores_;
  std::vector<bool> right_;
  std::vector<double> right_centered_;
  std::vector<double> wrong_centered_;
};

// The energies that such scores are the negatives of, from the least to the largest.
std::vector<double> energy_quantiles(std::vector<double> scores) {
  constexpr size_t kIntervals = 20;
  std::sort(scores.rbegin(), scores.rend());
  std::vector<double> quantiles;
  for (size_t i = 0; i <= kIntervals; ++i) {
    quantiles.push_back(-scores[i * (scores.size() - 1) / kIntervals]);
  }
  return quantiles;
}

}  // namespace

FactMeasures::FactMeasures(std::filesystem::path model) : model_(std::move(model)) {}

std::optional<WordAccuracies> FactMeasures::word_accuracies(const std::vector<Question>& questions,
                                                            const std::vector<double>& temperatures,
                                                            const JobWatch& watch) const {
  EBT_CHECK(!questions.empty(), "facts: there is no question to ask");
  const auto tokenizer = load_tokenizer(model_);
  const auto generator =
      load_generator(model_, {kTexts, load_config<TextTrainConfig>(model_).run.precision});
  WordAccuracies result{temperatures, std::vector<double>(temperatures.size())};
  const bool done = for_each_distribution(
      *generator, *tokenizer, questions, watch,
      [&](size_t question, const std::vector<double>& log_probabilities) {
        const std::vector<int32_t> right = tokens_of(*tokenizer, questions[question].answers);
        for (size_t t = 0; t < temperatures.size(); ++t) {
          result.accuracies[t] += right_share(log_probabilities, right, temperatures[t]) /
                                  static_cast<double>(questions.size());
        }
      });
  return done ? std::optional(result) : std::nullopt;
}

std::optional<double> FactMeasures::written_accuracy(const std::vector<Question>& questions,
                                                     int64_t words, const JobWatch& watch) const {
  EBT_CHECK(!questions.empty(), "facts: there is no question to ask");
  const auto tokenizer = load_tokenizer(model_);
  const auto generator =
      load_generator(model_, {kTexts, load_config<TextTrainConfig>(model_).run.precision});
  size_t asked = 0;
  size_t answered = 0;
  int64_t right = 0;
  run_queries(
      *generator,
      [&]() -> std::optional<Query> {
        if (asked == questions.size() || watch.stop_requested()) {
          return std::nullopt;
        }
        Query query = written_text(
            *tokenizer, questions[asked].prompt, words,
            [](const std::string& written) { return written.find('.') != std::string::npos; });
        query.request.sampling.temperature = 0;
        query.request.think.seed = asked++;
        return query;
      },
      [&](Answer&& answer) {
        right += questions[answered++].accepts(written_by(*tokenizer, answer.tokens)) ? 1 : 0;
      });
  if (answered < questions.size()) {
    return std::nullopt;
  }
  return static_cast<double>(right) / static_cast<double>(questions.size());
}

std::optional<Judgement> FactMeasures::judgement(const std::vector<Question>& questions,
                                                 const std::vector<ExpertCopy>& copies,
                                                 const std::vector<std::string>& entity_names,
                                                 const JobWatch& watch) const {
  const auto tokenizer = load_tokenizer(model_);
  const std::vector<Candidates> candidates =
      candidates_of(*tokenizer, questions, copies, entity_names);
  Judgement result;
  result.questions = std::ssize(candidates);
  if (candidates.empty()) {
    return result;
  }
  std::vector<Question> asked;
  asked.reserve(candidates.size());
  for (const Candidates& of_question : candidates) {
    asked.push_back(questions[of_question.question]);
  }
  Ranking by_probability;
  const auto generator =
      load_generator(model_, {kTexts, load_config<TextTrainConfig>(model_).run.precision});
  const bool done =
      for_each_distribution(*generator, *tokenizer, asked, watch,
                            [&](size_t question, const std::vector<double>& log_probabilities) {
                              std::vector<double> scores;
                              for (const int32_t token : candidates[question].tokens) {
                                scores.push_back(log_probabilities[static_cast<size_t>(token)]);
                              }
                              by_probability.add(scores, candidates[question].right);
                            });
  if (!done) {
    return std::nullopt;
  }
  Ranking by_energy;
  WordEnergies energies(model_);
  for (const Candidates& of_question : candidates) {
    if (watch.stop_requested()) {
      return std::nullopt;
    }
    std::vector<double> scores = energies.of(
        document_tokens(*tokenizer, questions[of_question.question].prompt), of_question.tokens);
    for (double& score : scores) {
      score = -score;
    }
    by_energy.add(scores, of_question.right);
  }
  result.by_energy = by_energy.best_is_right();
  result.by_probability = by_probability.best_is_right();
  result.auroc_by_energy = by_energy.auroc();
  result.auroc_by_probability = by_probability.auroc();
  result.pooled_auroc_by_energy = by_energy.pooled_auroc();
  result.pooled_auroc_by_probability = by_probability.pooled_auroc();
  result.right_energies = energy_quantiles(by_energy.centered(true));
  result.wrong_energies = energy_quantiles(by_energy.centered(false));
  return result;
}

}  // namespace ebt
