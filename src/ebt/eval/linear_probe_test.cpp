#include "ebt/eval/linear_probe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/error_text.h"
#include "tests/support/numeric.h"

namespace ebt {
namespace {

using testing::error_text;

// Normal clouds around a centre for each class; the last feature never changes.
ProbeData clouds(int64_t count, int64_t classes, double distance, uint32_t seed) {
  ProbeData data;
  data.width = classes + 1;
  const std::vector<double> draws = testing::normal_draws(count * data.width, seed);
  for (int64_t i = 0; i < count; ++i) {
    const auto own = static_cast<int32_t>(i % classes);
    data.classes.push_back(own);
    for (int64_t k = 0; k < data.width; ++k) {
      const double draw = draws[static_cast<size_t>(i * data.width + k)];
      data.features.push_back(
          static_cast<float>(k == classes ? 4 : 100 * (draw + (k == own ? distance : 0))));
    }
  }
  return data;
}

TEST(LinearProbe, TellsApartWhatIsApart) {
  const LinearProbe probe(clouds(600, 7, 8, 1), 7, {}, nullptr);
  const LinearProbe::Score seen = probe.score(clouds(600, 7, 8, 1));
  const LinearProbe::Score unseen = probe.score(clouds(600, 7, 8, 2));
  EXPECT_EQ(seen.top1, 1);
  EXPECT_GT(unseen.top1, 0.99);
  EXPECT_EQ(unseen.top5, 1);
  EXPECT_LT(unseen.loss, 0.1);
}

TEST(LinearProbe, TellsItsLogits) {
  const ProbeData data = clouds(200, 5, 2, 8);
  const LinearProbe probe(data, 5, {}, nullptr);
  const std::vector<float> logits = probe.logits(data);
  ASSERT_EQ(logits.size(), 1000U);
  double loss = 0;
  for (size_t i = 0; i < 200; ++i) {
    double sum = 0;
    for (size_t k = 0; k < 5; ++k) {
      sum += std::exp(static_cast<double>(logits[i * 5 + k]));
    }
    const auto own = static_cast<size_t>(data.classes[i]);
    loss += (std::log(sum) - static_cast<double>(logits[i * 5 + own])) / 200;
  }
  EXPECT_NEAR(probe.score(data).loss, loss, 1e-6);
}

TEST(LinearProbe, GuessesWhereThereIsNothingToSee) {
  const LinearProbe probe(clouds(2000, 10, 0, 3), 10, {}, nullptr);
  const LinearProbe::Score unseen = probe.score(clouds(2000, 10, 0, 4));
  EXPECT_NEAR(unseen.top1, 0.1, 0.03);
  EXPECT_NEAR(unseen.top5, 0.5, 0.04);
  EXPECT_NEAR(unseen.loss, std::log(10), 0.1);
}

// Two classes at +1 and -1 of one feature, of which a tenth lies on the wrong side: without L2 the
// logits must give the shares 0.9 and 0.1.
TEST(LinearProbe, FindsTheWeightsOfShares) {
  ProbeData data;
  data.width = 1;
  for (int i = 0; i < 100; ++i) {
    data.classes.push_back(i % 2);
    const bool wrong = i / 2 % 10 == 0;
    data.features.push_back((i % 2 == 1) != wrong ? 1.0F : -1.0F);
  }
  const LinearProbe probe(data, 2, {.l2 = 0, .iterations = 300}, nullptr);
  const double entropy = -0.9 * std::log(0.9) - 0.1 * std::log(0.1);
  EXPECT_NEAR(probe.objective(), entropy, 1e-6);
  EXPECT_NEAR(probe.score(data).loss, entropy, 1e-6);
  EXPECT_DOUBLE_EQ(probe.score(data).top1, 0.9);
  const LinearProbe flat(data, 2, {.l2 = 1e6, .iterations = 300}, nullptr);
  EXPECT_NEAR(flat.objective(), std::log(2), 1e-4) << "no weight is worth its L2";
}

// No neighbour of a fit is better: the objective is convex.
TEST(LinearProbe, EndsWhereNoIterationHelps) {
  const ProbeData data = clouds(300, 4, 1, 5);
  const LinearProbe usual(data, 4, {.l2 = 1e-3, .iterations = 300}, nullptr);
  const LinearProbe longer(data, 4, {.l2 = 1e-3, .iterations = 100'000}, nullptr);
  EXPECT_LT(usual.iterations(), 100);
  EXPECT_EQ(usual.objective(), longer.objective());
  const LinearProbe shorter(data, 4, {.l2 = 1e-3, .iterations = 3}, nullptr);
  EXPECT_EQ(shorter.iterations(), 3);
  EXPECT_GT(shorter.objective(), usual.objective());
}

TEST(LinearProbe, DoesNotDependOnScaleOrThreads) {
  const ProbeData data = clouds(700, 3, 2, 6);
  ProbeData larger = data;
  for (float& value : larger.features) {
    value = 8 * value - 1000;
  }
  const LinearProbe probe(data, 3, {}, nullptr);
  const LinearProbe other(larger, 3, {}, nullptr);
  EXPECT_NEAR(probe.objective(), other.objective(), 1e-5);
  testing::expect_same_for_any_threads([&] {
    const LinearProbe one(data, 3, {}, nullptr);
    return std::make_pair(one.objective(), one.score(data).loss);
  });
}

TEST(LinearProbe, TakesTheLowestOfEqualClasses) {
  ProbeData data;
  data.width = 1;
  data.features = std::vector<float>(14, 1.0F);
  for (int32_t i = 0; i < 14; ++i) {
    data.classes.push_back(i % 7);
  }
  const LinearProbe probe(data, 7, {}, nullptr);  // all equally likely
  EXPECT_DOUBLE_EQ(probe.score(data).top1, 1 / 7.0);
  EXPECT_DOUBLE_EQ(probe.score(data).top5, 5 / 7.0);
}

TEST(LinearProbe, RefusesWhatIsNoData) {
  ProbeData data = clouds(20, 2, 1, 7);
  EXPECT_EQ(error_text([&] { LinearProbe(ProbeData{}, 2, {}, nullptr); }),
            "linear probe: 0 features of width 0 for 0 images");
  EXPECT_EQ(error_text([&] { LinearProbe(data, 1, {}, nullptr); }), "linear probe: class 1 of 1");
  const LinearProbe probe(data, 2, {}, nullptr);
  EXPECT_EQ(error_text([&] { probe.score(clouds(20, 1, 1, 7)); }),
            "linear probe: features of width 2, fitted to width 3");
  data.features[3] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(error_text([&] { LinearProbe(data, 2, {}, nullptr); }),
            "linear probe: a feature is not finite");
}

}  // namespace
}  // namespace ebt
