#include "lab/transcend_findings.h"

#include <algorithm>
#include <limits>

#include "lab/word_list.h"

namespace ebt {

using nlohmann::json;

TranscendFindings::TranscendFindings(const TranscendLabConfig& config,
                                     const std::vector<LabResult>& results)
    : learners_(read_words(config.learners, "learners")) {
  for (const LabResult& result : results) {
    if (!result.result.has_value()) {
      continue;
    }
    if (result.job.parameters["setting"] == "linear") {
      linear_.push_back(*result.result);
    } else {
      runs_.push_back({FactRun::from(result.job.parameters), *result.result});
    }
  }
}

bool TranscendFindings::has(const std::string& setting) const {
  return std::any_of(runs_.begin(), runs_.end(),
                     [&](const Run& run) { return run.what.setting == setting; });
}

Spread TranscendFindings::over_seeds(FactRun like, const Value& value) const {
  std::vector<double> values;
  for (const Run& run : runs_) {
    like.seed = run.what.seed;
    if (run.what == like) {
      values.push_back(value(run.result));
    }
  }
  return Spread(values);
}

const json* TranscendFindings::result_of(FactRun like) const {
  for (const Run& run : runs_) {
    like.seed = run.what.seed;
    if (run.what == like) {
      return &run.result;
    }
  }
  return nullptr;
}

namespace lab {

TranscendFindings::Value member(const std::string& name) {
  return [name](const json& result) { return result[name].get<double>(); };
}

TranscendFindings::Value of_two_hop(const std::string& name) {
  return [name](const json& result) { return result["two_hop"][name].get<double>(); };
}

TranscendFindings::Value judged(const std::string& name) {
  return [name](const json& result) { return result["judgement"][name].get<double>(); };
}

TranscendFindings::Value at_temperature(double temperature) {
  return [temperature](const json& result) {
    const std::vector<double> temperatures = result["temperatures"];
    const auto place = std::find(temperatures.begin(), temperatures.end(), temperature);
    return place == temperatures.end()
               ? std::numeric_limits<double>::quiet_NaN()
               : result["accuracies"][static_cast<size_t>(place - temperatures.begin())]
                     .get<double>();
  };
}

}  // namespace lab
}  // namespace ebt
