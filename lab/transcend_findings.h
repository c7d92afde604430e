// Queries on the results of `ebt lab transcend`, by setting and learner.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lab/spread.h"
#include "lab/transcend_lab.h"

namespace ebt {

class TranscendFindings {
 public:
  TranscendFindings(const TranscendLabConfig& config, const std::vector<LabResult>& results);

  // Results of the linear experts, one for each seed.
  const std::vector<nlohmann::json>& linear() const { return linear_; }
  // Whether some run of a setting is done.
  bool has(const std::string& setting) const;
  const std::vector<std::string>& learners() const { return learners_; }

  // Over seeds, of the runs that differ from `like` in nothing but the seed. `value` reads a
  // result.
  using Value = std::function<double(const nlohmann::json&)>;
  Spread over_seeds(FactRun like, const Value& value) const;
  // Of the first such run; null where none is done.
  const nlohmann::json* result_of(FactRun like) const;

 private:
  struct Run {
    FactRun what;
    nlohmann::json result;
  };

  std::vector<std::string> learners_;
  std::vector<nlohmann::json> linear_;
  std::vector<Run> runs_;
};

// The claims that the page begins with, and what the results say about each.
std::vector<LabAnswer> transcend_answers(const TranscendLabConfig& config,
                                         const TranscendFindings& findings);

namespace lab {

// Numbers of a result: its own, of its two-hop questions, of what the energy says.
TranscendFindings::Value member(const std::string& name);
TranscendFindings::Value of_two_hop(const std::string& name);
TranscendFindings::Value judged(const std::string& name);
// Accuracy at a temperature; not a number where that was not measured.
TranscendFindings::Value at_temperature(double temperature);

}  // namespace lab
}  // namespace ebt
