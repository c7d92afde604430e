// Replays every recorded step of the published image models: denoising by thinking, DiT, and its
// diffusion. Outputs, losses and the gradient of every weight, in float64, float32 and bf16.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>

#include "ebt/model/dit.h"
#include "ebt/think/ddim.h"
#include "ebt/think/image_ebt.h"
#include "tests/support/golden.h"
#include "tests/support/golden_bounds.h"

namespace ebt {
namespace {

using namespace golden;

// The model that a file was recorded from; what sizes can be read from its tensors are.
ImageModelConfig image_config(const SafetensorsFile& file, const nlohmann::json& config) {
  ImageModelConfig model;
  const bool energy = config.at("kind") == "image_denoise";
  const std::string trunk = energy ? "param.transformer." : "param.";
  model.arch = energy ? ImageArchitecture::kEbt : ImageArchitecture::kDit;
  const Shape patch = file.tensor(trunk + "x_embedder.proj.weight").shape;
  model.width = patch[0];
  model.channels = patch[1];
  model.patch = patch[2];
  model.image_height = model.image_width = config.at("image_size");
  model.heads = config.at("multiheaded_attention_heads");
  model.layers = config.at("num_transformer_blocks");
  // The half keeps the width whole when the multiplier is applied again.
  const auto ffn = static_cast<double>(file.tensor(trunk + "blocks.0.mlp.fc1.weight").shape[0]);
  model.ffn_multiplier = (ffn + 0.5) / static_cast<double>(model.width);
  return model;
}

ImageThinkingConfig image_thinking(const nlohmann::json& config) {
  ImageThinkingConfig thinking;
  thinking.step_size = config.at("mcmc_step_size");
  thinking.step_size_learnable = config.at("mcmc_step_size_learnable");
  thinking.step_size_spread = config.at("randomize_mcmc_step_size_scale");
  thinking.detach = !config.at("no_mcmc_detach").get<bool>();
  thinking.truncate = config.at("truncate_mcmc");
  thinking.langevin_noise = config.at("langevin_dynamics_noise");
  return thinking;
}

// A recorded step, taken again.
template <class T, class S = T>
class Replay {
 public:
  explicit Replay(const SafetensorsFile& file, Perturbation perturb = {},
                  EngineOptions options = {})
      : file_(file),
        config_(nlohmann::json::parse(file.metadata("config"))),
        model_config_(image_config(file, config_)),
        perturb_(perturb),
        options_(options) {}

  Outcome run() {
    const std::string kind = config_.at("kind");
    if (kind == "image_denoise") {
      denoise();
    } else if (kind == "dit") {
      network();
    } else {
      diffusion();
    }
    return std::move(outcome_);
  }

 private:
  std::vector<T> read(const std::string& name) const {
    const std::vector<double> values = file_.read<double>(name);
    return {values.begin(), values.end()};
  }
  Tensor<const T> view(const std::vector<T>& values, const std::string& name) const {
    return {values.data(), file_.tensor(name).shape};
  }
  void append(const std::string& name, Tensor<const T> values) {
    outcome_[name].insert(outcome_[name].end(), values.begin(), values.end());
  }
  template <class Model>
  void load(Model& model) {
    uint64_t index = 0;
    for (const ParameterEntry& entry : model.layout().entries()) {
      file_.read("param." + entry.name, model.edit_weights().tensor(entry.name));
      perturb_(index++, model.edit_weights().tensor(entry.name));
    }
  }
  template <class Model>
  void record_gradients(Model& model) {
    for (const ParameterEntry& entry : model.layout().entries()) {
      append("grad." + entry.name, model.gradients().tensor(entry.name));
    }
  }
  // Images from `first` on of a recorded tensor.
  std::function<void(int64_t, Tensor<T>)> part_of(const std::string& name) {
    auto all = std::make_shared<std::vector<T>>(read(name));
    perturb_(1000 + std::hash<std::string>()(name) % 1000,
             Tensor<T>{all->data(), {static_cast<int64_t>(all->size())}});
    return [all](int64_t first, Tensor<T> out) {
      const int64_t each = out.count() / out.dim(0);
      std::copy_n(all->begin() + first * each, out.count(), out.begin());
    };
  }

