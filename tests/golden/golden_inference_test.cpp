// Replays every recorded inference of the published implementation on the engine that generates
// text: cached, incremental, one text per recorded row, every prefix a question.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>

#include "ebt/core/bfloat16.h"
#include "ebt/model/sequence_weights.h"
#include "ebt/think/text_generator.h"
#include "tests/support/golden.h"
#include "tests/support/golden_bounds.h"

namespace ebt {
namespace {

using namespace golden;

ThinkOptions think_options(const nlohmann::json& config) {
  ThinkOptions options;
  const int64_t steps = config.at("infer_ebt_num_steps");
  const bool one_landscape = config.at("ebt_type") == "default";
  options.steps = one_landscape && steps == 1 ? 0 : steps;
  const auto landscapes = [&](const char* key) {
    return config.at(key).get<bool>() ? Landscapes::kFinal : Landscapes::kAll;
  };
  options.steps_on = landscapes("infer_steps_final_landscape");
  options.step_size_on = landscapes("infer_alpha_final_landscape");
  const double alpha = config.at("infer_ebt_override_alpha");
  (alpha >= 1 ? options.step_size : options.step_size_scale) = alpha == 0 ? 1 : alpha;
  if (alpha == 0) {
    options.step_size = 0;
  }
  options.langevin_noise = config.at("infer_langevin_dynamics_noise");
  options.accept_lower = config.at("infer_accept_lower_energies");
  options.candidates = config.at("infer_generated_samples");
  const std::string choose = config.at("infer_energy_sampling_technique");
  options.choose = choose == "min"   ? CandidateChoice::kMin
                   : choose == "max" ? CandidateChoice::kMax
                                     : CandidateChoice::kDrop;
  return options;
}

std::vector<double> log_softmax(const double* logits, int64_t count) {
  const double largest = *std::max_element(logits, logits + count);
  double total = 0;
  for (int64_t i = 0; i < count; ++i) {
    total += std::exp(logits[i] - largest);
  }
  std::vector<double> result;
  for (int64_t i = 0; i < count; ++i) {
    result.push_back(logits[i] - largest - std::log(total));
  }
  return result;
}

template <class T, class S = T>
class Replay {
 public:
  explicit Replay(const SafetensorsFile& file, Perturbation perturb = {}, int64_t texts = 2)
      : file_(file),
        config_(nlohmann::json::parse(file.metadata("config"))),
        perturb_(perturb),
        texts_(texts),
        options_(think_options(config_)) {
    const Shape shape = file.tensor("input_ids").shape;
    rows_ = shape[0];
    positions_ = shape[1];
    model_ = golden::model_config(file, config_);
    model_.context = positions_;
    for (const StoredTensor& tensor : file.tensors()) {
      if (tensor.name.rfind("draw.", 0) == 0) {
        draws_[std::stoi(tensor.name.substr(5))] = read(tensor.name);
      }
    }
  }

  Outcome run() {
    auto layout = std::make_unique<ParameterLayout>(text_model_layout(model_));
    ParameterBlock<T> weights(*layout);
    uint64_t index = 0;
    for (const ParameterEntry& entry : layout->entries()) {
      file_.read("param." + entry.name, weights.tensor(entry.name));
      perturb_(index++, weights.tensor(entry.name));
    }
    TextGenerator<T, S> generator(model_, golden::thinking_config(config_), std::move(layout),
                                  std::move(weights), texts_, noise());
    generator.observe([&](const ThoughtView<T>& view) { record(view); });
    const auto ids = file_.template read<int64_t>("input_ids");
    outcome_["out.final_logits"].resize(
        static_cast<size_t>(rows_ * positions_ * model_.vocab_size));
    for (int64_t row = 0; row < rows_; ++row) {
      GenerationRequest request;
      request.prompt.assign(ids.begin() + row * positions_, ids.begin() + (row + 1) * positions_);
      request.score_from = 1;
      request.max_tokens = 1;
      request.think = options_;
      request.think.seed = static_cast<uint64_t>(row);
      request.top_tokens = model_.vocab_size;
      generator.submit(std::move(request),
                       {[this, row, position = int64_t{0}](const TokenReport& report) mutable {
                          record(report, row, position++);
                        },
                        {}});
    }
    while (generator.step()) {
    }
    return std::move(outcome_);
  }

