#include "ebt/eval/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ebt {
namespace {

using Values = std::vector<double>;

TEST(Correlation, OfAStraightLineIsOneOrMinusOne) {
  const Values x = {1, 2, 3, 4};
  EXPECT_DOUBLE_EQ(pearson_correlation(x, Values{10, 30, 50, 70}), 1);
  EXPECT_DOUBLE_EQ(pearson_correlation(x, Values{3, 2, 1, 0}), -1);
  EXPECT_EQ(pearson_correlation(x, Values{5, 5, 5, 5}), 0);
  EXPECT_EQ(pearson_correlation(Values{}, Values{}), 0);
}

TEST(Correlation, OfPearsonIsThatWorkedOutByHand) {
  // Means 2 and 3; deviations (-1, 0, 1) and (-2, 1, 1): 3 / sqrt(2 * 6).
  EXPECT_DOUBLE_EQ(pearson_correlation(Values{1, 2, 3}, Values{1, 4, 4}), 3 / std::sqrt(12.0));
}

TEST(Correlation, OfSpearmanKnowsOnlyTheOrder) {
  EXPECT_DOUBLE_EQ(spearman_correlation(Values{1, 2, 3, 4}, Values{1, 10, 100, 1000}), 1);
}

TEST(Correlation, OfSpearmanSharesTheRanksOfTies) {
  EXPECT_EQ(ranks(Values{7, 3, 7, 1, 7}), (Values{4, 2, 4, 1, 4}));
  // Ranks (1, 2.5, 2.5, 4) and (1, 2, 3, 4): deviations (-1.5, 0, 0, 1.5) and (-1.5, -.5, .5, 1.5).
  EXPECT_DOUBLE_EQ(spearman_correlation(Values{0, 5, 5, 9}, Values{1, 2, 3, 4}),
                   4.5 / std::sqrt(4.5 * 5));
}

TEST(AreaUnderRoc, CountsPairsAndHalfOfTies) {
  const std::vector<bool> right = {true, false, true, false};
  EXPECT_EQ(area_under_roc(Values{4, 1, 3, 2}, right), 1);
  EXPECT_EQ(area_under_roc(Values{1, 4, 2, 3}, right), 0);
  EXPECT_EQ(area_under_roc(Values{1, 1, 1, 1}, right), 0.5);
  // Pairs (right, wrong): 3 > 1, 3 > 2, 2 > 1, 2 = 2.
  EXPECT_EQ(area_under_roc(Values{3, 1, 2, 2}, right), 3.5 / 4);
  EXPECT_EQ(area_under_roc(Values{1, 2}, {true, true}), 0.5);
}

TEST(Reliability, FillsBinsOfEqualMass) {
  const Values confidences = {0.9, 0.1, 0.8, 0.2};
  const std::vector<bool> right = {true, false, false, true};
  const std::vector<ReliabilityBin> bins = reliability(confidences, right, 2);
  ASSERT_EQ(bins.size(), 2U);
  EXPECT_EQ(bins[0].count, 2);
  EXPECT_DOUBLE_EQ(bins[0].confidence, 0.15);
  EXPECT_EQ(bins[0].accuracy, 0.5);
  EXPECT_DOUBLE_EQ(bins[1].confidence, 0.85);
  EXPECT_EQ(bins[1].accuracy, 0.5);
  EXPECT_DOUBLE_EQ(expected_calibration_error(bins), 0.35);
}

TEST(Reliability, NeverSplitsEqualConfidences) {
  std::vector<bool> right = {true, true, true, false, false, false};
  const Values confidences(6, 0.5);
  const std::vector<ReliabilityBin> bins = reliability(confidences, right, 3);
  ASSERT_EQ(bins.size(), 1U);
  EXPECT_EQ(bins[0].accuracy, 0.5);
  EXPECT_EQ(expected_calibration_error(bins), 0) << "however the predictions are ordered";
}

TEST(Reliability, HasNoSmallBinsBehindALargeOne) {
  Values confidences(60, 0.2);
  for (int i = 0; i < 40; ++i) {
    confidences.push_back(0.3 + 0.01 * i);
  }
  const std::vector<ReliabilityBin> bins =
      reliability(confidences, std::vector<bool>(100, true), 10);
  ASSERT_EQ(bins.size(), 5U);
  EXPECT_EQ(bins[0].count, 60);
  for (size_t i = 1; i < bins.size(); ++i) {
    EXPECT_EQ(bins[i].count, 10);
  }
}

TEST(Reliability, HoldsEveryPredictionOnce) {
  Values confidences;
  std::vector<bool> right;
  for (int i = 0; i < 103; ++i) {
    confidences.push_back(i * 37 % 103 / 103.0);
    right.push_back(i % 3 == 0);
  }
  const std::vector<ReliabilityBin> bins = reliability(confidences, right, 15);
  ASSERT_EQ(bins.size(), 15U);
  int64_t count = 0;
  for (const ReliabilityBin& bin : bins) {
    EXPECT_GE(bin.count, 6);
    EXPECT_LE(bin.count, 7);
    count += bin.count;
  }
  EXPECT_EQ(count, 103);
  EXPECT_EQ(expected_calibration_error({}), 0);
}

}  // namespace
}  // namespace ebt
