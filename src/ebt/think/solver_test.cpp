// Solving with real models of random weights: what is claimed holds of any.
#include "ebt/think/solver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "ebt/core/threads.h"
#include "ebt/kernels/rng.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

constexpr int64_t kLength = 36;
constexpr int64_t kVocab = 6;

InfillModelConfig model_config(InfillArchitecture arch = InfillArchitecture::kEbt) {
  InfillModelConfig config;
  config.arch = arch;
  config.layers = 2;
  config.vocab_size = kVocab;
  config.row_length = kLength;
  config.grid = "6x6";
  config.boxes = "2x3";
  return config;
}

struct ModelOptions {
  InfillArchitecture arch = InfillArchitecture::kEbt;
  Precision precision = Precision::kFp32;
  double step_size = 3;
  double initial_scale = 1;
};

std::unique_ptr<InfillModel<float>> make(const ModelOptions& options = {}) {
  InfillThinkingConfig thinking;
  thinking.step_size = options.step_size;
  thinking.initial_scale = options.initial_scale;
  EngineOptions engine;
  engine.training = false;
  engine.precision = options.precision;
  const InfillModelConfig config = model_config(options.arch);
  auto model = make_infill_model<float>(config, thinking, rows_together(config), engine);
  initialize_weights(*model, thinking, 7);
  return model;
}

// Rows of random tokens, some of them asked for.
struct Boards {
  std::vector<int32_t> tokens;
  std::vector<uint8_t> known;

  explicit Boards(int64_t rows) {
    const RandomStream stream{3, RandomPurpose::kTestNoise, 0};
    for (uint64_t i = 0; i < static_cast<uint64_t>(rows * kLength); ++i) {
      tokens.push_back(static_cast<int32_t>(stream.below(kVocab, 2 * i)));
      known.push_back(stream.uniform(4 * i + 1) < 0.5 ? 1 : 0);
    }
  }
  InfillRows rows(int64_t first = 0, int64_t count = -1) const {
    const Shape shape{count < 0 ? static_cast<int64_t>(tokens.size()) / kLength : count, kLength};
    return {{tokens.data() + first * kLength, shape}, {known.data() + first * kLength, shape}};
  }
  // Those of another, in an order of its own.
  Boards(const Boards& other, const std::vector<int64_t>& order) {
    for (const int64_t row : order) {
      const auto first = static_cast<std::ptrdiff_t>(row * kLength);
      tokens.insert(tokens.end(), other.tokens.begin() + first,
                    other.tokens.begin() + first + kLength);
      known.insert(known.end(), other.known.begin() + first, other.known.begin() + first + kLength);
    }
  }
};

void expect_same(const Solution& a, const Solution& b) {
  EXPECT_EQ(a.answer, b.answer);
  EXPECT_EQ(a.energy, b.energy);
  EXPECT_EQ(a.steps, b.steps);
  EXPECT_EQ(a.passes, b.passes);
  EXPECT_EQ(a.kept, b.kept);
  EXPECT_EQ(a.agreed, b.agreed);
  ASSERT_EQ(a.thoughts.size(), b.thoughts.size());
  for (size_t i = 0; i < a.thoughts.size(); ++i) {
    EXPECT_EQ(a.thoughts[i].answer, b.thoughts[i].answer) << "thought " << i;
    EXPECT_EQ(a.thoughts[i].energy, b.thoughts[i].energy) << "thought " << i;
    EXPECT_EQ(a.thoughts[i].confidence, b.thoughts[i].confidence) << "thought " << i;
    EXPECT_EQ(a.thoughts[i].cost, b.thoughts[i].cost) << "thought " << i;
    EXPECT_EQ(a.thoughts[i].steps, b.thoughts[i].steps) << "thought " << i;
  }
}

std::vector<Solution> solve_all(const Boards& boards, const SolveOptions& options,
                                const ModelOptions& of = {}) {
  return solve(*make(of), boards.rows(), options);
}

