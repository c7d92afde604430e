#include "ebt/train/adamw.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "ebt/core/threads.h"
#include "ebt/dist/thread_group.h"

namespace ebt {
namespace {

// A gradient that is different for every element and update.
double gradient_at(int64_t element, int64_t update) {
  return std::sin(0.7 * static_cast<double>(element) + 1.3 * static_cast<double>(update));
}

template <class T>
void fill_gradients(ParameterBlock<T>& gradients, int64_t update) {
  const Tensor<T> all = gradients.all();
  for (int64_t i = 0; i < all.count(); ++i) {
    all[i] = static_cast<T>(gradient_at(i, update));
  }
}

// The recurrence for one scalar with m̂ and v̂ written out, as in the paper.
double scalar_adamw(double weight, int64_t element, int64_t updates, double rate, double decay) {
  double m = 0;
  double v = 0;
  for (int64_t t = 1; t <= updates; ++t) {
    const double g = gradient_at(element, t);
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    const double m_hat = m / (1 - std::pow(0.9, static_cast<double>(t)));
    const double v_hat = v / (1 - std::pow(0.999, static_cast<double>(t)));
    weight -= rate * decay * weight;
    weight -= rate * m_hat / (std::sqrt(v_hat) + 1e-8);
  }
  return weight;
}

ParameterLayout small_layout() {
  ParameterLayout layout;
  layout.add("matrix", {2, 3});
  layout.add("norm", {3}, false);
  layout.add(kStepSizeName, {1});
  return layout;
}

TEST(AdamW, MovesTheFirstStepByTheLearningRateAgainstTheGradient) {
  ParameterLayout layout;
  layout.add("w", {2});
  ParameterBlock<double> weights(layout);
  ParameterBlock<double> gradients(layout);
  weights.all()[0] = 1.0;
  gradients.all()[0] = 4.0;
  gradients.all()[1] = -0.01;
  AdamW<double> adamw(layout, {}, {});
  adamw.update(weights, gradients, 0.1);
  // 1 - 0.1 * 0.01 of decay, then 0.1 of step.
  EXPECT_NEAR(weights.all()[0], 0.899, 1e-8);
  EXPECT_NEAR(weights.all()[1], 0.1, 1e-6);
}

TEST(AdamW, FollowsTheScalarRecurrenceForEveryGroup) {
  const ParameterLayout layout = small_layout();
  ParameterBlock<double> weights(layout);
  ParameterBlock<double> gradients(layout);
  for (double& weight : weights.all()) {
    weight = 2.0;
  }
  AdamW<double> adamw(layout, {}, {{kStepSizeName, 7.0}});
  for (int64_t update = 1; update <= 5; ++update) {
    fill_gradients(gradients, update);
    adamw.update(weights, gradients, 0.01);
  }
  for (int64_t i = 0; i < layout.count(); ++i) {
    const double rate = i == 9 ? 0.07 : 0.01;
    const double decay = i < 6 ? 0.01 : 0.0;
    EXPECT_NEAR(weights.all()[i], scalar_adamw(2.0, i, 5, rate, decay), 1e-13) << "element " << i;
  }
}

TEST(AdamW, LeavesAFrozenParameterAloneAndOutOfTheNorm) {
  const ParameterLayout layout = small_layout();
  ParameterBlock<double> weights(layout);
  ParameterBlock<double> gradients(layout);
  weights.tensor(kStepSizeName)[0] = 0.5;
  gradients.tensor("matrix")[0] = 3.0;
  gradients.tensor("norm")[2] = 4.0;
  gradients.tensor(kStepSizeName)[0] = 1e9;
  AdamW<double> adamw(layout, {}, {{kStepSizeName, 0.0}});
  EXPECT_DOUBLE_EQ(adamw.gradient_norm(gradients), 5.0);
  adamw.update(weights, gradients, 0.1);
  EXPECT_EQ(weights.tensor(kStepSizeName)[0], 0.5);
}

TEST(AdamW, ScalesTheGradientBeforeTheMoments) {
  const ParameterLayout layout = small_layout();
  ParameterBlock<double> weights(layout);
  ParameterBlock<double> gradients(layout);
  gradients.all()[0] = 8.0;
  AdamW<double> adamw(layout, {}, {});
  adamw.update(weights, gradients, 0.1, 0.25);
  EXPECT_NEAR(adamw.first_moments()[0], 0.2, 1e-15);
  EXPECT_NEAR(adamw.second_moments()[0], 0.004, 1e-15);
}

TEST(AdamW, GivesTheSameBitsForAnyNumberOfThreads) {
  ParameterLayout layout;
  layout.add("a", {70001});
  layout.add("b", {313, 101}, false);
  const int threads_before = omp_get_max_threads();
  std::vector<float> weights_of[2];
  double norm_of[2];
  for (const int run : {0, 1}) {
    omp_set_num_threads(run == 0 ? 1 : 3);
    ParameterBlock<float> weights(layout);
    ParameterBlock<float> gradients(layout);
    AdamW<float> adamw(layout, {}, {});
    for (int64_t update = 1; update <= 3; ++update) {
      fill_gradients(gradients, update);
      norm_of[run] = adamw.gradient_norm(gradients);
      adamw.update(weights, gradients, 1e-3, clip_scale(norm_of[run], 1.0));
    }
    weights_of[run].assign(weights.all().begin(), weights.all().end());
  }
  omp_set_num_threads(threads_before);
  EXPECT_EQ(norm_of[0], norm_of[1]);
  EXPECT_EQ(weights_of[0], weights_of[1]);
}

// Weights and norms of three updates by so many ranks, each of which is told the gradients of its
// shard alone.
struct Trained {
  std::vector<float> weights;
  std::vector<double> norms;
};
void expect_trains_as(const Trained& expected, const ParameterLayout& layout,
                      const std::vector<ParameterGroup>& groups, Group& ranks) {
  const OneThread one;
  ParameterBlock<float> weights(layout);
  ParameterBlock<float> gradients(layout);
  ParameterBlock<float> all_gradients(layout);
  std::fill(weights.all().begin(), weights.all().end(), 0.25F);
  AdamW<float> adamw(layout, {}, groups, ranks);
  const ElementRange shard = adamw.shards().of(ranks.rank());
  EXPECT_EQ(adamw.first_moments().size(), static_cast<size_t>(shard.count()));
  for (int64_t update = 1; update <= 3; ++update) {
    fill_gradients(all_gradients, update);
    std::fill(gradients.all().begin(), gradients.all().end(), NAN);
    std::copy(all_gradients.all().begin() + shard.begin, all_gradients.all().begin() + shard.end,
              gradients.all().begin() + shard.begin);
    const double norm = adamw.gradient_norm(gradients);
    EXPECT_EQ(norm, expected.norms[static_cast<size_t>(update - 1)]);
    adamw.update(weights, gradients, 1e-3, clip_scale(norm, 1.0));
  }
  EXPECT_TRUE(std::equal(weights.all().begin(), weights.all().end(), expected.weights.begin(),
                         expected.weights.end()))
      << "rank " << ranks.rank() << " of " << ranks.size();
}

TEST(AdamW, GivesTheSameBitsForAnyNumberOfRanksThatShareItsMoments) {
  ParameterLayout layout;
  layout.add("a", {70001});
  layout.add("norm", {7}, false);
  layout.add(kStepSizeName, {1});
  layout.add("b", {313, 101}, false);
  layout.add("frozen", {20'000});
  for (const double rate : {0.0, 7.0}) {
    const std::vector<ParameterGroup> groups{{kStepSizeName, rate}, {"frozen", 0.0}};
    Trained expected;
    ParameterBlock<float> weights(layout);
    ParameterBlock<float> gradients(layout);
    std::fill(weights.all().begin(), weights.all().end(), 0.25F);
    AdamW<float> adamw(layout, {}, groups);
    EXPECT_EQ(adamw.first_moments().size(), static_cast<size_t>(layout.count()));
    for (int64_t update = 1; update <= 3; ++update) {
      fill_gradients(gradients, update);
      expected.norms.push_back(adamw.gradient_norm(gradients));
      adamw.update(weights, gradients, 1e-3, clip_scale(expected.norms.back(), 1.0));
    }
    expected.weights.assign(weights.all().begin(), weights.all().end());
    for (const int size : {1, 2, 4, 8, 16}) {
      run_thread_ranks(size,
                       [&](Group& ranks) { expect_trains_as(expected, layout, groups, ranks); });
    }
  }
}

TEST(ClipScale, ShrinksOnlyGradientsAboveTheLimit) {
  EXPECT_EQ(clip_scale(0.5, 1.0), 1.0);
  EXPECT_NEAR(clip_scale(4.0, 1.0), 0.25, 1e-6);
  EXPECT_EQ(clip_scale(4.0, 0.0), 1.0);
}

}  // namespace
}  // namespace ebt
