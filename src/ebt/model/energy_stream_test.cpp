// The energy of a whole model, its gradient in the candidates, and the second-order sweep into
// every weight, through both streams and the landscape's vectors, against nested dual numbers.
#include <gtest/gtest.h>

#include <utility>

#include "ebt/model/causal_landscape.h"
#include "tests/support/dual.h"
#include "tests/support/model_reference.h"
#include "tests/support/numeric.h"

namespace ebt::testing {
namespace {

using reference::Array;

constexpr int64_t kBatch = 2;
constexpr int64_t kContext = 3;
constexpr int64_t kLandscape = 1;

TextModelConfig tiny(EbtType type) {
  TextModelConfig config;
  config.type = type;
  config.layers = 2;
  config.width = 4;
  config.heads = 2;
  config.ffn_multiplier = 0.75;
  config.vocab_size = 5;
  config.context = kContext;
  config.landscapes = 2;
  config.norm_eps = 1e-2;
  config.rope_theta = 50;
  return config;
}

// A model with random weights, candidates and cotangents, and everything that the streams need.
struct EnergyModel {
  TextModelConfig config;
  int64_t first_query;
  int64_t queries;
  ParameterLayout layout;
  ParameterBlock<double> weights, grads;
  SequenceOperands<double, double> operands;
  SequenceWeights<double> grad_views;
  Array<int32_t> tokens;
  Array<double> e, e_dot, energy_bar;

  Arena arena;
  CausalContext<double, double> context;
  ebt::PredictionStream<double, double> predictions;
  SweepSpace<double, double> space;
  RotaryTable<double> rotary;

  EnergyModel(EbtType type, int64_t first, Keep keep)
      : config(tiny(type)),
        first_query(first),
        queries(kContext - first),
        layout(text_model_layout(config)),
        weights(layout),
        grads(layout),
        operands(config, text_weights<const double>(config, std::as_const(weights))),
        grad_views(text_weights<double>(config, grads)),
        tokens({kBatch, kContext}),
        e({kBatch, queries, config.width}),
        e_dot(e.shape),
        energy_bar({kBatch, queries}),
        arena(size_t{1} << 20U),
        context(arena, config, kBatch, kContext, keep,
                ContextWork<double, double>::take(arena, config, kBatch, kContext, keep)),
        predictions(arena, shape(), Pooling::kNone, true),
        space(SweepSpace<double, double>::take(arena, shape())),
        rotary(kContext + config.lead() + 1, config.head_width(), config.rope_theta) {
    tokens.values = {4, 0, 2, 2, 2, 1};
    const std::vector<double> all = normal_draws(layout.count(), 1);
    std::copy(all.begin(), all.end(), weights.all().begin());
    e.values = normal_draws(e.shape.count(), 2);
    e_dot.values = normal_draws(e.shape.count(), 3);
    energy_bar.values = normal_draws(energy_bar.shape.count(), 4);
  }

  StackShape shape() const { return {config, config.layers, kBatch, queries}; }
  CausalLandscape<double, double> landscape() {
    return {config, operands.views(), rotary, context, 0, first_query, queries};
  }
  ebt::PredictionStream<double, double>::Params at() { return landscape().params(); }
  ebt::PredictionStream<double, double>::Grads gradients() { return landscape().grads(grad_views); }
  std::vector<double> forward() {
    context.forward(operands.views(), rotary, {{tokens.values.data(), tokens.shape}, {}},
                    kLandscape);
    std::copy(e.values.begin(), e.values.end(), predictions.embedded().begin());
    const Tensor<const double> energy = predictions.forward(at());
    return {energy.begin(), energy.end()};
  }
  // Carries what the streams left in the cotangents of the context and of the landscape's vectors
  // into the gradients.
  void finish_gradients() { context.vjp(operands.views(), rotary, grad_views); }

  // The reference's energies with an outer direction at one weight, or at one entry of e, and e_dot
  // as the inner one.
  std::vector<SecondDual> along(int64_t weight, int64_t candidate) const {
    reference::NamedWeights<SecondDual> named;
    for (const ParameterEntry& entry : layout.entries()) {
      Array<SecondDual> array(entry.shape);
      for (int64_t i = 0; i < entry.shape.count(); ++i) {
        const int64_t index = entry.offset + i;
        array.values[static_cast<size_t>(i)] = {{weights.all()[index], 0.0},
                                                {index == weight ? 1.0 : 0.0, 0.0}};
      }
      named.emplace(entry.name, array);
    }
    Array<SecondDual> x(e.shape);
    for (size_t i = 0; i < x.values.size(); ++i) {
      x.values[i] = {{e.values[i], e_dot.values[i]},
                     {static_cast<int64_t>(i) == candidate ? 1.0 : 0.0, 0.0}};
    }
    return reference::energies(config, named, tokens, kLandscape, x, first_query).values;
  }
};

// Sums over the energies of (first, ones), (first, energy_bar) and (mixed, ones).
struct Pairings {
  double gradient = 0;
  double carried = 0;
  double second = 0;