  void denoise() {
    std::map<int, std::string> recorded_draws;
    for (const StoredTensor& tensor : file_.tensors()) {
      if (tensor.name.rfind("draw.", 0) == 0) {
        recorded_draws[std::stoi(tensor.name.substr(5))] = tensor.name;
      }
    }
    int next = 0;
    ImageThinkingConfig thinking = image_thinking(config_);
    ThinkingDraws<T> draws;
    draws.initial = part_of("in.noised");
    if (thinking.step_size_spread != 1) {
      draws.step_size = part_of(recorded_draws.at(next++));
    }
    int64_t steps = 0;
    for (int64_t i = 0; i < config_.at("mcmc_num_steps"); ++i) {
      steps += config_.at("randomize_mcmc_num_steps") > 0
                   ? file_.template read<int64_t>(recorded_draws.at(next++)).front()
                   : int64_t{1};
    }
    thinking.steps_max = steps;
    draws.landscapes = landscapes_of({steps});
    std::vector<std::function<void(int64_t, Tensor<T>)>> langevin;
    for (int64_t i = 0; i < steps && thinking.langevin_noise > 0; ++i) {
      langevin.push_back(part_of(recorded_draws.at(next++)));
    }
    draws.langevin = [&](int64_t step, int64_t first, Tensor<T> out) {
      langevin.at(static_cast<size_t>(step))(first, out);
    };
    const std::vector<T> real = read("in.real");
    const Tensor<const T> images = view(real, "in.real");
    ImageEbt<T, S> model(model_config_, thinking, {}, images.dim(0), options_);
    load(model);
    const LossSums sums = model.train_from(
        {images, 0, 1.0 / static_cast<double>(images.dim(0))}, draws,
        [&](int64_t step, int64_t /*first*/, Tensor<const T> after, Tensor<const T> energy) {
          append("out.x." + std::to_string(step), after);
          append("out.energy." + std::to_string(step), energy);
        });
    outcome_["out.loss"] = {sums.objective / static_cast<double>(sums.count)};
    record_gradients(model);
  }

  // What the published implementation computed with, to the bit.
  static void use_recorded_frequencies(Dit<T, S>& model) {
    const SafetensorsFile file(golden::folder() / "timestep_frequencies.safetensors");
    model.frequencies() = file.read<float>("frequencies");
  }

  void network() {
    const std::vector<T> x = read("in.x");
    const std::vector<T> cotangent = read("cotangent.y");
    const std::vector<int64_t> timesteps = file_.template read<int64_t>("in.t");
    const auto images = static_cast<int64_t>(timesteps.size());
    Dit<T, S> model(model_config_, images, options_);
    use_recorded_frequencies(model);
    load(model);
    append("out.y", model.predict(view(x, "in.x"), {timesteps.data(), {images}}));
    model.add_gradients(view(cotangent, "cotangent.y"));
    record_gradients(model);
  }

  void diffusion() {
    const NoiseSchedule schedule(config_.at("diffusion_steps"));
    const std::vector<T> real = read("in.real");
    const std::vector<T> noise = read("in.noise");
    const std::vector<int64_t> timesteps = file_.template read<int64_t>("in.loss_t");
    const auto images = static_cast<int64_t>(timesteps.size());
    const auto size = static_cast<int64_t>(real.size()) / images;
    const auto noisy_at = [&](const std::function<int64_t(int64_t)>& step) {
      std::vector<T> noisy(real.size());
      for (int64_t i = 0; i < images * size; ++i) {
        const auto at = static_cast<size_t>(i);
        const int64_t t = step(i / size);
        noisy[at] = static_cast<T>(schedule.signal(t)) * real[at] +
                    static_cast<T>(schedule.noise(t)) * noise[at];
      }
      return noisy;
    };
    Dit<T, S> model(model_config_, images, options_);
    use_recorded_frequencies(model);
    load(model);

    const std::vector<T> noisy =
        noisy_at([&](int64_t b) { return timesteps[static_cast<size_t>(b)]; });
    std::vector<T> mse(timesteps.size());
    std::vector<T> vb(timesteps.size());
    model.train_from({view(real, "in.real"), view(noise, "in.real"), view(noisy, "in.real"),
                      Tensor<const int64_t>{timesteps.data(), {images}}},
                     1.0 / static_cast<double>(images), {mse.data(), {images}},
                     {vb.data(), {images}});
    append("out.mse", {mse.data(), {images}});
    append("out.vb", {vb.data(), {images}});
    double loss = 0;
    for (size_t b = 0; b < mse.size(); ++b) {
      loss += static_cast<double>(mse[b]) + static_cast<double>(vb[b]);
    }
    outcome_["out.loss_mean"] = {loss / static_cast<double>(images)};
    record_gradients(model);

    const int64_t start = config_.at("t_start");
    std::vector<T> sample = noisy_at([&](int64_t) { return start; });
    append("out.q_sample_t99", view(sample, "in.real"));
    const std::vector<int64_t> steps = ddim_timesteps(start, start + 1);
    for (size_t i = 0; i < steps.size(); ++i) {
      const std::vector<int64_t> all(timesteps.size(), steps[i]);
      const Tensor<const T> output = model.predict(view(sample, "in.real"), {all.data(), {images}});
      ddim_step<T>(schedule, steps[i], i + 1 < steps.size() ? steps[i + 1] : -1, output,
                   {sample.data(), file_.tensor("in.real").shape});
    }
    append("out.ddim_from_t99", view(sample, "in.real"));
  }

