// Replays every recorded training step and thought of the model of whole answers: logits, energies,
// loss, the ranking term among it, and the gradient of every weight, in float64, float32 and bf16.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "ebt/think/infill_ebt.h"
#include "tests/support/golden.h"
#include "tests/support/golden_bounds.h"

namespace ebt {
namespace {

using namespace golden;

std::vector<int32_t> integers(const SafetensorsFile& file, const std::string& name) {
  const std::vector<int64_t> values = file.read<int64_t>(name);
  return {values.begin(), values.end()};
}

InfillModelConfig model_config(const SafetensorsFile& file, const nlohmann::json& config) {
  InfillModelConfig model;
  model.layers = config.at("layers");
  model.width = config.at("width");
  model.heads = config.at("heads");
  model.vocab_size = config.at("vocab");
  model.row_length = config.at("tokens");
  model.norm_eps = config.at("norm_eps");
  const Shape ffn = file.tensor("param.transformer.layers.0.feed_forward.w1.weight").shape;
  // The half keeps the width whole when the multiplier is applied again.
  model.ffn_multiplier = (static_cast<double>(ffn[0]) + 0.5) / static_cast<double>(model.width);
  for (size_t axis = 0; axis < config.at("axes").size(); ++axis) {
    const std::string name = std::to_string(axis);
    model.given_axes.push_back(
        {name, config.at("axes")[axis], integers(file, "coordinates." + name)});
  }
  return model;
}

InfillThinkingConfig thinking_config(const nlohmann::json& config) {
  InfillThinkingConfig thinking;
  thinking.update =
      config.at("update") == "mirror" ? InfillUpdate::kMirror : InfillUpdate::kPublished;
  thinking.steps_min = thinking.steps_max = config.at("steps");
  thinking.learned_steps = config.at("grad_steps");
  thinking.langevin_noise = config.at("langevin_noise");
  thinking.step_size_spread = config.at("spread");
  thinking.ranking = config.at("rank_weight");
  return thinking;
}

// A recorded step or thought, taken again.
template <class T, class S = T>
Outcome replay(const SafetensorsFile& file, const Perturbation& perturb = {},
               const EngineOptions& options = {}) {
  const auto config = nlohmann::json::parse(file.metadata("config"));
  const InfillModelConfig model_config = ebt::model_config(file, config);
  const InfillThinkingConfig thinking = thinking_config(config);
  const int64_t rows = config.at("batch");
  const Shape shape{rows, model_config.row_length};
  const int64_t size = model_config.row_length * model_config.vocab_size;
  const auto read = [&](const std::string& name) {
    const std::vector<double> values = file.read<double>(name);
    std::vector<T> all(values.begin(), values.end());
    perturb(1000 + std::hash<std::string>()(name) % 1000,
            Tensor<T>{all.data(), {static_cast<int64_t>(all.size())}});
    return all;
  };
  InfillEbt<T, S> model(model_config, thinking, rows, options);
  uint64_t index = 0;
  for (const ParameterEntry& entry : model.layout().entries()) {
    const Tensor<T> weights = model.edit_weights().tensor(entry.name);
    file.read("param." + entry.name, weights);
    perturb(index++, weights);
  }
  const std::vector<int32_t> tokens = integers(file, "tokens");
  const std::vector<int32_t> marks = integers(file, "known");
  const std::vector<uint8_t> known(marks.begin(), marks.end());
  const InfillRows given{{tokens.data(), shape}, {known.data(), shape}, 0};
  std::vector<T> initial = read("draw.initial");
  Outcome outcome;
  const auto append = [&](const std::string& name, Tensor<const T> values) {
    outcome[name].insert(outcome[name].end(), values.begin(), values.end());
  };
  const auto append_step = [&](int64_t step, Tensor<const T> after, Tensor<const T> energy) {
    append("out.logits." + std::to_string(step), after);
    append("out.energy." + std::to_string(step), energy);
  };
  if (config.at("kind") == "infill_think") {
    model.think(
        given, thinking.steps_max,
        {initial.data(), {rows, model_config.row_length, model_config.vocab_size}},
        [&](const InfillStep<T>& step) { append_step(step.step, step.logits, step.energy); });
    return outcome;
  }
  ThinkingDraws<T> draws;
  draws.landscapes.resize(static_cast<size_t>(thinking.steps_max), 0);
  const auto part = [size](const std::vector<T>& all, int64_t first, Tensor<T> out) {
    std::copy_n(all.begin() + first * size, out.count(), out.begin());
  };
  draws.initial = [&](int64_t first, Tensor<T> out) { part(initial, first, out); };
  std::vector<std::vector<T>> noise;
  for (int64_t i = 0; i < thinking.steps_max && thinking.langevin_noise > 0; ++i) {
    noise.push_back(read("draw.langevin." + std::to_string(i)));
  }
  draws.langevin = [&](int64_t step, int64_t first, Tensor<T> out) {
    part(noise[static_cast<size_t>(step)], first, out);
  };
  std::vector<T> uniform;
  if (file.contains("draw.factor")) {
    const double least = 1 / thinking.step_size_spread;
    for (const double factor : file.read<double>("draw.factor")) {
      uniform.push_back(static_cast<T>((factor - least) / (thinking.step_size_spread - least)));
    }
    draws.step_size = [&](int64_t first, Tensor<T> out) {
      std::copy_n(uniform.begin() + first, out.count(), out.begin());
    };
  }
  InfillLearning learning;
  learning.inverse_token_count =
      1.0 / static_cast<double>(std::count(known.begin(), known.end(), uint8_t{0}));
  std::vector<int32_t> corrupted;
  if (file.contains("corrupted")) {
    corrupted = integers(file, "corrupted");
    int64_t wrong = rows;
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t at = row * shape[1];
      wrong +=
          std::equal(tokens.begin() + at, tokens.begin() + at + shape[1], corrupted.begin() + at)
              ? 0
              : 1;
    }
    learning.corrupted = {corrupted.data(), shape};
    learning.inverse_ranking_count = 1.0 / static_cast<double>(wrong);
  }
  const InfillSums sums =
      model.train_from(given, learning, draws,
                       [&](int64_t step, int64_t /*first*/, Tensor<const T> after,
                           Tensor<const T> energy) { append_step(step, after, energy); });
  outcome["out.loss"] = {sums.mean_objective()};
  for (const ParameterEntry& entry : model.layout().entries()) {
    append("grad." + entry.name, model.gradients().tensor(entry.name));
  }
  return outcome;
}

// What the file holds of outputs, loss and gradients.
Outcome recorded(const SafetensorsFile& file) { return recorded_of(file, {"grad.", "out."}); }

// Mirror descent starts every step from where the last one ended, so that the roundings of all
// steps add up: of 48 files, 47 are below 5 times what roundings of the inputs change, one is
// at 13.3.
constexpr double kBf16RoundingsOfAllSteps = 20;

class GoldenInfill : public testing::TestWithParam<std::string> {
 protected:
  const SafetensorsFile file_{golden::folder() / GetParam()};

