// The interface of evaluation tasks: a task is a list of examples, each a few requests to a
// generator and a judgement of the answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/eval/scoring.h"

namespace ebt {

// What one example gave. All are sums, so that a mean over examples divides once.
struct ExampleResult {
  int64_t tokens = 0;         // scored ones, on which the loss is
  int64_t bytes = 0;          // that these stand for
  double nats = 0;            // -log probability of these
  int64_t likeliest = 0;      // of these, how many the model holds to be the likeliest
  std::optional<bool> right;  // whether the model answered rightly; none where nothing was asked
  std::string written;        // its answer, where it wrote one
  int64_t reported = 0;       // tokens that were scored or written, which cost
  int64_t thinking_steps = 0;
  int64_t forward_passes = 0;
  // (tokens) final energy, and -log probability in nats, of every scored token, to six digits; no
  // energies of a baseline.
  std::vector<double> energies;
  std::vector<double> losses;

  // The cost of an answer.
  void add_cost(const Answer& answer);
  // The loss on the scored tokens of an answer, which must be `expected` many and stand for `text`.
  // Throws Error when they are not, or when a probability is not a finite number.
  void add_scored(const Answer& answer, int64_t expected, int64_t text_bytes);

  Json to_json() const;
  // Throws Error, in a sentence that begins with `source`, for anything that to_json() cannot give.
  static ExampleResult from_json(const nlohmann::json& object, const std::string& source);
};

// Sums over examples.
struct TaskTotals {
  int64_t examples = 0;
  int64_t asked = 0;  // examples that were answered, and of these
  int64_t right = 0;  // those that were right
  ExampleResult sums;

  void add(const ExampleResult& result);
  // Means, of which there must be something to be a mean of.
  double loss() const;              // nats per scored token
  double accuracy() const;          // right / asked
  double steps_per_token() const;   // per scored or written token
  double passes_per_token() const;  // likewise
};

struct Metric {
  std::string name;   // in files: "bits_per_byte"
  std::string words;  // in tables and figures: "bits per byte"
  double value = 0;
  bool drawn = false;  // in the figure, which has room for two
};

class Task {
 public:
  virtual ~Task() = default;

  // What is measured, in words: "200 of the 5153 passages of 'lambada.jsonl'".
  virtual std::string description() const = 0;
  virtual int64_t examples() const = 0;
  // The requests of an example; how to think and how to sample is set by who runs them.
  virtual std::vector<Query> queries(int64_t example) const = 0;
  // `answers` are those of the queries.
  virtual ExampleResult judge(int64_t example, const std::vector<Answer>& answers) const = 0;
  // What the task is about, the most important first.
  virtual std::vector<Metric> metrics(const TaskTotals& totals) const = 0;
};

}  // namespace ebt
