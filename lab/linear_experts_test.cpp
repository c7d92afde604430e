#include "lab/linear_experts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ebt/core/config_fields.h"
#include "ebt/io/file.h"
#include "ebt/io/json.h"
#include "tests/support/error_text.h"
#include "tests/support/numeric.h"

namespace ebt {
namespace {

using testing::error_text;

LinearExpertsConfig small_config() {
  LinearExpertsConfig config;
  config.inputs = 20;
  config.classes = 4;
  config.points = 2000;
  config.test_points = 1000;
  return config;
}

// What the tests of the full setting share: it is measured once for each deviation and seed.
class LinearExpertsAsRecorded : public ::testing::Test {
 protected:
  // 95 % of Student's t for that many seeds less one degrees of freedom.
  static constexpr int kSeeds = 4;
  static constexpr double kStudent = 3.182;

  struct Interval {
    double mean = 0;
    double half_width = 0;
  };
  static Interval over_seeds(const std::vector<double>& values) {
    double mean = 0;
    for (const double value : values) {
      mean += value / kSeeds;
    }
    double squares = 0;
    for (const double value : values) {
      squares += (value - mean) * (value - mean);
    }
    return {mean, kStudent * std::sqrt(squares / (kSeeds - 1) / kSeeds)};
  }

  static nlohmann::json recorded() {
    const std::string path = EBT_SOURCE_DIR "/tests/golden/linear_experts.json";
    return parse_json(read_text_file(path, kMaxJson_bytes), path);
  }