TEST(Solver, AnswersKeepWhatIsGivenAndHaveTheEnergyThatTheModelScores) {
  const Boards boards(5);
  const auto model = make();
  SolveOptions options;
  options.steps = 4;
  const std::vector<Solution> solutions = solve(*model, boards.rows(), options);
  ASSERT_EQ(solutions.size(), 5U);
  std::vector<int32_t> answers;
  for (const Solution& solution : solutions) {
    answers.insert(answers.end(), solution.answer.begin(), solution.answer.end());
    EXPECT_EQ(solution.steps, 4);
    EXPECT_EQ(solution.passes, 4);
    EXPECT_EQ(solution.agreed, 1);
  }
  for (size_t i = 0; i < answers.size(); ++i) {
    EXPECT_TRUE(boards.known[i] == 0 || answers[i] == boards.tokens[i]) << "token " << i;
  }
  std::vector<float> energies(5);
  model->score({{answers.data(), {5, kLength}}, boards.rows().known}, {energies.data(), {5}});
  for (size_t i = 0; i < energies.size(); ++i) {
    EXPECT_EQ(solutions[i].energy, static_cast<double>(energies[i]));
  }
}

TEST(Solver, DoesNotReadWhatIsAskedFor) {
  const Boards boards(3);
  Boards blank = boards;
  for (size_t i = 0; i < blank.tokens.size(); ++i) {
    blank.tokens[i] = blank.known[i] != 0 ? blank.tokens[i] : 0;
  }
  SolveOptions options;
  options.steps = 3;
  options.search = 2;
  const std::vector<Solution> a = solve_all(boards, options);
  const std::vector<Solution> b = solve_all(blank, options);
  for (size_t row = 0; row < a.size(); ++row) {
    expect_same(a[row], b[row]);
  }
}

// Without noise where thinking starts, a thought is the model's thinking from zeros.
TEST(Solver, ObserversSeeEveryStepOfTheModelsThinking) {
  const Boards boards(20);  // more than a chunk
  const auto model = make({.initial_scale = 0});
  SolveOptions options;
  options.steps = 5;
  options.select = ThoughtChoice::kGradientNorm;
  std::map<int64_t, std::vector<SolverStep<float>>> steps;
  std::map<int64_t, std::vector<float>> last;
  const std::vector<Solution> solutions =
      solve<float>(*model, boards.rows(), options, [&](const SolverStep<float>& step) {
        EXPECT_EQ(step.step, static_cast<int64_t>(steps[step.row].size()));
        EXPECT_EQ(step.thought, 0);
        steps[step.row].push_back(step);
        last[step.row].assign(step.probabilities.begin(), step.probabilities.end());
        for (int64_t i = 0; i < kLength; ++i) {
          if (boards.known[static_cast<size_t>(step.row * kLength + i)] != 0) {
            const int32_t token = boards.tokens[static_cast<size_t>(step.row * kLength + i)];
            EXPECT_EQ(step.answer[i], token);
            EXPECT_EQ(step.probabilities[i * kVocab + token], 1);
          }
        }
      });
  std::vector<float> logits(static_cast<size_t>(20 * kLength * kVocab));
  std::map<int64_t, std::vector<float>> energies;
  std::map<int64_t, double> norms;
  model->think(boards.rows(), 5, {logits.data(), {20, kLength, kVocab}},
               [&](const InfillStep<float>& step) {
                 for (int64_t i = 0; i < step.energy.count(); ++i) {
                   energies[step.first_row + i].push_back(step.energy[i]);
                   norms[step.first_row + i] = static_cast<double>(step.gradient_norm[i]);
                 }
               });
  for (int64_t row = 0; row < 20; ++row) {
    ASSERT_EQ(steps[row].size(), 5U);
    for (size_t i = 0; i < 5; ++i) {
      EXPECT_EQ(steps[row][i].energy, static_cast<double>(energies[row][i]));
    }
    const Solution& solution = solutions[static_cast<size_t>(row)];
    EXPECT_EQ(solution.thoughts[0].cost, norms[row]);
    double surprise = 0;
    int64_t unknown = 0;
    for (int64_t i = 0; i < kLength; ++i) {
      const auto token = static_cast<size_t>(row * kLength + i);
      const float* const z = logits.data() + token * kVocab;
      const auto leading = std::max_element(z, z + kVocab) - z;
      if (boards.known[token] == 0) {
        EXPECT_EQ(solution.answer[static_cast<size_t>(i)], leading);
        const double total = std::accumulate(z, z + kVocab, 0.0, [&](double sum, float value) {
          return sum + std::exp(value - z[leading]);
        });
        surprise += std::log(total);
        EXPECT_NEAR(last[row][static_cast<size_t>(i * kVocab + leading)], 1 / total, 1e-5);
        ++unknown;
      }
    }
    EXPECT_NEAR(solution.thoughts[0].confidence, -surprise / static_cast<double>(unknown), 1e-5);
  }
}

