#include "lab/think_findings.h"

#include <algorithm>
#include <cstdlib>

namespace ebt {
namespace {

ThinkPoint point_of(const Job& job, const nlohmann::json& level, int64_t number,
                    const nlohmann::json& measured) {
  ThinkPoint point;
  point.puzzle = job.parameters["puzzle"];
  point.learner = job.parameters["learner"];
  point.without = job.parameters["without"];
  point.seed = job.parameters["seed"];
  point.level = number;
  point.level_name = level["level"];
  point.sizes = level["sizes"];
  point.trained = level["trained"];
  point.steps = measured.value("steps", int64_t{0});
  point.candidates = measured.value("candidates", int64_t{1});
  point.stop = measured.value("stop", 0.0);
  point.accuracy = measured["accuracy"];
  point.token_accuracy = measured["token_accuracy"];
  point.loss = measured["loss"];
  point.passes = measured["passes_per_token"];
  return point;
}

bool is_plain(const ThinkPoint& point) { return point.candidates == 1 && point.stop == 0; }

}  // namespace

ThinkFilter plain(const std::string& learner, int64_t steps) {
  return [=](const ThinkPoint& point) {
    return point.learner == learner && point.without.empty() && point.steps == steps &&
           is_plain(point);
  };
}
ThinkFilter without(const std::string& part, int64_t steps) {
  return [=](const ThinkPoint& point) {
    return point.learner == "s2" && point.without == part && point.steps == steps &&
           is_plain(point);
  };
}
ThinkFilter of_puzzle(const std::string& puzzle) {
  return [=](const ThinkPoint& point) { return point.puzzle == puzzle; };
}
ThinkFilter of_level(int64_t level) {
  return [=](const ThinkPoint& point) { return point.level == level; };
}
ThinkFilter beyond() {
  return [](const ThinkPoint& point) { return !point.trained; };
}
ThinkFilter within() {
  return [](const ThinkPoint& point) { return point.trained; };
}
ThinkFilter both(ThinkFilter first, ThinkFilter second) {
  return [first = std::move(first), second = std::move(second)](const ThinkPoint& point) {
    return first(point) && second(point);
  };
}

ThinkFindings::ThinkFindings(const std::vector<LabResult>& results, std::vector<int64_t> grid)
    : grid_(std::move(grid)) {
  std::sort(grid_.begin(), grid_.end());
  for (const LabResult& result : results) {
    if (!result.result.has_value()) {
      continue;
    }
    int64_t number = 0;
    for (const nlohmann::json& level : (*result.result)["levels"]) {
      for (const nlohmann::json& measured : level["points"]) {
        points_.push_back(point_of(result.job, level, number, measured));
      }
      ++number;
    }
  }
}

int64_t ThinkFindings::usual(const std::string& learner) const {
  const int64_t trained = learner == "s1" ? 1 : 3;
  return *std::min_element(grid_.begin(), grid_.end(), [&](int64_t a, int64_t b) {
    return std::abs(a - trained) < std::abs(b - trained);
  });
}

std::map<std::pair<std::string, int64_t>, double> ThinkFindings::by_model(
    const ThinkFilter& passes, double ThinkPoint::*value) const {
  std::map<std::pair<std::string, int64_t>, std::vector<double>> values;
  for (const ThinkPoint& point : points_) {
    if (passes(point)) {
      values[{point.puzzle, point.seed}].push_back(point.*value);
    }
  }
  std::map<std::pair<std::string, int64_t>, double> means;
  for (const auto& [model, of_model] : values) {
    means[model] = Spread(of_model).mean;
  }
  return means;
}

Spread ThinkFindings::spread(const ThinkFilter& passes, double ThinkPoint::*value) const {
  std::vector<double> values;
  for (const auto& [model, mean] : by_model(passes, value)) {
    values.push_back(mean);
  }
  return Spread(values);
}

std::vector<double> ThinkFindings::differences(const ThinkFilter& first, const ThinkFilter& second,
                                               double ThinkPoint::*value) const {
  const auto of_first = by_model(first, value);
  const auto of_second = by_model(second, value);
  std::vector<double> result;
  for (const auto& [model, mean] : of_first) {
    if (const auto other = of_second.find(model); other != of_second.end()) {
      result.push_back(mean - other->second);
    }
  }
  return result;
}

}  // namespace ebt
