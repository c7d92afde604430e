// Replays every recorded training step of the published implementation: outputs, losses and the
// gradient of every weight, in float64, float32 and bf16.
#include "tests/support/golden.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>

#include "ebt/model/transformer_pp.h"
#include "ebt/think/text_ebt.h"
#include "tests/support/golden_bounds.h"

namespace ebt {
namespace {

using namespace golden;

// A recorded step, taken again. Draws come in the order in which the published implementation took
// them.
template <class T, class S = T>
class Replay {
 public:
  explicit Replay(const SafetensorsFile& file, Perturbation perturb = {},
                  EngineOptions options = {})
      : file_(file),
        config_(nlohmann::json::parse(file.metadata("config"))),
        perturb_(perturb),
        options_(options),
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
  // Chunks come in order.
  void append(const std::string& name, Tensor<const T> values) {
    outcome_[name].insert(outcome_[name].end(), values.begin(), values.end());
  }
  void load(TextModel<T>& model) {
    uint64_t index = 0;
    for (const ParameterEntry& entry : model.layout().entries()) {
      file_.read("param." + entry.name, model.edit_weights().tensor(entry.name));
      perturb_(index++, model.edit_weights().tensor(entry.name));
    }
  }
  void finish(TextModel<T>& model, const LossSums& sums) {
    outcome_["out.loss"] = {sums.objective / static_cast<double>(sums.count)};
    for (const ParameterEntry& entry : model.layout().entries()) {
      record("grad." + entry.name, model.gradients().tensor(entry.name));
    }
  }
  // The positions from `first` on of a recorded draw.
  std::function<void(int64_t, Tensor<T>)> next_draw() {
    const std::string name = draws_.at(next_draw_++);
    const Shape shape = file_.tensor(name).shape;
    auto all = std::make_shared<std::vector<T>>(static_cast<size_t>(shape.count()));
    file_.read(name, Tensor<T>{all->data(), shape});
    perturb_(1000 + std::hash<std::string>()(name) % 1000, Tensor<T>{all->data(), shape});
    return [all](int64_t first, Tensor<T> out) {
      const int64_t each = out.count() / out.dim(0);
      std::copy_n(all->begin() + first * each, out.count(), out.begin());
    };
  }

  void energy_model() {
    TextThinkingConfig thinking = golden::thinking_config(config_);
    ThinkingDraws<T> draws;
    if (thinking.step_size_spread != 1) {
      draws.step_size = next_draw();
    }
    if (thinking.initial != InitialPrediction::kZeros) {
      draws.initial = [draw = next_draw(), scale = static_cast<T>(thinking.initial_scale)](
                          int64_t first, Tensor<T> out) {
        draw(first, out);
        std::transform(out.begin(), out.end(), out.begin(), [=](T x) { return scale * x; });
      };
    }
    std::vector<int64_t> repeats;
    for (int64_t i = 0; i < model_config_.landscapes; ++i) {
      const bool random = config_.at("randomize_mcmc_num_steps") > 0;
      repeats.push_back(random ? file_.read<int64_t>(draws_.at(next_draw_++)).front() : int64_t{1});
      thinking.steps_max = std::max(thinking.steps_max, repeats.back());
    }
    draws.landscapes = landscapes_of(repeats);
    std::vector<std::function<void(int64_t, Tensor<T>)>> langevin;
    for (size_t i = 0; i < draws.landscapes.size() && thinking.langevin_noise > 0; ++i) {
      langevin.push_back(next_draw());
    }
    draws.langevin = [&](int64_t step, int64_t first, Tensor<T> out) {
      langevin.at(static_cast<size_t>(step))(first, out);
    };
    TextEbt<T, S> model(model_config_, thinking, batch_.rows, batch_.context, options_);
    load(model);
    const LossSums sums = model.train_from(
        rows_, draws,
        [&](int64_t step, int64_t /*first*/, Tensor<const T> logits, Tensor<const T> energy) {
          append("out.logits." + std::to_string(step), logits);
          append("out.energy." + std::to_string(step), energy);
        });
    finish(model, sums);
  }

  void baseline() {
    TransformerPp<T, S> model(model_config_, batch_.rows, batch_.context, options_);
    load(model);
    const LossSums sums = model.train_observed(
        rows_, [&](int64_t /*first*/, Tensor<const T> logits) { append("out.logits", logits); });
    finish(model, sums);
  }

  const SafetensorsFile& file_;
  nlohmann::json config_;
  Perturbation perturb_;
  EngineOptions options_;
  TextModelConfig model_config_;
  Batch batch_;
  TrainingRows<T> rows_;
  std::map<int, std::string> draws_;
  int next_draw_ = 0;
  Outcome outcome_;
};

// What the file holds of outputs, loss and gradients.
Outcome recorded(const SafetensorsFile& file) {
  return recorded_of(file, {"grad.", "out.logits", "out.energy", "out.loss"});
}

class Golden : public testing::TestWithParam<std::string> {
 protected:
  const SafetensorsFile file_{golden::folder() / GetParam()};

  void compare(const Outcome& ours, const std::function<double(const std::string&)>& bound) {
    golden::expect_within(GetParam(), ours, recorded(file_), bound);
  }
};

std::map<std::string, double> magnified_roundings(const SafetensorsFile& file, double size) {
  return golden::magnified_roundings(
      size, [&](const Perturbation& perturb) { return Replay<double>(file, perturb).run(); });
}

TEST_P(Golden, MatchesInDoublePrecision) {
  compare(Replay<double>(file_).run(), [](const std::string&) { return kDoubleBound; });
}

TEST_P(Golden, MatchesInChunksOfAnySizeAndWithRecomputation) {
  for (const int64_t positions : {1, 2, 3, 5}) {
    EngineOptions options;
    options.chunk_positions = positions;
    options.recompute = positions % 2 == 1;
    compare(Replay<double>(file_, {}, options).run(),
            [](const std::string&) { return kDoubleBound; });
  }
}

TEST_P(Golden, MatchesInSinglePrecision) {
  const auto magnified = magnified_roundings(file_, kSingleRounding);
  compare(Replay<float>(file_).run(), [&](const std::string& name) {
    return std::max(kSingleBound, kRoundings * magnified.at(name));
  });
}

TEST_P(Golden, MatchesInBf16) {
  const auto magnified = magnified_roundings(file_, kBf16Rounding);
  compare(Replay<float, Bfloat16>(file_).run(), [&](const std::string& name) {
    return std::max(kBf16Bound, kBf16Roundings * magnified.at(name));
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
