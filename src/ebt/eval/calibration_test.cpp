#include "ebt/eval/calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "ebt/io/file.h"
#include "ebt/io/fingerprint.h"
#include "ebt/io/json.h"
#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;

// Energies uniform in [0, 10), right with probability 1 - energy / 10 (or energy / 10), and a
// softmax that is always too sure.
std::vector<TokenOutcome> outcomes(size_t count, bool low_is_right, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform;
  std::vector<TokenOutcome> result(count);
  for (TokenOutcome& one : result) {
    const double share = uniform(random);
    one.energy = 10 * share;
    one.right = uniform(random) < (low_is_right ? 1 - share : share);
    one.probability = 0.9;
  }
  return result;
}

Calibration fitted(bool low_is_right, Calibration::Origin origin = {}) {
  return Calibration::fit(outcomes(20000, low_is_right, 1), outcomes(20000, low_is_right, 2),
                          std::move(origin));
}

TEST(Calibration, FindsTheProbabilityOfBeingRight) {
  for (const bool low_is_right : {true, false}) {
    const Calibration calibration = fitted(low_is_right);
    EXPECT_EQ(calibration.low_energy_is_right(), low_is_right);
    for (double energy = 0.5; energy < 10; energy += 0.5) {
      EXPECT_NEAR(calibration.certainty(energy), low_is_right ? 1 - energy / 10 : energy / 10, 0.06)
          << energy;
    }
    EXPECT_LE(static_cast<int64_t>(calibration.knots().size()), kMaxCalibrationKnots);
    EXPECT_NEAR(calibration.accuracy(), 0.5, 0.02);
  }
}

TEST(Calibration, IsJudgedOnWhatItWasNotFittedTo) {
  const Calibration calibration = fitted(true);
  EXPECT_EQ(calibration.fitted_tokens(), 20000);
  EXPECT_EQ(calibration.held_out_tokens(), 20000);
  EXPECT_LT(calibration.quality().calibration_error, 0.02);
  EXPECT_EQ(calibration.quality().bins.size(), static_cast<size_t>(kReliabilityBins));
  // For energy e uniform and P(right) = 1 - e the area is 5/6.
  EXPECT_NEAR(calibration.quality().auroc, 5.0 / 6, 0.01);
  EXPECT_NEAR(calibration.softmax_quality().calibration_error, 0.4, 0.02);
  EXPECT_EQ(calibration.softmax_quality().auroc, 0.5);
  // Held-out predictions of the opposite kind: the error says so.
  const Calibration wrong = Calibration::fit(outcomes(5000, true, 1), outcomes(5000, false, 2), {});
  EXPECT_GT(wrong.quality().calibration_error, 0.3);
  EXPECT_LT(wrong.quality().auroc, 0.2);
}

TEST(Calibration, IsMonotoneAndHoldsItsEndsOutside) {
  const Calibration calibration = fitted(true);
  double last = 1;
  for (double energy = -3; energy < 13; energy += 0.01) {
    const double certainty = calibration.certainty(energy);
    EXPECT_LE(certainty, last);
    EXPECT_GE(certainty, 0);
    last = certainty;
  }
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(calibration.certainty(-infinity), calibration.knots().front().value);
  EXPECT_EQ(calibration.certainty(infinity), calibration.knots().back().value);
  EXPECT_EQ(calibration.certainty(std::nan("")), 0);
}

TEST(Calibration, SaysNothingWhereEnergySaysNothing) {
  std::vector<TokenOutcome> same(400, {3.0, 0.5, false});
  for (size_t i = 0; i < 100; ++i) {
    same[4 * i].right = true;
  }
  const Calibration calibration = Calibration::fit(same, same, {});
  ASSERT_EQ(calibration.knots().size(), 1U);
  EXPECT_TRUE(calibration.low_energy_is_right()) << "where neither direction is better";
  EXPECT_NEAR(calibration.certainty(-7), 0.25, 1e-12);
  EXPECT_NEAR(calibration.certainty(3), 0.25, 1e-12);
}

