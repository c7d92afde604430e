#include "ebt/think/distribution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace ebt {
namespace {

// Probabilities 0.1, 0.4, 0.3, 0.2.
const std::vector<double> kLogits = {std::log(1.0), std::log(4.0), std::log(3.0), std::log(2.0)};

Distribution<double> distribution() {
  return Distribution<double>(Tensor<const double>{kLogits.data(), {4}});
}

int32_t sample(const SamplingOptions& sampling, double uniform) {
  return distribution().sample(sampling, uniform);
}

TEST(Distribution, KnowsProbabilitiesAndEntropy) {
  EXPECT_NEAR(distribution().log_probability(2), std::log(0.3), 1e-15);
  double entropy = 0;
  for (const double p : {0.1, 0.4, 0.3, 0.2}) {
    entropy -= p * std::log(p);
  }
  EXPECT_NEAR(distribution().entropy(), entropy, 1e-15);
}

TEST(Distribution, ListsTheLikeliestAndTakesTheLowerTokenOfEquals) {
  const std::vector<TokenProbability> two = distribution().likeliest(2);
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0].token, 1);
  EXPECT_NEAR(two[0].log_probability, std::log(0.4), 1e-15);
  EXPECT_EQ(two[1].token, 2);
  EXPECT_EQ(distribution().likeliest(9).size(), 4U);
  const std::vector<double> equal(5, 0.25);
  const Distribution<double> flat(Tensor<const double>{equal.data(), {5}});
  EXPECT_EQ(flat.likeliest(1)[0].token, 0);
  EXPECT_EQ(flat.sample({.temperature = 0}, 0.9), 0);
}

TEST(Distribution, InvertsTheCumulativeProbabilityOfTheLikeliestFirst) {
  EXPECT_EQ(sample({}, 0.0), 1);
  EXPECT_EQ(sample({}, 0.39), 1);
  EXPECT_EQ(sample({}, 0.41), 2);
  EXPECT_EQ(sample({}, 0.69), 2);
  EXPECT_EQ(sample({}, 0.71), 3);
  EXPECT_EQ(sample({}, 0.89), 3);
  EXPECT_EQ(sample({}, 0.91), 0);
  EXPECT_EQ(sample({}, 0.999999), 0);
}

TEST(Distribution, TakesTheLikeliestAtTemperatureZero) {
  EXPECT_EQ(sample({.temperature = 0}, 0.999999), 1);
  EXPECT_EQ(sample({.temperature = 0, .top_p = 0.1}, 0.5), 1);
}

TEST(Distribution, SharpensAtLowTemperature) {
  // Squared probabilities 1, 16, 9, 4 of 30.
  EXPECT_EQ(sample({.temperature = 0.5}, 15.9 / 30), 1);
  EXPECT_EQ(sample({.temperature = 0.5}, 16.1 / 30), 2);
  EXPECT_EQ(sample({.temperature = 0.5}, 25.1 / 30), 3);
}

TEST(Distribution, KeepsTheSmallestNucleusThatReachesTopP) {
  // The two likeliest hold 0.7: only they remain, 4 : 3.
  EXPECT_EQ(sample({.top_p = 0.6}, 4.0 / 7 - 0.01), 1);
  EXPECT_EQ(sample({.top_p = 0.6}, 4.0 / 7 + 0.01), 2);
  EXPECT_EQ(sample({.top_p = 0.6}, 0.999999), 2);
  EXPECT_EQ(sample({.top_p = 0.01}, 0.999999), 1);
}

TEST(Distribution, DrawsAmongTheTopK) {
  EXPECT_EQ(sample({.top_k = 1}, 0.999999), 1);
  // 4 : 3 : 2 of 9.
  EXPECT_EQ(sample({.top_k = 3}, 6.9 / 9), 2);
  EXPECT_EQ(sample({.top_k = 3}, 7.1 / 9), 3);
  EXPECT_EQ(sample({.top_k = 3}, 0.999999), 3);
  // Of those three, the nucleus of 0.7 of their mass.
  EXPECT_EQ(sample({.top_k = 3, .top_p = 0.7}, 0.999999), 2);
}

TEST(Distribution, KnowsThatAPredictionIsNotFinite) {
  EXPECT_TRUE(distribution().finite());
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    const std::vector<double> logits = {0.0, bad, 1.0};
    EXPECT_FALSE(Distribution<double>(Tensor<const double>{logits.data(), {3}}).finite());
  }
}

}  // namespace
}  // namespace ebt