  Pairings(const std::vector<SecondDual>& energies, const std::vector<double>& energy_bar) {
    for (size_t k = 0; k < energies.size(); ++k) {
      gradient += energies[k].slope.value;
      carried += energies[k].slope.value * energy_bar[k];
      second += energies[k].slope.slope;
    }
  }
};

// Compares the gradient of every weight, tensor by tensor.
template <class Expected>
void expect_weight_gradients(EnergyModel& model, Expected&& expected) {
  for (const ParameterEntry& entry : model.layout.entries()) {
    std::vector<double> values;
    for (int64_t i = 0; i < entry.shape.count(); ++i) {
      values.push_back(
          expected(Pairings(model.along(entry.offset + i, -1), model.energy_bar.values)));
    }
    const Tensor<double> found = model.grads.tensor(entry.name);
    EXPECT_LE(relative_error(std::vector<double>(found.begin(), found.end()), values), kDoubleBound)
        << entry.name;
  }
}
template <class Expected>
std::vector<double> candidate_cotangents(const EnergyModel& model, Expected&& expected) {
  std::vector<double> values;
  for (int64_t i = 0; i < model.e.shape.count(); ++i) {
    values.push_back(expected(Pairings(model.along(-1, i), model.energy_bar.values)));
  }
  return values;
}

struct Setting {
  const char* name;
  EbtType type;
  int64_t first_query;
  Keep keep = Keep::kAll;
};
class PredictionStream : public ::testing::TestWithParam<Setting> {
 protected:
  EnergyModel model_{GetParam().type, GetParam().first_query, GetParam().keep};
};

TEST_P(PredictionStream, EnergyAndItsGradientAreExact) {
  const std::vector<double> energy = model_.forward();
  model_.predictions.input_gradient(model_.at());
  std::vector<double> expected;
  for (const SecondDual& value : model_.along(-1, -1)) {
    expected.push_back(value.value.value);
  }
  EXPECT_LE(relative_error(energy, expected), kDoubleBound);
  const Tensor<const double> u = model_.predictions.gradient();
  EXPECT_LE(
      relative_error(std::vector<double>(u.begin(), u.end()),
                     candidate_cotangents(model_, [](const Pairings& p) { return p.gradient; })),
      kDoubleBound);
}

TEST_P(PredictionStream, VjpIsExactInEveryWeight) {
  model_.forward();
  auto gradients = model_.gradients();
  const Tensor<const double> cotangent = model_.predictions.vjp(
      model_.at(), {model_.energy_bar.values.data(), model_.energy_bar.shape}, gradients);
  const std::vector<double> e_bar(cotangent.begin(), cotangent.end());
  model_.finish_gradients();
  const auto expected = [](const Pairings& p) { return p.carried; };
  EXPECT_LE(relative_error(e_bar, candidate_cotangents(model_, expected)), kDoubleBound);
  expect_weight_gradients(model_, expected);
}

TEST_P(PredictionStream, SweepIsExactInEveryWeight) {
  model_.forward();
  model_.predictions.input_gradient(model_.at());
  std::vector<double> e_bar(model_.e.values.size());
  std::vector<double> e_dot = model_.e_dot.values;
  auto gradients = model_.gradients();
  model_.predictions.sweep(model_.at(), {e_dot.data(), model_.e.shape},
                           {model_.energy_bar.values.data(), model_.energy_bar.shape}, model_.space,
                           gradients, {e_bar.data(), model_.e.shape});
  model_.finish_gradients();
  const auto expected = [](const Pairings& p) { return p.carried + p.second; };
  EXPECT_LE(relative_error(e_bar, candidate_cotangents(model_, expected)), kDoubleBound);
  expect_weight_gradients(model_, expected);
}

INSTANTIATE_TEST_SUITE_P(
    Types, PredictionStream,
    ::testing::Values(Setting{"Default", EbtType::kDefault, 0},
                      Setting{"TimeEmbed", EbtType::kTimeEmbed, 0},
                      Setting{"TimeEmbedFromTheSecondPosition", EbtType::kTimeEmbed, 1},
                      Setting{"Adaln", EbtType::kAdaln, 0},
                      Setting{"AdalnRecomputed", EbtType::kAdaln, 0, Keep::kStream},
                      Setting{"TimeEmbedRecomputed", EbtType::kTimeEmbed, 0, Keep::kStream}),
    [](const auto& setting) { return std::string(setting.param.name); });

}  // namespace
}  // namespace ebt::testing