struct Setting {
  const char* name;
  ModelOptions model;
  Kick kick;
  double stop_change;
};

class SolverOfAnyBatch : public ::testing::TestWithParam<Setting> {};

TEST_P(SolverOfAnyBatch, GivesARowTheSameSolutionBitForBit) {
  constexpr int64_t kRows = 24;
  const Boards boards(kRows);
  const auto model = make(GetParam().model);
  SolveOptions options;
  options.steps = 6;
  options.restarts = 3;
  options.search = 2;
  options.kick = GetParam().kick;
  options.kick_steps = 3;
  options.stop_change = GetParam().stop_change;
  options.stop_patience = 1;
  options.seed = 5;
  const std::vector<Solution> together = solve(*model, boards.rows(), options);

  std::vector<int64_t> order(kRows);
  std::iota(order.begin(), order.end(), 0);
  std::reverse(order.begin(), order.end());
  const Boards reversed(boards, order);
  use_threads(1);
  const std::vector<Solution> backwards = solve(*model, reversed.rows(), options);
  use_threads(0);
  for (int64_t row = 0; row < kRows; ++row) {
    SCOPED_TRACE(row);
    expect_same(together[static_cast<size_t>(row)],
                backwards[static_cast<size_t>(kRows - 1 - row)]);
  }
  for (const int64_t row : {0, 13, 23}) {
    SCOPED_TRACE(row);
    expect_same(together[static_cast<size_t>(row)],
                solve(*model, boards.rows(row, 1), options).front());
  }
  for (const int64_t count : {4, 8, 11}) {  // whose products end in few rows
    expect_same(together[static_cast<size_t>(count)],
                solve(*model, boards.rows(1, count), options).back());
  }
}

constexpr ModelOptions kBf16{.precision = Precision::kBf16};
constexpr ModelOptions kLooped{.arch = InfillArchitecture::kLooped};
INSTANTIATE_TEST_SUITE_P(
    All, SolverOfAnyBatch,
    ::testing::Values(Setting{"fp32", {}, Kick::kNoise, 0}, Setting{"bf16", kBf16, Kick::kNoise, 0},
                      Setting{"forgetting", {}, Kick::kForget, 0},
                      Setting{"stopping", {.step_size = 0.3}, Kick::kNoise, 0.05},
                      Setting{"looped", kLooped, Kick::kForget, 0.05}),
    [](const auto& info) { return info.param.name; });

TEST(Solver, AnotherSeedStartsElsewhere) {
  const Boards boards(4);
  SolveOptions options;
  options.steps = 1;
  const double energy = solve_all(boards, options)[0].energy;
  EXPECT_EQ(energy, solve_all(boards, options)[0].energy);
  options.seed = 1;
  EXPECT_NE(energy, solve_all(boards, options)[0].energy);
}

TEST(Solver, KeepsTheThoughtOfLeastEnergyAndMoreThoughtsNeverRaiseIt) {
  const Boards boards(8);
  SolveOptions options;
  options.steps = 4;
  std::vector<std::vector<Solution>> by_restarts;
  for (const int64_t restarts : {1, 4, 8}) {
    options.restarts = restarts;
    by_restarts.push_back(solve_all(boards, options));
  }
  for (size_t row = 0; row < 8; ++row) {
    const std::vector<ThoughtResult>& eight = by_restarts[2][row].thoughts;
    ASSERT_EQ(eight.size(), 8U);
    std::set<double> energies, confidences;
    for (const ThoughtResult& thought : eight) {
      energies.insert(thought.energy);
      confidences.insert(thought.confidence);
      EXPECT_EQ(thought.cost, thought.energy);
    }
    EXPECT_EQ(by_restarts[2][row].energy, *energies.begin());
    EXPECT_GT(confidences.size(), 1U) << "restarts start from the same noise";
    EXPECT_EQ(by_restarts[2][row].passes, 32);
    for (size_t i = 0; i < 4; ++i) {  // more thoughts leave the first as they were
      EXPECT_EQ(by_restarts[1][row].thoughts[i].energy, eight[i].energy);
    }
    EXPECT_LE(by_restarts[2][row].energy, by_restarts[1][row].energy);
    EXPECT_LE(by_restarts[1][row].energy, by_restarts[0][row].energy);
  }
}

