// What holds of every architecture of whole answers.
#include "ebt/model/infill_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ebt/core/config_fields.h"
#include "ebt/kernels/rng.h"

namespace ebt {
namespace {

constexpr int64_t kRows = 5;

InfillModelConfig small_model(InfillArchitecture arch) {
  InfillModelConfig config;
  config.arch = arch;
  config.width = 16;
  config.heads = 2;
  config.vocab_size = 5;
  config.row_length = 6;
  config.grid = "2x3";
  return config;
}

// Rows of which some tokens are given, at least one asked for.
struct Puzzles {
  std::vector<int32_t> tokens, corrupted;
  std::vector<uint8_t> known;

  Puzzles() {
    const RandomStream stream{3, RandomPurpose::kTestNoise, 0};
    for (uint64_t i = 0; i < 6 * kRows; ++i) {
      tokens.push_back(static_cast<int32_t>(stream.below(5, 3 * i)));
      known.push_back(i % 6 != 0 && stream.uniform(3 * i + 1) < 0.5 ? 1 : 0);
      corrupted.push_back(known.back() == 0 ? static_cast<int32_t>(stream.below(5, 3 * i + 2))
                                            : tokens.back());
    }
  }
  InfillRows rows(int64_t first = 0, int64_t count = kRows) const {
    return {{tokens.data() + first * 6, {count, 6}}, {known.data() + first * 6, {count, 6}}, first};
  }
  InfillLearning learning() const {
    return {1.0 / static_cast<double>(std::count(known.begin(), known.end(), uint8_t{0})),
            {corrupted.data(), {kRows, 6}},
            1.0 / (2.0 * kRows)};
  }
};

template <class T>
std::unique_ptr<InfillModel<T>> make(InfillArchitecture arch, const InfillThinkingConfig& thinking,
                                     Precision precision = Precision::kFp32) {
  EngineOptions options;
  options.precision = precision;
  options.chunk_positions = 12;  // two rows
  auto model = make_infill_model<T>(small_model(arch), thinking, kRows, options);
  initialize_weights(*model, thinking, 7);
  return model;
}

std::vector<float> noise(int64_t rows) {
  std::vector<float> logits(static_cast<size_t>(rows * 30));
  RandomStream{5, RandomPurpose::kTestNoise, 1}.normal(0, Tensor<float>{logits.data(), {rows * 30}},
                                                       1.0F);
  return logits;
}

class InfillModels : public testing::TestWithParam<InfillArchitecture> {};

// Of the EBT too, its constants (the answers it ranks, and steps before the learned ones) apart: so
// all steps are learned from, and none is ranked.
TEST_P(InfillModels, GradientsAreDerivativesOfTheLoss) {
  InfillThinkingConfig thinking;
  thinking.steps_min = thinking.steps_max = 3;
  thinking.learned_steps = 0;
  thinking.ranking = 0;
  const Puzzles puzzles;
  const auto model = make<double>(GetParam(), thinking);
  const auto loss = [&] {
    return model->train(puzzles.rows(), puzzles.learning(), 11, 2).mean_objective();
  };
  loss();
  const Tensor<double> weights = model->edit_weights().all();
  const std::vector<double> gradient(model->gradients().all().begin(),
                                     model->gradients().all().end());
  std::vector<double> direction(gradient.size());
  for (uint64_t seed = 0; seed < 5; ++seed) {
    RandomStream{seed, RandomPurpose::kTestNoise, 2}.normal(
        0, Tensor<double>{direction.data(), weights.shape}, 1.0);
    double expected = 0;
    for (size_t i = 0; i < direction.size(); ++i) {
      expected += gradient[i] * direction[i];
    }
    const double h = 1e-6;
    const auto moved = [&](double by) {
      const Tensor<double> all = model->edit_weights().all();
      for (size_t i = 0; i < direction.size(); ++i) {
        all[static_cast<int64_t>(i)] += by * direction[i];
      }
      return loss();
    };
    const double above = moved(h);
    const double below = moved(-2 * h);
    moved(h);
    EXPECT_NEAR((above - below) / (2 * h), expected, 1e-6 * (1 + std::abs(expected)));
  }
}

TEST_P(InfillModels, GradientsOfPartsAddUpToThoseOfTheBatch) {
  const Puzzles puzzles;
  const InfillThinkingConfig thinking;
  const auto model = make<double>(GetParam(), thinking);
  const auto gradient = [&] {
    const Tensor<double> all = model->gradients().all();
    std::vector<double> values(all.begin(), all.end());
    std::fill(all.begin(), all.end(), 0.0);
    return values;
  };
  const InfillSums whole = model->train(puzzles.rows(), puzzles.learning(), 11, 2);
  const std::vector<double> expected = gradient();
  InfillSums parts;
  for (const auto& [first, count] : {std::pair{0, 3}, std::pair{3, 2}}) {
    InfillLearning learning = puzzles.learning();
    learning.corrupted = learning.corrupted.slice(first, count);
    parts.add(model->train(puzzles.rows(first, count), learning, 11, 2));
  }
  EXPECT_NEAR(parts.objective, whole.objective, 1e-12 * std::abs(whole.objective));
  EXPECT_EQ(parts.rows, kRows);
  EXPECT_EQ(parts.right_tokens, whole.right_tokens);
  const std::vector<double> summed = gradient();
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(summed[i], expected[i], 1e-11 * (1 + std::abs(expected[i])));
  }
}

TEST_P(InfillModels, ThinkAboutARowAloneAsAmongOthersBitForBit) {
  const Puzzles puzzles;
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    const auto model = make<float>(GetParam(), {}, precision);
    std::vector<float> together = noise(kRows);
    const std::vector<float> start = together;
    model->think(puzzles.rows(), 6, {together.data(), {kRows, 6, 5}}, {});
    for (int64_t row = 0; row < kRows; ++row) {
      std::vector<float> alone(start.begin() + row * 30, start.begin() + (row + 1) * 30);
      model->think(puzzles.rows(row, 1), 6, {alone.data(), {1, 6, 5}}, {});
      EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + row * 30))
          << "row " << row << ", " << precision_name(precision);
    }
  }
}

