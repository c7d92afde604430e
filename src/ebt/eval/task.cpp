#include "ebt/eval/task.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "ebt/core/error.h"

namespace ebt {
namespace {

// Far above anything that can be measured, and sums of it do not overflow.
constexpr int64_t kMostCount = 1'000'000'000'000;

// What survives being written with six significant digits.
double six_digits(double value) {
  return std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr);
}

void append(std::vector<double>& to, const std::vector<double>& values) {
  to.insert(to.end(), values.begin(), values.end());
}

double ratio(double sum, int64_t count) {
  EBT_CHECK(count > 0, "evaluation: nothing was measured");
  return sum / static_cast<double>(count);
}

std::vector<double> read_numbers(const nlohmann::json& list, const std::string& source) {
  EBT_CHECK(list.is_array(), "{} has no list of numbers where one belongs", source);
  std::vector<double> numbers;
  numbers.reserve(list.size());
  for (const nlohmann::json& value : list) {
    EBT_CHECK(value.is_number(), "{} has a list with something that is not a number", source);
    numbers.push_back(value.get<double>());
  }
  return numbers;
}

}  // namespace

void ExampleResult::add_cost(const Answer& answer) {
  for (const TokenReport& token : answer.tokens) {
    ++reported;
    thinking_steps += token.thinking_steps;
    forward_passes += token.forward_passes;
  }
}

void ExampleResult::add_scored(const Answer& answer, int64_t expected, int64_t text_bytes) {
  const auto scored = std::count_if(answer.tokens.begin(), answer.tokens.end(),
                                    [](const TokenReport& token) { return token.from_prompt; });
  EBT_CHECK(scored == expected, "evaluation: {} tokens were to be scored, and {} were", expected,
            scored);
  bytes += text_bytes;
  for (const TokenReport& token : answer.tokens) {
    if (!token.from_prompt) {
      continue;
    }
    check_prediction(std::isfinite(token.log_probability) && std::isfinite(token.energy()));
    ++tokens;
    nats -= token.log_probability;
    likeliest += !token.top.empty() && token.top.front().token == token.token ? 1 : 0;
    losses.push_back(six_digits(-token.log_probability));
    if (!token.states.empty()) {
      energies.push_back(six_digits(token.energy()));
    }
  }
}

Json ExampleResult::to_json() const {
  Json object = {{"tokens", tokens},
                 {"bytes", bytes},
                 {"nats", nats},
                 {"likeliest", likeliest},
                 {"reported", reported},
                 {"thinking_steps", thinking_steps},
                 {"forward_passes", forward_passes}};
  if (right.has_value()) {
    object["right"] = *right;
    object["written"] = written;
  }
  object["energies"] = energies;
  object["losses"] = losses;
  return object;
}

ExampleResult ExampleResult::from_json(const nlohmann::json& object, const std::string& source) {
  EBT_CHECK(object.is_object(), "{} is not a JSON object", source);
  const auto member = [&](const char* key) -> const nlohmann::json& {
    const auto entry = object.find(key);
    EBT_CHECK(entry != object.end(), "{} has no \"{}\"", source, key);
    return *entry;
  };
  const auto count = [&](const char* key) {
    int64_t value = 0;
    detail::read_field(member(key), source, key, value);
    EBT_CHECK(value >= 0 && value <= kMostCount, "{}: \"{}\" is not a number from 0 to {}", source,
              key, kMostCount);
    return value;
  };
  ExampleResult result;
  result.tokens = count("tokens");
  result.bytes = count("bytes");
  detail::read_field(member("nats"), source, "nats", result.nats);
  result.likeliest = count("likeliest");
  result.reported = count("reported");
  result.thinking_steps = count("thinking_steps");
  result.forward_passes = count("forward_passes");
  if (object.contains("right")) {
    bool right = false;
    detail::read_field(object.at("right"), source, "right", right);
    result.right = right;
    detail::read_field(member("written"), source, "written", result.written);
  }
  result.energies = read_numbers(member("energies"), source);
  result.losses = read_numbers(member("losses"), source);
  EBT_CHECK(static_cast<int64_t>(result.losses.size()) == result.tokens &&
                (result.energies.empty() || result.energies.size() == result.losses.size()),
            "{} has {} tokens, but {} losses and {} energies", source, result.tokens,
            result.losses.size(), result.energies.size());
  return result;
}

void TaskTotals::add(const ExampleResult& result) {
  ++examples;
  asked += result.right.has_value() ? 1 : 0;
  right += result.right.value_or(false) ? 1 : 0;
  sums.tokens += result.tokens;
  sums.bytes += result.bytes;
  sums.nats += result.nats;
  sums.likeliest += result.likeliest;
  sums.reported += result.reported;
  sums.thinking_steps += result.thinking_steps;
  sums.forward_passes += result.forward_passes;
  append(sums.energies, result.energies);
  append(sums.losses, result.losses);
}

double TaskTotals::loss() const { return ratio(sums.nats, sums.tokens); }

double TaskTotals::accuracy() const { return ratio(static_cast<double>(right), asked); }

double TaskTotals::steps_per_token() const {
  return ratio(static_cast<double>(sums.thinking_steps), sums.reported);
}

double TaskTotals::passes_per_token() const {
  return ratio(static_cast<double>(sums.forward_passes), sums.reported);
}

}  // namespace ebt
