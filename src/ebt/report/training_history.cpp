#include "ebt/report/training_history.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "ebt/io/file.h"

namespace ebt {
namespace {

using nlohmann::json;

// The numbers of an array field; empty when it is missing or holds anything else.
std::vector<double> numbers(const json& line, const char* key) {
  std::vector<double> values;
  const auto field = line.find(key);
  if (field == line.end() || !field->is_array()) {
    return values;
  }
  for (const json& value : *field) {
    if (!value.is_number()) {
      return {};
    }
    values.push_back(value.get<double>());
  }
  return values;
}

double number(const json& line, const char* key) {
  const auto field = line.find(key);
  return field != line.end() && field->is_number() ? field->get<double>() : 0.0;
}

void add_line(const json& line, TrainingHistory& history) {
  const auto step = static_cast<int64_t>(number(line, "step"));
  if (const auto losses = numbers(line, "val_step_losses"); !losses.empty()) {
    history.validation.push_back({step, losses});
  }
  if (line.contains("step_losses")) {
    history.seconds += number(line, "seconds");
    history.tokens += static_cast<int64_t>(number(line, "tokens"));
    if (const auto losses = numbers(line, "step_losses"); !losses.empty()) {
      history.training.push_back({step, losses.back(), number(line, "seconds")});
    }
  }
}

}  // namespace

double TrainingHistory::seconds_per_step() const {
  if (training.empty()) {
    return 0;
  }
  std::vector<double> seconds_of_steps;
  for (const TrainingPoint& point : training) {
    seconds_of_steps.push_back(point.seconds);
  }
  const auto middle = seconds_of_steps.begin() + std::ssize(seconds_of_steps) / 2;
  std::nth_element(seconds_of_steps.begin(), middle, seconds_of_steps.end());
  return *middle;
}

TrainingHistory read_training_history(const std::filesystem::path& metrics_file) {
  const MappedFile file(metrics_file);
  TrainingHistory history;
  std::string_view rest = file.text();
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const json line = json::parse(rest.substr(0, end), nullptr, /*allow_exceptions=*/false);
    if (line.is_object()) {
      add_line(line, history);
    }
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return history;
}

}  // namespace ebt