TEST(Calibration, IsTheSameAfterSavingAndLoading) {
  const testing::TemporaryFolder folder;
  folder.write("model.safetensors", "weights");
  EXPECT_FALSE(Calibration::load(folder.path()).has_value());
  ThinkOptions thinking;
  thinking.steps = 7;
  thinking.choose = CandidateChoice::kDrop;
  const Calibration saved = fitted(false, {thinking, "some text", fingerprint("weights")});
  saved.save(folder.path());
  const std::optional<Calibration> loaded = Calibration::load(folder.path());
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->to_json(), saved.to_json());
  EXPECT_EQ(loaded->origin().thinking.steps, 7);
  EXPECT_EQ(loaded->origin().data, "some text");
  for (double energy = -1; energy < 11; energy += 0.037) {
    EXPECT_EQ(loaded->certainty(energy), saved.certainty(energy));
  }
}

TEST(Calibration, OfOtherWeightsIsNone) {
  const testing::TemporaryFolder folder;
  folder.write("model.safetensors", "weights");
  fitted(true, {{}, "", fingerprint("weights")}).save(folder.path());
  EXPECT_TRUE(Calibration::load(folder.path()).has_value());
  folder.write("model.safetensors", "Weights");
  EXPECT_FALSE(Calibration::load(folder.path()).has_value());
}

TEST(Calibration, NeedsEnoughFinitePredictions) {
  const auto enough = outcomes(static_cast<size_t>(kMinCalibrationTokens), true, 1);
  auto few = enough;
  few.pop_back();
  EXPECT_EQ(error_text([&] { Calibration::fit(few, enough, {}); }),
            "calibration: the text is too short: 199 predictions to fit, and 200 are needed");
  EXPECT_EQ(error_text([&] { Calibration::fit(enough, few, {}); }),
            "calibration: the text is too short: 199 predictions to judge the fit by, and 200 are "
            "needed");
  auto infinite = enough;
  infinite[3].energy = std::numeric_limits<double>::infinity();
  EXPECT_EQ(
      error_text([&] { Calibration::fit(infinite, enough, {}); }),
      "the model's prediction is not a finite number: its weights are too large, as training that "
      "diverged leaves them, or so is the step size or noise that it thinks with");
}

// The error of a file in which the object's `field` was replaced (null: removed).
std::string error_with(const std::string& field, const std::string& value) {
  nlohmann::json object = nlohmann::json::parse(fitted(true).to_json().dump());
  object.erase(field);
  if (!value.empty()) {
    object[field] = nlohmann::json::parse(value);
  }
  return error_text([&] { Calibration::from_json(object, "F"); });
}

TEST(Calibration, RefusesWhatItCannotBe) {
  EXPECT_EQ(error_with("format_version", "2"),
            "F has format version 2, and this program reads version 1");
  EXPECT_EQ(error_with("knots", ""), "F has no \"knots\"");
  EXPECT_EQ(error_with("knots", "[]"), "F: \"knots\" must be a list of 1 to 64 knots");
  EXPECT_EQ(error_with("right_means", "\"x\""),
            "F: \"right_means\" must be low_energy or high_energy");
  EXPECT_EQ(error_with("accuracy", "1.5"), "F: \"accuracy\" must be from 0 to 1, not 1.5");
  EXPECT_EQ(error_with("fitted_tokens", "-1"),
            "F: \"fitted_tokens\" must be a whole number from 0 to 1000000000000000, not -1");
  EXPECT_EQ(error_with("knots", R"([{"energy": 1, "certainty": 2, "tokens": 1}])"),
            "F: \"certainty\" must be from 0 to 1, not 2");
  EXPECT_EQ(error_with("knots", R"([{"energy": 1, "certainty": 0.5, "tokens": 1},
                                    {"energy": 1, "certainty": 0.4, "tokens": 1}])"),
            "F: the energies of \"knots\" must rise");
  EXPECT_EQ(error_with("knots", R"([{"energy": 1, "certainty": 0.5, "tokens": 1},
                                    {"energy": 2, "certainty": 0.6, "tokens": 1}])"),
            "F: the certainties of \"knots\" must fall with the energy");
  EXPECT_EQ(error_with("thinking", R"({"candidates": 0})"),
            "candidates: 0 is not a whole number from 1 to 1024");
}

}  // namespace
}  // namespace ebt
