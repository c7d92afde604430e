// Replays every recorded training step of the model of frame embeddings: predictions, energies,
// loss and the gradient of every weight, in float64, float32 and bf16.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>

#include "ebt/think/video_ebt.h"
#include "tests/support/golden.h"
#include "tests/support/golden_bounds.h"

namespace ebt {
namespace {

using namespace golden;

VideoModelConfig video_config(const SafetensorsFile& file, const nlohmann::json& config) {
  VideoModelConfig model;
  const std::string type = config.at("ebt_type");
  model.type = type == "default" ? EbtType::kDefault : EbtType::kTimeEmbed;
  const Shape frames = file.tensor("in.embeddings").shape;
  model.context = frames[1] - 1;
  model.width = frames[2];
  model.layers = config.at("num_transformer_blocks");
  model.heads = config.at("multiheaded_attention_heads");
  const Shape ffn = file.tensor("param.transformer.layers.0.feed_forward.w1.weight").shape;
  // The half keeps the width whole when the multiplier is applied again.
  model.ffn_multiplier = (static_cast<double>(ffn[0]) + 0.5) / static_cast<double>(model.width);
  model.landscapes = config.at("mcmc_num_steps");
  model.norm_eps = config.at("norm_eps");
  model.rope_theta = config.at("rope_theta");
  return model;
}

// A recorded step, taken again.
template <class T, class S = T>
Outcome replay(const SafetensorsFile& file, const Perturbation& perturb = {},
               const EngineOptions& options = {}) {
  const auto config = nlohmann::json::parse(file.metadata("config"));
  const auto read = [&](const std::string& name) {
    const std::vector<double> values = file.read<double>(name);
    std::vector<T> all(values.begin(), values.end());
    perturb(1000 + std::hash<std::string>()(name) % 1000,
            Tensor<T>{all.data(), {static_cast<int64_t>(all.size())}});
    return all;
  };
  VideoThinkingConfig thinking;
  thinking.step_size = config.at("mcmc_step_size");
  thinking.detach = !config.at("no_mcmc_detach").get<bool>();
  const VideoModelConfig model_config = video_config(file, config);
  ThinkingDraws<T> draws;
  draws.landscapes =
      landscapes_of(std::vector<int64_t>(static_cast<size_t>(model_config.landscapes), 1));
  if (file.contains("draw.0.randn")) {
    const double scale = config.at("gaussian_random_noise_scaling");
    draws.initial = [all = read("draw.0.randn"), scale](int64_t first, Tensor<T> out) {
      const int64_t width = out.count() / out.dim(0);
      std::transform(all.begin() + first * width, all.begin() + first * width + out.count(),
                     out.begin(), [&](T x) { return static_cast<T>(scale) * x; });
    };
  }
  const std::vector<T> frames = read("in.embeddings");
  const Shape shape = file.tensor("in.embeddings").shape;
  VideoEbt<T, S> model(model_config, thinking, shape[0], model_config.context, options);
  uint64_t index = 0;
  for (const ParameterEntry& entry : model.layout().entries()) {
    const Tensor<T> weights = model.edit_weights().tensor(entry.name);
    file.read("param." + entry.name, weights);
    perturb(index++, weights);
  }
  Outcome outcome;
  const auto append = [&](const std::string& name, Tensor<const T> values) {
    outcome[name].insert(outcome[name].end(), values.begin(), values.end());
  };
  const double count = static_cast<double>(shape[0] * model_config.context);
  const LossSums sums = model.train_from(
      {{frames.data(), shape}, 0, 1.0 / count}, draws,
      [&](int64_t step, int64_t /*first*/, Tensor<const T> after, Tensor<const T> energy) {
        append("out.pred." + std::to_string(step), after);
        append("out.energy." + std::to_string(step), energy);
      });
  outcome["out.loss"] = {sums.mean_objective()};
  for (const ParameterEntry& entry : model.layout().entries()) {
    append("grad." + entry.name, model.gradients().tensor(entry.name));
  }
  return outcome;
}

// What the file holds of outputs, loss and gradients.
Outcome recorded(const SafetensorsFile& file) { return recorded_of(file, {"grad.", "out."}); }

class GoldenVideo : public testing::TestWithParam<std::string> {
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

TEST_P(GoldenVideo, MatchesInDoublePrecision) {
  compare(replay<double>(file_), [](const std::string&) { return kDoubleBound; });
}

TEST_P(GoldenVideo, MatchesInChunksOfAnySizeAndWithRecomputation) {
  for (const int64_t positions : {1, 2, 3, 5}) {
    EngineOptions options;
    options.chunk_positions = positions;
    options.recompute = positions % 2 == 1;
    compare(replay<double>(file_, {}, options), [](const std::string&) { return kDoubleBound; });
  }
}

TEST_P(GoldenVideo, MatchesInSinglePrecision) {
  const auto bounds = magnified(kSingleRounding);
  compare(replay<float>(file_), [&](const std::string& name) {
    return std::max(kSingleBound, kRoundings * bounds.at(name));
  });
}

TEST_P(GoldenVideo, MatchesInBf16) {
  const auto bounds = magnified(kBf16Rounding);
  compare(replay<float, Bfloat16>(file_), [&](const std::string& name) {
    return std::max(kBf16Bound, kBf16Roundings * bounds.at(name));
  });
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenVideo, testing::ValuesIn(golden::files({"video_train"})),
                         [](const auto& info) {
                           return info.param.substr(0, info.param.find('.'));
                         });

}  // namespace
}  // namespace ebt
