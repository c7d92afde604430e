#include "ebt/eval/calibration.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <system_error>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/io/file.h"
#include "ebt/io/fingerprint.h"
#include "ebt/io/json.h"
#include "ebt/io/json_text.h"
#include "ebt/think/generator.h"

namespace ebt {
namespace {

constexpr int64_t kCalibrationVersion = 1;
constexpr size_t kMaxCalibration_bytes = 1'000'000;
constexpr int64_t kMostTokens = 1'000'000'000'000'000;
constexpr char kWeightsFile[] = "model.safetensors";
constexpr char kLowEnergy[] = "low_energy";
constexpr char kHighEnergy[] = "high_energy";

// Knots of the rising function of `sign * energy`, by rising `sign * energy`, and the mean squared
// error of the function that they summarise.
struct Fit {
  std::vector<Observation> knots;
  double squared_error = 0;
};

Fit fit_rising(std::span<const TokenOutcome> outcomes, double sign) {
  std::vector<Observation> observations;
  observations.reserve(outcomes.size());
  for (const TokenOutcome& outcome : outcomes) {
    observations.push_back({sign * outcome.energy, outcome.right ? 1.0 : 0.0});
  }
  const std::vector<Observation> fitted = isotonic_regression(std::move(observations));
  // Of a mean f of zeros and ones, the squared error is f (1 - f).
  Fit fit;
  for (const Observation& one : fitted) {
    fit.squared_error += one.weight * one.value * (1 - one.value);
  }
  fit.squared_error /= static_cast<double>(outcomes.size());
  fit.knots = isotonic_knots(fitted, kMaxCalibrationKnots);
  return fit;
}

CalibrationQuality judge(std::span<const TokenOutcome> outcomes,
                         const std::function<double(const TokenOutcome&)>& claimed,
                         const std::function<double(const TokenOutcome&)>& score) {
  std::vector<double> claims;
  std::vector<double> scores;
  std::vector<bool> right;
  for (const TokenOutcome& outcome : outcomes) {
    claims.push_back(claimed(outcome));
    scores.push_back(score(outcome));
    right.push_back(outcome.right);
  }
  CalibrationQuality quality;
  quality.bins = reliability(claims, right, kReliabilityBins);
  quality.calibration_error = expected_calibration_error(quality.bins);
  quality.auroc = area_under_roc(scores, right);
  return quality;
}

void check_outcomes(std::span<const TokenOutcome> outcomes, const char* part) {
  EBT_CHECK(static_cast<int64_t>(outcomes.size()) >= kMinCalibrationTokens,
            "calibration: the text is too short: {} predictions to {}, and {} are needed",
            outcomes.size(), part, kMinCalibrationTokens);
  for (const TokenOutcome& outcome : outcomes) {
    check_prediction(std::isfinite(outcome.energy) && std::isfinite(outcome.probability));
  }
}

// The member `key` of an object. Throws Error when it is missing.
const nlohmann::json& member(const nlohmann::json& object, const std::string& source,
                             const char* key) {
  EBT_CHECK(object.is_object() && object.contains(key), "{} has no \"{}\"", source, key);
  return object.at(key);
}

template <class Field>
Field read(const nlohmann::json& object, const std::string& source, const char* key) {
  Field field{};
  detail::read_field(member(object, source, key), source, key, field);
  return field;
}

double read_between(const nlohmann::json& object, const std::string& source, const char* key,
                    double low, double high) {
  const auto value = read<double>(object, source, key);
  EBT_CHECK(value >= low && value <= high, "{}: \"{}\" must be from {} to {}, not {}", source, key,
            low, high, value);
  return value;
}

int64_t read_count(const nlohmann::json& object, const std::string& source, const char* key) {
  const auto value = read<int64_t>(object, source, key);
  EBT_CHECK(value >= 0 && value <= kMostTokens,
            "{}: \"{}\" must be a whole number from 0 to {}, not {}", source, key, kMostTokens,
            value);
  return value;
}

std::vector<Observation> read_knots(const nlohmann::json& list, const std::string& source,
                                    bool low_energy_is_right) {
  EBT_CHECK(
      list.is_array() && !list.empty() && list.size() <= static_cast<size_t>(kMaxCalibrationKnots),
      "{}: \"knots\" must be a list of 1 to {} knots", source, kMaxCalibrationKnots);
  std::vector<Observation> knots;
  for (const nlohmann::json& entry : list) {
    Observation knot;
    knot.x = read<double>(entry, source, "energy");
    knot.value = read_between(entry, source, "certainty", 0, 1);
    knot.weight = static_cast<double>(read_count(entry, source, "tokens"));
    EBT_CHECK(std::isfinite(knot.x), "{}: a knot's \"energy\" must be finite", source);
    if (!knots.empty()) {
      const double rise = knot.value - knots.back().value;
      EBT_CHECK(knot.x > knots.back().x, "{}: the energies of \"knots\" must rise", source);
      EBT_CHECK(low_energy_is_right ? rise <= 0 : rise >= 0,
                "{}: the certainties of \"knots\" must {} with the energy", source,
                low_energy_is_right ? "fall" : "rise");
    }
    knots.push_back(knot);
  }
  return knots;
}

Json quality_to_json(const CalibrationQuality& quality) {
  return {{"calibration_error", quality.calibration_error}, {"auroc", quality.auroc}};
}

CalibrationQuality quality_from_json(const nlohmann::json& object, const std::string& source) {
  CalibrationQuality quality;
  quality.calibration_error = read_between(object, source, "calibration_error", 0, 1);
  quality.auroc = read_between(object, source, "auroc", 0, 1);
  return quality;
}

}  // namespace

Calibration Calibration::fit(std::span<const TokenOutcome> fit,
                             std::span<const TokenOutcome> held_out, Origin origin) {
  check_outcomes(fit, "fit");
  check_outcomes(held_out, "judge the fit by");
  Fit low = fit_rising(fit, -1);
  Fit high = fit_rising(fit, 1);
  Calibration result;
  result.origin_ = std::move(origin);
  result.low_energy_is_right_ = low.squared_error <= high.squared_error;
  if (result.low_energy_is_right_) {
    std::reverse(low.knots.begin(), low.knots.end());
    for (Observation& knot : low.knots) {
      knot.x = -knot.x;
    }
  }
  result.knots_ = result.low_energy_is_right_ ? std::move(low.knots) : std::move(high.knots);
  result.fitted_tokens_ = static_cast<int64_t>(fit.size());
  result.held_out_tokens_ = static_cast<int64_t>(held_out.size());
  const auto right = std::count_if(held_out.begin(), held_out.end(),
                                   [](const TokenOutcome& outcome) { return outcome.right; });
  result.accuracy_ = static_cast<double>(right) / static_cast<double>(held_out.size());
  // As detectors: the energy itself, which tells apart what the knots do not.
  const double sign = result.low_energy_is_right_ ? -1 : 1;
  result.quality_ = judge(
      held_out, [&](const TokenOutcome& one) { return result.certainty(one.energy); },
      [&](const TokenOutcome& one) { return sign * one.energy; });
  const auto probability = [](const TokenOutcome& one) { return one.probability; };
  result.softmax_quality_ = judge(held_out, probability, probability);
  return result;
}

double Calibration::certainty(double energy) const {
  if (std::isnan(energy)) {
    return 0;
  }
  const auto next =
      std::lower_bound(knots_.begin(), knots_.end(), energy,
                       [](const Observation& knot, double value) { return knot.x < value; });
  if (next == knots_.begin()) {
    return next->value;
  }
  const Observation& last = *(next - 1);
  if (next == knots_.end()) {
    return last.value;
  }
  // Halves, because the distance of two finite numbers can be infinite.
  const double share = (energy / 2 - last.x / 2) / (next->x / 2 - last.x / 2);
  return std::clamp(last.value + share * (next->value - last.value),
                    std::min(last.value, next->value), std::max(last.value, next->value));
}

Json Calibration::to_json() const {
  Json object = {{"format_version", kCalibrationVersion},
                 {"thinking", fields_to_json(origin_.thinking)},
                 {"data", origin_.data},
                 {"weights", origin_.weights},
                 {"right_means", low_energy_is_right_ ? kLowEnergy : kHighEnergy},
                 {"fitted_tokens", fitted_tokens_},
                 {"held_out_tokens", held_out_tokens_},
                 {"accuracy", accuracy_},
                 {"certainty", quality_to_json(quality_)},
                 {"softmax", quality_to_json(softmax_quality_)}};
  object["knots"] = Json::array();
  for (const Observation& knot : knots_) {
    object["knots"].push_back({{"energy", knot.x},
                               {"certainty", knot.value},
                               {"tokens", static_cast<int64_t>(knot.weight)}});
  }
  return object;
}

Calibration Calibration::from_json(const nlohmann::json& object, const std::string& source) {
  EBT_CHECK(object.is_object(), "{} must hold a JSON object", source);
  const auto version = read<int64_t>(object, source, "format_version");
  EBT_CHECK(version == kCalibrationVersion,
            "{} has format version {}, and this program reads version {}", source, version,
            kCalibrationVersion);
  Calibration result;
  fields_from_json(member(object, source, "thinking"), source, result.origin_.thinking);
  result.origin_.thinking.check();
  result.origin_.data = read<std::string>(object, source, "data");
  result.origin_.weights = read<std::string>(object, source, "weights");
  const auto right_means = read<std::string>(object, source, "right_means");
  EBT_CHECK(right_means == kLowEnergy || right_means == kHighEnergy,
            "{}: \"right_means\" must be {} or {}", source, kLowEnergy, kHighEnergy);
  result.low_energy_is_right_ = right_means == kLowEnergy;
  result.fitted_tokens_ = read_count(object, source, "fitted_tokens");
  result.held_out_tokens_ = read_count(object, source, "held_out_tokens");
  result.accuracy_ = read_between(object, source, "accuracy", 0, 1);
  result.quality_ = quality_from_json(member(object, source, "certainty"), source);
  result.softmax_quality_ = quality_from_json(member(object, source, "softmax"), source);
  result.knots_ = read_knots(member(object, source, "knots"), source, result.low_energy_is_right_);
  return result;
}

std::optional<Calibration> Calibration::load(const std::filesystem::path& model_folder) {
  const std::filesystem::path path = model_folder / kCalibrationFile;
  std::error_code ignored;  // whatever else is wrong with the path, reading it says so
  if (!std::filesystem::exists(path, ignored)) {
    return std::nullopt;
  }
  const std::string source = "'" + path.string() + "'";
  Calibration result =
      from_json(parse_json(read_text_file(path, kMaxCalibration_bytes), source), source);
  if (result.origin_.weights != file_fingerprint(model_folder / kWeightsFile)) {
    return std::nullopt;
  }
  return result;
}

void Calibration::save(const std::filesystem::path& model_folder) const {
  write_file_atomically(model_folder / kCalibrationFile, json_text(to_json(), 2) + '\n');
}

}  // namespace ebt
