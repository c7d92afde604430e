// Replays every recorded training step of the published implementation: outputs, losses and the
// gradient of every weight, in float64 and float32.
#include "tests/support/golden.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "ebt/backward/text_ebt.h"
#include "ebt/model/transformer_pp.h"

namespace ebt {
namespace {

// Every tensor that one training step gives: by its name in the file.
using Outcome = std::map<std::string, std::vector<double>>;

// float64 leaves only the order of sums; 3.5e-13 is the worst measured.
constexpr double kDoubleBound = 1e-9;
// float32 rounds at 6e-8, and a step adds some thousand roundings up: 1e-5 is typical.
constexpr double kSingleBound = 1e-4;
// A step can magnify roundings, above all where several steps are differentiated through: then no
// float32 program stays below the bound, and what can be asked is that the result is the exact one
// of inputs that differ from the recorded ones by a few roundings. So the same step is taken in
// float64 from weights and draws that are off by at most one rounding each, and a tensor may be off
// by this many times what that changes.
constexpr double kRoundings = 32;
constexpr int kPerturbations = 4;

// Multiplies values by 1 + 2^-24 u, u uniform in [-1, 1]; not at all for seed 0.
template <class T>
void perturb(uint64_t seed, uint64_t tensor, Tensor<T> values) {
  if (seed == 0) {
    return;
  }
  const RandomStream stream{seed, RandomPurpose::kSampling, tensor};
  for (int64_t i = 0; i < values.count(); ++i) {
    values[i] *=
        static_cast<T>(1.0 + 0x1p-24 * (2.0 * stream.uniform(static_cast<uint64_t>(i)) - 1.0));
  }
}

// A recorded step, taken again. Draws come in the order in which the published implementation took
// them.
template <class T>
class Replay {
 public:
  Replay(const SafetensorsFile& file, uint64_t perturbation_seed)
      : file_(file),
        config_(nlohmann::json::parse(file.metadata("config"))),
        seed_(perturbation_seed),
        model_config_(golden::model_config(file, config_)),
        batch_(golden::batch(file, config_)) {
    for (const StoredTensor& tensor : file.tensors()) {
      if (tensor.name.rfind("draw.", 0) == 0) {
        draws_[std::stoi(tensor.name.substr(5))] = tensor.name;
      }
    }
    rows_.inputs = batch_.input_view();
    rows_.targets = batch_.target_view();
    rows_.inverse_token_count =
        1.0 / static_cast<double>(std::count_if(batch_.targets.begin(), batch_.targets.end(),
                                                [](int32_t target) { return target >= 0; }));
  }

  Outcome run() {
    if (model_config_.arch == Architecture::kEbt) {
      energy_model();
    } else {
      baseline();
    }
    return std::move(outcome_);
  }

 private:
  void record(const std::string& name, Tensor<const T> values) {
    outcome_[name] = std::vector<double>(values.begin(), values.end());
  }
  void load(TextModel<T>& model) {
    uint64_t index = 0;
    for (const ParameterEntry& entry : model.layout().entries()) {
      file_.read("param." + entry.name, model.weights().tensor(entry.name));
      perturb(seed_, index++, model.weights().tensor(entry.name));
    }
  }
  void finish(TextModel<T>& model, const LossSums& sums) {
    outcome_["out.loss"] = {sums.objective / static_cast<double>(sums.token_count)};
    for (const ParameterEntry& entry : model.layout().entries()) {
      record("grad." + entry.name, model.gradients().tensor(entry.name));
    }
  }
  std::function<void(Tensor<T>)> next_draw() {
    const std::string name = draws_.at(next_draw_++);
    return [this, name](Tensor<T> out) {
      file_.read(name, out.reshape(file_.tensor(name).shape));
      perturb(seed_, 1000 + std::hash<std::string>()(name) % 1000, out);
    };
  }