  // Both programs estimate the same mean, each from its own seeds. Where a 95 % interval is 1.96
  // standard errors wide, the two means differ by at most the root of the sum of squared intervals
  // in 95 % of cases. The sum of the two, which is larger, is allowed: there are 15 comparisons.
  static void expect_near(const std::vector<double>& ours, const nlohmann::json& theirs,
                          const std::string& what) {
    const Interval interval = over_seeds(ours);
    EXPECT_NEAR(interval.mean, theirs.at("mean").get<double>(),
                interval.half_width + theirs.at("half_width").get<double>())
        << what;
  }
};

TEST_F(LinearExpertsAsRecorded, AgreeWithAnIndependentProgram) {
  const nlohmann::json file = recorded();
  LinearExpertsConfig config;
  ASSERT_EQ(file.at("inputs"), config.inputs);
  ASSERT_EQ(file.at("classes"), config.classes);
  ASSERT_EQ(file.at("experts"), config.experts);
  ASSERT_EQ(file.at("points"), config.points);
  ASSERT_EQ(file.at("l2"), config.l2);
  for (const nlohmann::json& row : file.at("sigmas")) {
    const double sigma = row.at("sigma");
    std::vector<double> temperatures;
    for (const nlohmann::json& entry : row.at("model")) {
      temperatures.push_back(entry.at("temperature"));
    }
    std::vector<double> best;
    std::vector<double> mean;
    std::vector<std::vector<double>> model(temperatures.size());
    for (config.seed = 0; config.seed < kSeeds; ++config.seed) {
      const LinearExpertsResult result = measure_linear_experts(config, sigma, temperatures);
      best.push_back(result.best_expert().mean);
      double sum = 0;
      for (const MeasuredAccuracy& expert : result.experts) {
        sum += expert.mean;
      }
      mean.push_back(sum / static_cast<double>(config.experts));
      for (size_t i = 0; i < temperatures.size(); ++i) {
        model[i].push_back(result.model[i].mean);
      }
      // The finding: who is cold is better than all teachers, where these err on their own.
      const bool noisy = sigma >= 1;
      EXPECT_EQ(result.transcends(0), noisy) << "sigma " << sigma;
      EXPECT_FALSE(result.transcends(temperatures.size() - 1))
          << "sigma " << sigma << " at temperature " << temperatures.back();
    }
    const std::string where = " at sigma " + std::to_string(sigma);
    expect_near(best, row.at("best_expert"), "the best expert" + where);
    expect_near(mean, row.at("mean_expert"), "the mean expert" + where);
    for (size_t i = 0; i < temperatures.size(); ++i) {
      expect_near(model[i], row.at("model")[i],
                  "the model" + where + ", temperature " + std::to_string(temperatures[i]));
    }
  }
}

TEST(LinearExperts, AreNeverWrongWithoutNoise) {
  const LinearExpertsResult result = measure_linear_experts(small_config(), 0, {0, 1});
  ASSERT_EQ(result.experts.size(), 5U);
  for (const MeasuredAccuracy& expert : result.experts) {
    EXPECT_EQ(expert, (MeasuredAccuracy{1, 0}));
  }
  EXPECT_GT(result.model[0].mean, 0.9);
  EXPECT_FALSE(result.transcends(0)) << "nobody is better than the truth";
}

TEST(LinearExperts, MakeAModelThatIsBetterTheColderItIs) {
  const LinearExpertsResult result =
      measure_linear_experts(small_config(), 1.5, {4, 1, 0.5, 1e-6, 0});
  EXPECT_GT(result.model[1].mean, result.model[0].mean);
  EXPECT_GT(result.model[2].mean, result.model[1].mean);
  EXPECT_GT(result.model[4].mean, result.model[2].mean);
  EXPECT_NEAR(result.model[3].mean, result.model[4].mean, 1e-3) << "0 is the limit";
  const LinearExpertsResult hot = measure_linear_experts(small_config(), 1.5, {1e9});
  EXPECT_NEAR(hot.model[0].mean, 0.25, 1e-6) << "all classes are as likely";
}

// A share of 0 or 1 in 1000 points has the deviation sqrt(p (1 - p)).
TEST(LinearExperts, SayHowFarTheyMayBeOff) {
  const LinearExpertsResult result = measure_linear_experts(small_config(), 1, {0});
  const MeasuredAccuracy& own = result.model[0];
  EXPECT_NEAR(own.half_width, 1.96 * std::sqrt(own.mean * (1 - own.mean) / 1000), 1e-12);
}

TEST(LinearExperts, TranscendWhereIntervalsDoNotTouch) {
  LinearExpertsResult result{1, {{0.5, 0.01}, {0.6, 0.01}}, {0, 1}, {{0.63, 0.01}, {0.615, 0.01}}};
  EXPECT_EQ(result.best_expert().mean, 0.6);
  EXPECT_TRUE(result.transcends(0));
  EXPECT_FALSE(result.transcends(1)) << "by luck perhaps";
}

TEST(LinearExperts, DependOnTheSeedAndNotOnThreads) {
  LinearExpertsConfig config = small_config();
  config.points = 500;
  const LinearExpertsResult one = measure_linear_experts(config, 1, {0, 1});
  testing::expect_same_for_any_threads([&] {
    return measure_linear_experts(config, 1, {0, 1}) == one;
  });
  config.seed = 1;
  EXPECT_NE(measure_linear_experts(config, 1, {0, 1}).experts[0], one.experts[0]);
}

TEST(LinearExperts, RefuseWhatCannotBe) {
  LinearExpertsConfig config = small_config();
  EXPECT_EQ(error_text([&] { measure_linear_experts(config, -1, {0}); }),
            "linear experts: their deviation -1 is not a number from 0");
  EXPECT_EQ(error_text([&] {
              measure_linear_experts(config, 1, {0, std::numeric_limits<double>::infinity()});
            }),
            "linear experts: the temperature inf is not a number from 0");
  const auto refusal = [&](const char* field, const nlohmann::json& value) {
    LinearExpertsConfig changed = config;
    fields_from_json({{field, value}}, "test", changed);
    return error_text([&] { measure_linear_experts(changed, 1, {0}); });
  };
  EXPECT_EQ(refusal("inputs", 0), "--inputs: 0 is not between 1 and 10000");
  EXPECT_EQ(refusal("classes", 1), "--classes: 1 is not between 2 and 1000");
  EXPECT_EQ(refusal("experts", 0), "--experts: 0 is not between 1 and 10000");
  EXPECT_EQ(refusal("points", 0), "--points: 0 is not between 1 and 1000000");
  EXPECT_EQ(refusal("test-points", 0), "--test-points: 0 is not between 1 and 1000000");
  EXPECT_EQ(refusal("l2", -0.5), "--l2: -0.5 is not a number from 0");
}

}  // namespace
}  // namespace ebt