  void compare(const Outcome& ours, const std::function<double(const std::string&)>& bound) {
    golden::expect_within(GetParam(), ours, recorded(file_), bound);
  }
  std::map<std::string, double> magnified(double size) {
    return golden::magnified_roundings(
        size, [&](const Perturbation& perturb) { return replay<double>(file_, perturb); });
  }
};

TEST_P(GoldenInfill, MatchesInDoublePrecision) {
  compare(replay<double>(file_), [](const std::string&) { return kDoubleBound; });
}

TEST_P(GoldenInfill, MatchesRowByRow) {
  EngineOptions options;
  options.chunk_positions = 1;
  compare(replay<double>(file_, {}, options), [](const std::string&) { return kDoubleBound; });
}

TEST_P(GoldenInfill, MatchesInSinglePrecision) {
  const auto bounds = magnified(kSingleRounding);
  compare(replay<float>(file_), [&](const std::string& name) {
    return std::max(kSingleBound, kRoundings * bounds.at(name));
  });
}

TEST_P(GoldenInfill, MatchesInBf16) {
  const auto bounds = magnified(kBf16Rounding);
  compare(replay<float, Bfloat16>(file_), [&](const std::string& name) {
    return std::max(kBf16Bound, kBf16RoundingsOfAllSteps * bounds.at(name));
  });
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenInfill,
                         testing::ValuesIn(golden::files({"infill_train", "infill_think"})),
                         [](const auto& info) {
                           return info.param.substr(0, info.param.find('.'));
                         });

}  // namespace
}  // namespace ebt