 private:
  std::vector<T> read(const std::string& name) {
    std::vector<T> values(static_cast<size_t>(file_.tensor(name).shape.count()));
    const Tensor<T> view{values.data(), {static_cast<int64_t>(values.size())}};
    file_.read(name, Tensor<T>{values.data(), file_.tensor(name).shape});
    perturb_(1000 + std::hash<std::string>()(name) % 1000, view);
    return values;
  }
  // Row of candidates (B G, S) that an address belongs to.
  int64_t row_of(const NoiseAddress& at) const {
    return static_cast<int64_t>(at.seed) * options_.candidates + at.candidate;
  }
  void copy_draw(int draw, int64_t row, int64_t position, Tensor<T> out) const {
    const int64_t first = (row * positions_ + position - 1) * model_.vocab_size;
    std::copy_n(draws_.at(draw).begin() + first, model_.vocab_size, out.begin());
  }
  // Draws come in the order in which the published implementation takes them: those of all starts
  // (twice where there are several candidates), then those of every step of the first B rows of
  // candidates, of the next B, ...
  ThinkingNoise<T> noise() {
    const int starts = options_.candidates > 1 ? 2 : 1;
    const int steps =
        static_cast<int>((static_cast<int64_t>(draws_.size()) - starts) / options_.candidates);
    return {[this, starts](const NoiseAddress& at, Tensor<T> out) {
              copy_draw(starts - 1, row_of(at), at.position, out);
            },
            [this, starts, steps](const NoiseAddress& at, int64_t step, Tensor<T> out) {
              const int64_t row = row_of(at);
              const int draw = starts + static_cast<int>(row / rows_) * steps;
              copy_draw(draw + static_cast<int>(step), row % rows_, at.position, out);
            }};
  }
  void put(const std::string& name, int64_t at, int64_t all, const T* values, int64_t count) {
    std::vector<double>& all_values = outcome_[name];
    all_values.resize(static_cast<size_t>(all));
    std::copy_n(values, count, all_values.begin() + at);
  }
  void record(const ThoughtView<T>& view) {
    const int64_t cell = row_of(view.noise) * positions_ + view.noise.position - 1;
    const int64_t cells = rows_ * options_.candidates * positions_;
    const auto energy = static_cast<T>(view.energy);
    put("out.energy." + std::to_string(view.step), cell, cells, &energy, 1);
    const int64_t v = model_.vocab_size;
    put("out.state." + std::to_string(view.step), cell * v, cells * v, view.logits.data, v);
  }
  void record(const TokenReport& report, int64_t row, int64_t position) {
    const int64_t first = (row * positions_ + position) * model_.vocab_size;
    for (const TokenProbability& entry : report.top) {
      outcome_["out.final_logits"][static_cast<size_t>(first + entry.token)] =
          entry.log_probability;
    }
  }

  const SafetensorsFile& file_;
  nlohmann::json config_;
  Perturbation perturb_;
  int64_t texts_;
  ThinkOptions options_;
  TextModelConfig model_;
  int64_t rows_ = 0, positions_ = 0;
  std::map<int, std::vector<T>> draws_;
  Outcome outcome_;
};

// What the file holds; final logits as log probabilities.
Outcome recorded(const SafetensorsFile& file) {
  Outcome outcome = recorded_of(file, {"out."});
  const int64_t vocab = file.tensor("out.final_logits").shape[2];
  std::vector<double>& logits = outcome["out.final_logits"];
  for (size_t at = 0; at < logits.size(); at += static_cast<size_t>(vocab)) {
    const std::vector<double> row = log_softmax(logits.data() + at, vocab);
    std::copy(row.begin(), row.end(), logits.begin() + static_cast<int64_t>(at));
  }
  return outcome;
}

class GoldenInference : public testing::TestWithParam<std::string> {
 protected:
  const SafetensorsFile file_{golden::folder() / GetParam()};

  void compare(const Outcome& ours, const std::function<double(const std::string&)>& bound) {
    golden::expect_within(GetParam(), ours, recorded(file_), bound);
  }
  std::map<std::string, double> magnified_roundings(double size) const {
    return golden::magnified_roundings(
        size, [&](const Perturbation& perturb) { return Replay<double>(file_, perturb).run(); });
  }
};

TEST_P(GoldenInference, MatchesInDoublePrecision) {
  compare(Replay<double>(file_).run(), [](const std::string&) { return kDoubleBound; });
}

TEST_P(GoldenInference, DoesNotDependOnHowManyTextsShareAPass) {
  const Outcome alone = Replay<double>(file_, {}, 1).run();
  EXPECT_EQ(Replay<double>(file_, {}, 3).run(), alone);
  const Outcome alone_in_bf16 = Replay<float, Bfloat16>(file_, {}, 1).run();
  EXPECT_EQ((Replay<float, Bfloat16>(file_, {}, 3).run()), alone_in_bf16);
}

TEST_P(GoldenInference, MatchesInSinglePrecision) {
  const auto magnified = magnified_roundings(kSingleRounding);
  compare(Replay<float>(file_).run(), [&](const std::string& name) {
    return std::max(kSingleBound, kRoundings * magnified.at(name));
  });
}

TEST_P(GoldenInference, MatchesInBf16) {
  const auto magnified = magnified_roundings(kBf16Rounding);
  compare(Replay<float, Bfloat16>(file_).run(), [&](const std::string& name) {
    return std::max(kBf16Bound, kBf16Roundings * magnified.at(name));
  });
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenInference, testing::ValuesIn(golden::files({"nlp_infer"})),
                         [](const auto& info) {
                           std::string name = info.param.substr(0, info.param.find('.'));
                           std::replace_if(
                               name.begin(), name.end(),
                               [](char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

}  // namespace
}  // namespace ebt