  void energy_model() {
    ThinkingConfig thinking = golden::thinking_config(config_);
    ThinkingDraws<T> draws;
    if (thinking.step_size_spread != 1) {
      draws.step_size = next_draw();
    }
    if (thinking.initial != InitialPrediction::kZeros) {
      draws.initial = next_draw();
    }
    int64_t steps = 0;
    for (int64_t i = 0; i < model_config_.landscapes; ++i) {
      const bool random = config_.at("randomize_mcmc_num_steps") > 0;
      draws.repeats.push_back(random ? file_.read<int64_t>(draws_.at(next_draw_++)).front()
                                     : int64_t{1});
      steps += draws.repeats.back();
      thinking.steps_max = std::max(thinking.steps_max, draws.repeats.back());
    }
    std::vector<std::function<void(Tensor<T>)>> langevin;
    for (int64_t i = 0; i < steps && thinking.langevin_noise > 0; ++i) {
      langevin.push_back(next_draw());
    }
    draws.langevin = [&](int64_t step, Tensor<T> out) {
      langevin.at(static_cast<size_t>(step))(out);
    };
    TextEbt<T> model(model_config_, thinking, batch_.rows, batch_.context, true);
    load(model);
    const LossSums sums = model.train_from(
        rows_, draws, [&](int64_t step, Tensor<const T> logits, Tensor<const T> energy) {
          record("out.logits." + std::to_string(step), logits);
          record("out.energy." + std::to_string(step), energy);
        });
    finish(model, sums);
  }

  void baseline() {
    TransformerPp<T> model(model_config_, batch_.rows, batch_.context, true);
    load(model);
    record("out.logits", model.logits(rows_.inputs, true));
    finish(model, model.train(rows_, 0, 0));
  }

  const SafetensorsFile& file_;
  nlohmann::json config_;
  uint64_t seed_;
  ModelConfig model_config_;
  Batch batch_;
  TrainingRows<T> rows_;
  std::map<int, std::string> draws_;
  int next_draw_ = 0;
  Outcome outcome_;
};

// What the file holds of outputs, loss and gradients.
Outcome recorded(const SafetensorsFile& file) {
  Outcome outcome;
  for (const StoredTensor& tensor : file.tensors()) {
    for (const char* prefix : {"grad.", "out.logits", "out.energy", "out.loss"}) {
      if (tensor.name.rfind(prefix, 0) == 0) {
        outcome[tensor.name] = file.read<double>(tensor.name);
      }
    }
  }
  return outcome;
}

class Golden : public testing::TestWithParam<std::string> {
 protected:
  const SafetensorsFile file_{golden::folder() / GetParam()};

  // Every recorded tensor within its bound of ours.
  void compare(const Outcome& ours, const std::function<double(const std::string&)>& bound) {
    double worst = 0;
    for (const auto& [name, values] : recorded(file_)) {
      ASSERT_TRUE(ours.count(name) > 0) << name << " has no counterpart";
      ASSERT_EQ(ours.at(name).size(), values.size()) << name;
      const double error = golden::relative_error(ours.at(name), values);
      EXPECT_LE(error, bound(name)) << name;
      worst = std::max(worst, error);
    }
    std::printf("%-44s worst relative error %.2e\n", GetParam().c_str(), worst);
  }
};

TEST_P(Golden, MatchesInDoublePrecision) {
  compare(Replay<double>(file_, 0).run(), [](const std::string&) { return kDoubleBound; });
}

TEST_P(Golden, MatchesInSinglePrecision) {
  const Outcome exact = Replay<double>(file_, 0).run();
  std::map<std::string, double> magnified;  // what one rounding of the inputs changes
  for (uint64_t seed = 1; seed <= kPerturbations; ++seed) {
    for (const auto& [name, values] : Replay<double>(file_, seed).run()) {
      magnified[name] = std::max(magnified[name], golden::relative_error(values, exact.at(name)));
    }
  }
  compare(Replay<float>(file_, 0).run(), [&](const std::string& name) {
    return std::max(kSingleBound, kRoundings * magnified[name]);
  });
}

INSTANTIATE_TEST_SUITE_P(Files, Golden,
                         testing::ValuesIn(golden::files({"nlp_train", "transformer_pp"})),
                         [](const auto& info) {
                           std::string name = info.param.substr(0, info.param.find('.'));
                           std::replace_if(
                               name.begin(), name.end(),
                               [](char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

}  // namespace
}  // namespace ebt
