// Calibration, from an energy to the probability of being right: calibration.json of a model
// folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/eval/isotonic.h"
#include "ebt/eval/statistics.h"
#include "ebt/think/options.h"

namespace ebt {

inline constexpr char kCalibrationFile[] = "calibration.json";
inline constexpr int64_t kMaxCalibrationKnots = 64;
// Fewest predictions that a calibration is fitted to, and judged by.
inline constexpr int64_t kMinCalibrationTokens = 200;
inline constexpr int64_t kReliabilityBins = 15;

// A final prediction of a token.
struct TokenOutcome {
  double energy = 0;
  double probability = 0;  // that the softmax gives the likeliest token
  bool right = false;      // the likeliest token is the one that came
};

// How a claimed probability of being right did on predictions that no fit saw.
struct CalibrationQuality {
  std::vector<ReliabilityBin> bins;  // kReliabilityBins at most
  double calibration_error = 0;      // expected calibration error over these bins
  double auroc = 0;                  // as a detector of being right
};

// The calibrated probability that the likeliest token of a final prediction is right, as a function
// of the prediction's energy. It is meant for the thinking it was fitted to: other steps or step
// sizes end at other energies. Immutable and thread-safe.
class Calibration {
 public:
  // Where it comes from.
  struct Origin {
    ThinkOptions thinking;
    std::string data;     // in words: "the validation part of 'book.txt'"
    std::string weights;  // fingerprint of model.safetensors
  };

  // Fits `fit` by isotonic regression, in the direction of smaller squared error, and judges it on
  // `held_out`. Throws Error when either has fewer than kMinCalibrationTokens predictions, or an
  // energy is not finite.
  static Calibration fit(std::span<const TokenOutcome> fit, std::span<const TokenOutcome> held_out,
                         Origin origin);
  // The calibration of a model folder: none when there is no calibration.json, or one of other
  // weights than the folder's. Throws Error when the file is damaged or of a newer version.
  static std::optional<Calibration> load(const std::filesystem::path& model_folder);
  // Writes calibration.json. Throws Error when it cannot; an older file is then left as it was.
  void save(const std::filesystem::path& model_folder) const;

  // From 0 to 1; 0 for an energy that is not a number. Between knots on a line, beyond them as at
  // the last one.
  double certainty(double energy) const;

  // Whether a lower energy means right, as thinking supposes; fitted, not assumed.
  bool low_energy_is_right() const { return low_energy_is_right_; }
  // By rising energy `x`; `value` is the certainty, `weight` the number of predictions.
  const std::vector<Observation>& knots() const { return knots_; }
  const Origin& origin() const { return origin_; }
  int64_t fitted_tokens() const { return fitted_tokens_; }
  int64_t held_out_tokens() const { return held_out_tokens_; }
  // Share of the held-out predictions whose likeliest token is right.
  double accuracy() const { return accuracy_; }
  // Of the certainty, and of the softmax probability of the likeliest token, held out. Bins are not
  // stored: they are empty after load().
  const CalibrationQuality& quality() const { return quality_; }
  const CalibrationQuality& softmax_quality() const { return softmax_quality_; }

  Json to_json() const;
  // `source` opens error messages.
  static Calibration from_json(const nlohmann::json& object, const std::string& source);

 private:
  Calibration() = default;

  Origin origin_;
  bool low_energy_is_right_ = true;
  std::vector<Observation> knots_;
  int64_t fitted_tokens_ = 0;
  int64_t held_out_tokens_ = 0;
  double accuracy_ = 0;
  CalibrationQuality quality_;
  CalibrationQuality softmax_quality_;
};

}  // namespace ebt