// Five rows are computed as three and two, four as they are.
TEST_P(InfillModels, HaveRoomForFewerRowsInALargerChunk) {
  EngineOptions options;
  options.chunk_positions = 24;
  const auto model = make_infill_model<float>(small_model(GetParam()), {}, kRows, options);
  const Puzzles puzzles;
  std::vector<float> logits = noise(4);
  model->think(puzzles.rows(0, 4), 1, {logits.data(), {4, 6, 5}}, {});
  InfillLearning learning = puzzles.learning();
  learning.corrupted = learning.corrupted.slice(0, 4);
  EXPECT_EQ(model->train(puzzles.rows(0, 4), learning, 1, 1).rows, 4);
}

TEST_P(InfillModels, NeverReadWhatIsAskedFor) {
  const Puzzles puzzles;
  Puzzles blank;
  for (size_t i = 0; i < blank.tokens.size(); ++i) {
    blank.tokens[i] = blank.known[i] != 0 ? blank.tokens[i] : 4 - blank.tokens[i];
  }
  const auto model = make<float>(GetParam(), {});
  std::vector<float> one = noise(kRows);
  std::vector<float> other = one;
  model->think(puzzles.rows(), 3, {one.data(), {kRows, 6, 5}}, {});
  model->think(blank.rows(), 3, {other.data(), {kRows, 6, 5}}, {});
  EXPECT_EQ(one, other);
}

TEST_P(InfillModels, ThinkAboutNoRowsWithoutAFault) {
  const Puzzles puzzles;
  const auto model = make<float>(GetParam(), {});
  int64_t seen = 0;
  model->think(puzzles.rows(0, 0), 3, {nullptr, {0, 6, 5}},
               [&](const InfillStep<float>&) { ++seen; });
  EXPECT_EQ(seen, 0);
}

INSTANTIATE_TEST_SUITE_P(Architectures, InfillModels,
                         testing::Values(InfillArchitecture::kEbt, InfillArchitecture::kFeedForward,
                                         InfillArchitecture::kLooped),
                         [](const auto& info) { return enum_name(info.param); });

TEST(InfillModel, ScoresAnAnswerAsItThinksOfOneWrittenOut) {
  Puzzles puzzles;
  const auto model = make<float>(InfillArchitecture::kEbt, {});
  std::vector<float> energies(kRows);
  model->score(puzzles.rows(), {energies.data(), {kRows}});
  // The same answers as logits that leave no doubt, seen by a step that starts from them.
  std::vector<float> logits(kRows * 30, -200.0F);
  for (size_t i = 0; i < puzzles.tokens.size(); ++i) {
    logits[i * 5 + static_cast<size_t>(puzzles.tokens[i])] = 200.0F;
  }
  std::vector<float> seen;
  model->think(puzzles.rows(), 1, {logits.data(), {kRows, 6, 5}},
               [&](const InfillStep<float>& step) {
                 seen.insert(seen.end(), step.energy.begin(), step.energy.end());
               });
  EXPECT_EQ(seen, energies);
}

TEST(InfillModel, RefusesToScoreWithoutAnEnergy) {
  const Puzzles puzzles;
  const auto model = make<float>(InfillArchitecture::kLooped, {});
  std::vector<float> energies(kRows);
  try {
    model->score(puzzles.rows(), {energies.data(), {kRows}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "a looped model has no energy to score answers by");
  }
}

}  // namespace
}  // namespace ebt