  const SafetensorsFile& file_;
  nlohmann::json config_;
  ImageModelConfig model_config_;
  Perturbation perturb_;
  EngineOptions options_;
  Outcome outcome_;
};

// What the file holds of outputs, loss and gradients.
Outcome recorded(const SafetensorsFile& file) {
  return recorded_of(file, {"grad.", "out.x.", "out.energy.", "out.y", "out.mse", "out.vb",
                            "out.loss", "out.q_sample", "out.ddim"});
}

class GoldenImages : public testing::TestWithParam<std::string> {
 protected:
  const SafetensorsFile file_{golden::folder() / GetParam()};

  void compare(const Outcome& ours, const std::function<double(const std::string&)>& bound) {
    golden::expect_within(GetParam(), ours, recorded(file_), bound);
  }
  std::map<std::string, double> magnified_roundings(double size) {
    return golden::magnified_roundings(
        size, [&](const Perturbation& perturb) { return Replay<double>(file_, perturb).run(); });
  }
};

TEST_P(GoldenImages, MatchInDoublePrecision) {
  compare(Replay<double>(file_).run(), [](const std::string&) { return kDoubleBound; });
}

class GoldenThinkingAboutImages : public GoldenImages {};

TEST_P(GoldenThinkingAboutImages, MatchesInChunksOfAnySize) {
  for (const int64_t images : {1, 2}) {
    EngineOptions options;
    options.chunk_positions = images * 16;
    compare(Replay<double>(file_, {}, options).run(),
            [](const std::string&) { return kDoubleBound; });
  }
}

TEST_P(GoldenImages, MatchInSinglePrecision) {
  const auto magnified = magnified_roundings(kSingleRounding);
  compare(Replay<float>(file_).run(), [&](const std::string& name) {
    return std::max(kSingleBound, kRoundings * magnified.at(name));
  });
}

TEST_P(GoldenImages, MatchInBf16) {
  const auto magnified = magnified_roundings(kBf16Rounding);
  compare(Replay<float, Bfloat16>(file_).run(), [&](const std::string& name) {
    return std::max(kBf16Bound, kBf16Roundings * magnified.at(name));
  });
}

// The exponential function that made the published table is off by a unit in the last place here
// and there: a timestep of 999 makes 6e-5 of it, more than float64 files allow.
TEST(GoldenTimesteps, FrequenciesAreThePublishedOnesUpToOneRounding) {
  const SafetensorsFile file(golden::folder() / "timestep_frequencies.safetensors");
  const std::vector<float> recorded = file.read<float>("frequencies");
  const std::vector<float> ours = timestep_frequencies();
  ASSERT_EQ(ours.size(), recorded.size());
  for (size_t i = 0; i < ours.size(); ++i) {
    EXPECT_NEAR(ours[i], recorded[i], 0x1p-23 * recorded[i]) << i;
  }
}

std::string name_of(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param.substr(0, info.param.find('.'));
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    Files, GoldenImages,
    testing::ValuesIn(golden::files({"image_denoise", "dit", "dit_diffusion"})), name_of);
INSTANTIATE_TEST_SUITE_P(Files, GoldenThinkingAboutImages,
                         testing::ValuesIn(golden::files({"image_denoise"})), name_of);

}  // namespace
}  // namespace ebt
