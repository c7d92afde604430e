// Replays every recorded training step of the published implementation: outputs, losses and the
// gradient of every weight, in float64 and float32.
#include <gtest/gtest.h>

#include <map>

#include "ebt/backward/text_ebt.h"
#include "ebt/model/transformer_pp.h"
#include "tests/support/golden.h"

namespace ebt {
namespace {

using golden::relative_error;

// Bounds on |ours - recorded| / |recorded| of every tensor. float64 leaves only the order of sums.
// float32 carries 6e-8 per operation through some thousand of them; the worst tensor measured is
// 4e-6 (see docs/architecture.md), and a wrong term would be off by far more than the bound.
template <class T>
constexpr double kBound = 1e-9;
template <>
constexpr double kBound<float> = 1e-4;

// Recorded draws in the order in which the published implementation takes them.
class Draws {
 public:
  explicit Draws(const SafetensorsFile& file) : file_(file) {
    for (const StoredTensor& tensor : file.tensors()) {
      if (tensor.name.rfind("draw.", 0) == 0) {
        names_[std::stoi(tensor.name.substr(5))] = tensor.name;
      }
    }
  }
  const std::string& next() { return names_.at(at_++); }
  template <class T>
  void read(const std::string& name, Tensor<T> out) const {
    const auto values = file_.read<T>(name);
    ASSERT_EQ(static_cast<int64_t>(values.size()), out.count());
    std::copy(values.begin(), values.end(), out.begin());
  }

 private:
  const SafetensorsFile& file_;
  std::map<int, std::string> names_;
  int at_ = 0;
};

template <class T>
void load_weights(const SafetensorsFile& file, TextModel<T>& model) {
  for (const ParameterEntry& entry : model.layout().entries()) {
    file.read("param." + entry.name, model.weights().tensor(entry.name));
  }
}

template <class T>
void expect_close(const SafetensorsFile& file, const std::string& name, Tensor<const T> ours,
                  double* worst) {
  ASSERT_TRUE(file.contains(name)) << name;
  const double error = relative_error<T>(ours, file.read<double>(name));
  *worst = std::max(*worst, error);
  EXPECT_LE(error, kBound<T>) << name;
}

template <class T>
void expect_gradients(const SafetensorsFile& file, TextModel<T>& model, double* worst) {
  int compared = 0;
  for (const ParameterEntry& entry : model.layout().entries()) {
    const std::string name = "grad." + entry.name;
    if (file.contains(name)) {
      expect_close<T>(file, name, model.gradients().tensor(entry.name), worst);
      ++compared;
    }
  }
  int recorded = 0;
  for (const StoredTensor& tensor : file.tensors()) {
    recorded += tensor.name.rfind("grad.", 0) == 0 ? 1 : 0;
  }
  EXPECT_EQ(compared, recorded) << "a recorded gradient has no counterpart";
}

template <class T>
double replay_ebt(const SafetensorsFile& file, const nlohmann::json& config) {
  const ModelConfig model_config = golden::model_config(file, config);
  ThinkingConfig thinking = golden::thinking_config(config);
  Batch batch = golden::batch(file, config);
  Draws recorded(file);
  ThinkingDraws<T> draws;
  if (thinking.step_size_spread != 1) {
    draws.step_size = [&recorded, name = recorded.next()](Tensor<T> out) {
      recorded.read(name, out);
    };
  }
  if (thinking.initial != InitialPrediction::kZeros) {
    draws.initial = [&recorded, name = recorded.next()](Tensor<T> out) {
      recorded.read(name, out);
    };
  }
  int64_t steps = 0;
  for (int64_t i = 0; i < model_config.landscapes; ++i) {
    const bool random = config.at("randomize_mcmc_num_steps") > 0;
    draws.repeats.push_back(random ? file.read<int64_t>(recorded.next()).front() : 1);
    steps += draws.repeats.back();
    thinking.steps_max = std::max(thinking.steps_max, draws.repeats.back());
  }
  std::vector<std::string> langevin;
  for (int64_t i = 0; i < steps && thinking.langevin_noise > 0; ++i) {
    langevin.push_back(recorded.next());
  }
  draws.langevin = [&](int64_t step, Tensor<T> out) {
    recorded.read(langevin.at(static_cast<size_t>(step)), out);
  };

  TextEbt<T> model(model_config, thinking, batch.rows, batch.context, true);
  load_weights(file, model);
  TrainingRows<T> rows;
  rows.inputs = batch.input_view();
  rows.targets = batch.target_view();
  int64_t valid = 0;
  for (const int32_t target : batch.targets) {
    valid += target >= 0 ? 1 : 0;
  }
  rows.inverse_token_count = 1.0 / static_cast<double>(valid);
  double worst = 0;
  int64_t observed = 0;
  const LossSums sums =
      model.train_from(rows, draws, [&](int64_t step, Tensor<const T> logits, Tensor<const T> energy) {
        expect_close(file, "out.logits." + std::to_string(step), logits, &worst);
        expect_close(file, "out.energy." + std::to_string(step), energy, &worst);
        ++observed;
      });
  EXPECT_EQ(observed, steps);
  EXPECT_FALSE(file.contains("out.logits." + std::to_string(steps)));
  const T loss = static_cast<T>(sums.objective / static_cast<double>(sums.token_count));
  expect_close<T>(file, "out.loss", {&loss, {1}}, &worst);
  expect_gradients(file, model, &worst);
  return worst;
}

template <class T>
double replay_transformer(const SafetensorsFile& file, const nlohmann::json& config) {
  const ModelConfig model_config = golden::model_config(file, config);
  Batch batch = golden::batch(file, config);
  TransformerPp<T> model(model_config, batch.rows, batch.context, true);
  load_weights(file, model);
  double worst = 0;
  expect_close<T>(file, "out.logits", model.logits(batch.input_view(), true), &worst);
  TrainingRows<T> rows;
  rows.inputs = batch.input_view();
  rows.targets = batch.target_view();
  int64_t valid = 0;
  for (const int32_t target : batch.targets) {
    valid += target >= 0 ? 1 : 0;
  }
  rows.inverse_token_count = 1.0 / static_cast<double>(valid);
  const LossSums sums = model.train(rows, 0, 0);
  const T loss = static_cast<T>(sums.objective / static_cast<double>(sums.token_count));
  expect_close<T>(file, "out.loss", {&loss, {1}}, &worst);
  expect_gradients(file, model, &worst);
  return worst;
}

class Golden : public testing::TestWithParam<std::string> {
 protected:
  template <class T>
  void replay() {
    const SafetensorsFile file(golden::folder() / GetParam());
    const auto config = nlohmann::json::parse(file.metadata("config"));
    const double worst = config.at("kind") == "transformer_pp"
                             ? replay_transformer<T>(file, config)
                             : replay_ebt<T>(file, config);
    RecordProperty("worst_relative_error", std::to_string(worst));
    std::printf("%-44s worst relative error %.2e\n", GetParam().c_str(), worst);
  }
};

TEST_P(Golden, MatchesInDoublePrecision) { replay<double>(); }
TEST_P(Golden, MatchesInSinglePrecision) { replay<float>(); }

INSTANTIATE_TEST_SUITE_P(Files, Golden,
                         testing::ValuesIn(golden::files({"nlp_train", "transformer_pp"})),
                         [](const auto& info) {
                           std::string name = info.param.substr(0, info.param.find('.'));
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; },
                               '_');
                           return name;
                         });

}  // namespace
}  // namespace ebt