TEST(Solver, ASearchKicksTheBestAnswerAndTakesLowerEnergiesAlone) {
  const Boards boards(8);
  SolveOptions options;
  options.steps = 4;
  options.kick_steps = 2;
  for (const Kick kick : {Kick::kNoise, Kick::kForget}) {
    options.kick = kick;
    int64_t improved = 0;
    std::vector<Solution> before = solve_all(boards, options);
    for (const int64_t search : {1, 6}) {
      options.search = search;
      std::vector<Solution> solutions = solve_all(boards, options);
      for (size_t row = 0; row < 8; ++row) {
        EXPECT_LE(solutions[row].energy, before[row].energy);
        EXPECT_EQ(solutions[row].passes, 4 + 2 * search);
        EXPECT_EQ(solutions[row].energy,
                  solutions[row].thoughts[static_cast<size_t>(solutions[row].kept)].energy);
        EXPECT_EQ(solutions[row].agreed,
                  solutions[row].answer == solutions[row].thoughts[0].answer);
        improved += solutions[row].kept > 0 ? 1 : 0;
      }
      before = std::move(solutions);
    }
    EXPECT_GT(improved, 0);
    options.search = 0;
  }
}

// From a kick that changes nothing, thinking goes on where it ended.
TEST(Solver, AKickOfNothingGoesOnThinking) {
  const Boards boards(6);
  SolveOptions longer;
  longer.steps = 7;
  const std::vector<Solution> expected = solve_all(boards, longer);
  for (const Kick kick : {Kick::kNoise, Kick::kForget}) {
    SolveOptions options;
    options.steps = 4;
    options.search = 1;
    options.kick_steps = 3;
    options.kick = kick;
    options.kick_noise = 0;
    options.kick_share = 0;
    const std::vector<Solution> solutions = solve_all(boards, options);
    for (size_t row = 0; row < 6; ++row) {
      EXPECT_EQ(solutions[row].thoughts[1].answer, expected[row].answer);
      EXPECT_EQ(solutions[row].thoughts[1].confidence, expected[row].thoughts[0].confidence);
    }
  }
}

TEST(Solver, ABudgetCutsThoughtsAndLeavesOthersOut) {
  const Boards boards(3);
  SolveOptions options;
  options.steps = 4;
  options.restarts = 3;
  options.search = 5;
  options.kick_steps = 3;
  const std::map<int64_t, std::vector<int64_t>> steps = {
      {3, {3}}, {8, {4, 4}}, {10, {4, 4, 2}}, {16, {4, 4, 4, 3, 1}}};
  for (const auto& [budget, expected] : steps) {
    options.budget = budget;
    for (const Solution& solution : solve_all(boards, options)) {
      EXPECT_EQ(solution.passes, budget);
      std::vector<int64_t> taken;
      for (const ThoughtResult& thought : solution.thoughts) {
        taken.push_back(thought.steps);
      }
      EXPECT_EQ(taken, expected) << "budget " << budget;
    }
  }
}

TEST(Solver, TimeThatIsUpLeavesEveryRowOneStep) {
  const Boards boards(5);
  SolveOptions options;
  options.seconds = 1e-9;
  options.search = 4;
  for (const Solution& solution : solve_all(boards, options)) {
    EXPECT_EQ(solution.passes, 1);
    EXPECT_EQ(solution.answer.size(), static_cast<size_t>(kLength));
  }
  options.seconds = 1e6;
  options.steps = 2;
  EXPECT_EQ(solve_all(boards, options)[0].passes, 2 + 4 * 16);
}

TEST(Solver, StopsWhereStepsChangeNextToNothing) {
  const Boards boards(4);
  SolveOptions options;
  options.steps = 20;
  options.stop_change = 0.01;
  options.stop_patience = 3;
  for (const Solution& solution : solve_all(boards, options, {.step_size = 1e-3})) {
    EXPECT_GE(solution.steps, 3);
    EXPECT_LT(solution.steps, 20);
  }
  options.stop_change = 0;
  for (const Solution& solution : solve_all(boards, options, {.step_size = 1e-3})) {
    EXPECT_EQ(solution.steps, 20);
  }
}

TEST(Solver, KeepsByEveryChoiceTheThoughtOfLeastCost) {
  const Boards boards(4);
  SolveOptions options;
  options.steps = 3;
  options.restarts = 6;
  std::set<std::vector<int64_t>> kept;
  for (const ThoughtChoice choice : {ThoughtChoice::kEnergy, ThoughtChoice::kGradientNorm,
                                     ThoughtChoice::kLastChange, ThoughtChoice::kConfidence}) {
    options.select = choice;
    std::vector<int64_t> of_rows;
    for (const Solution& solution : solve_all(boards, options)) {
      const auto least = std::min_element(
          solution.thoughts.begin(), solution.thoughts.end(),
          [](const ThoughtResult& a, const ThoughtResult& b) { return a.cost < b.cost; });
      EXPECT_EQ(solution.kept, least - solution.thoughts.begin());
      EXPECT_GT(least->steps, 0);
      EXPECT_NE(least->cost, 0);
      of_rows.push_back(solution.kept);
    }
    kept.insert(of_rows);
  }
  EXPECT_GT(kept.size(), 2U) << "choices that differ in nothing";
}

TEST(Solver, RivalsAreChosenByConfidenceAndHaveNoEnergy) {
  const Boards boards(4);
  SolveOptions options;
  options.steps = 3;
  options.restarts = 4;
  const ModelOptions looped{.arch = InfillArchitecture::kLooped};
  for (const Solution& solution : solve_all(boards, options, looped)) {
    EXPECT_EQ(solution.energy, 0);
    for (const ThoughtResult& thought : solution.thoughts) {
      EXPECT_EQ(thought.cost, -thought.confidence);
      EXPECT_GE(solution.thoughts[static_cast<size_t>(solution.kept)].confidence,
                thought.confidence);
    }
  }
  options.select = ThoughtChoice::kEnergy;
  EXPECT_EQ(error_text([&] { solve_all(boards, options, looped); }),
            "select: energy is for models that have an energy, and looped has none");
}

TEST(Solver, ARowThatAsksForNothingIsItsOwnAnswer) {
  Boards boards(2);
  std::fill(boards.known.begin(), boards.known.begin() + kLength, uint8_t{1});
  SolveOptions options;
  options.steps = 2;
  const std::vector<Solution> solutions = solve_all(boards, options);
  EXPECT_TRUE(
      std::equal(solutions[0].answer.begin(), solutions[0].answer.end(), boards.tokens.begin()));
  EXPECT_EQ(solutions[0].thoughts[0].confidence, 0);
  EXPECT_TRUE(solve_all(Boards(0), options).empty());
}

TEST(Solver, SaysWhatIsWrong) {
  const Boards boards(2);
  SolveOptions options;
  options.steps = 0;
  EXPECT_EQ(error_text([&] { solve_all(boards, options); }),
            "think-steps: 0 is not between 1 and 100000");
  options = {};
  options.kick_noise = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(error_text([&] { solve_all(boards, options); }),
            "kick-noise: nan is not a number from 0");
  options = {};
  const auto model = make();
  EXPECT_EQ(
      error_text([&] {
        solve(*model, {{boards.tokens.data(), {1, 9}}, {boards.known.data(), {1, 9}}}, options);
      }),
      "solve: rows of 9 tokens and marks of (1,9), but the model's rows have 36");
  model->edit_weights().tensor("vocab_to_embed.weight")[0] =
      std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(error_text([&] { solve(*model, boards.rows(), options); }).find("not a finite number"),
            std::string::npos);
}

}  // namespace
}  // namespace ebt
