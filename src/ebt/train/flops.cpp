#include "ebt/train/flops.h"

#include <algorithm>

#include "ebt/model/block.h"

namespace ebt {
namespace {

// A term of a product: a multiplication and an addition.
constexpr double kTerm = 2;

// How often attention multiplies queries or weights by keys or values, rule by rule.
constexpr double kForward = 2;        // q k^T, w v
constexpr double kInnerGradient = 3;  // q k^T, o_bar v^T, ds k
constexpr double kBack = 5;           // and ds^T q, w^T o_bar
constexpr double kTangent = 3;        // q k^T, q_dot k^T, moved v
constexpr double kSecondOrder = 9;    // four scores, one sum for queries, four for keys
// The same of a prediction's own key and value, which move with it.
constexpr double kOwnTangent = 5;
constexpr double kOwnSecondOrder = 12;

// The letters of the header.
struct Shapes {
  double rows, S, T, L, D, V;
  double block = 0;  // n
  double keys;       // k
  double again;      // r

  Shapes(const TextTrainConfig& config, int64_t row_count)
      : rows(static_cast<double>(row_count)),
        S(static_cast<double>(config.model.context)),
        T(S +
          (config.model.arch == Architecture::kEbt ? static_cast<double>(config.model.lead()) : 0)),
        L(static_cast<double>(config.model.layers)),
        D(static_cast<double>(config.model.width)),
        V(static_cast<double>(config.model.vocab_size)),
        keys(static_cast<double>(BlockShape(config.model).key_projection().count())),
        again(config.run.recompute ? 1 : 0) {
    for (const Shape& projection : BlockShape(config.model).projections()) {
      block += static_cast<double>(projection.count());
    }
  }

  // Forward, both products back, and perhaps forward again.
  double context_passes() const { return 3 + again; }
  double context_attention() const { return kForward + kBack + again * kForward; }
  // Pairs of queries and keys of a stream of causal attention, times the terms of a product.
  double causal_terms(double tokens) const { return kTerm * D * rows * tokens * (tokens + 1) / 2; }
};

TrainingFlops transformer_flops(const Shapes& s) {
  TrainingFlops flops;
  flops.context = kTerm * s.rows * s.S * s.L * s.block * s.context_passes();
  flops.vocabulary = 3 * kTerm * s.rows * s.S * s.V * s.D;
  flops.attention = s.L * s.context_attention() * s.causal_terms(s.S);
  return flops;
}

// The thinking steps of a training step, as expected.
struct Thinking {
  double steps;      // K
  double swept;      // s
  double passed_on;  // g
  double contrast;   // h

  Thinking(const TextModelConfig& model, const TextThinkingConfig& thinking)
      : steps(static_cast<double>(model.landscapes) *
              static_cast<double>(thinking.steps_min + thinking.steps_max) / 2),
        swept(thinking.truncate ? 1 : steps),
        passed_on(0),
        contrast(thinking.contrastive > 0 ? 1 : 0) {
    if (thinking.gradient_crosses_steps() && !thinking.truncate) {
      passed_on = steps - 1;  // all but the first
    } else if (thinking.gradient_crosses_steps()) {
      // The last, unless it is the first.
      const bool may_be_one = model.landscapes == 1 && thinking.steps_min == 1;
      passed_on = 1 - (may_be_one ? 1 / static_cast<double>(thinking.steps_max) : 0);
    }
  }
};

TrainingFlops energy_flops(const TextTrainConfig& config, const Shapes& s, double gradient_passes) {
  const TextModelConfig& model = config.model;
  const Thinking k(model, config.thinking);
  const double contexts =
      model.type == EbtType::kDefault ? 1 : static_cast<double>(model.landscapes);
  const double positions = s.rows * s.S;
  TrainingFlops flops;
  flops.context =
      contexts * s.context_passes() * kTerm * s.rows * s.T * ((s.L - 1) * s.block + s.keys);
  flops.prediction =
      kTerm * positions * s.L * s.block * (2 * k.steps + 4 * k.swept + 3 * k.contrast);
  flops.vocabulary =
      kTerm * positions * s.V * s.D * (2 * k.steps + 3 * k.swept + k.passed_on + 2 * k.contrast);
  const double seen = s.causal_terms(s.S) + kTerm * s.D * positions * (s.T - s.S);
  const double own = kTerm * s.D * positions;
  flops.attention =
      contexts * (s.L - 1) * s.context_attention() * s.causal_terms(s.T) +
      s.L * (seen * ((kForward + kInnerGradient) * k.steps + (kTangent + kSecondOrder) * k.swept +
                     (kForward + kBack) * k.contrast) +
             own * ((kForward + kBack) * k.steps + (kOwnTangent + kOwnSecondOrder) * k.swept +
                    (kForward + kBack) * k.contrast));
  flops.other = kTerm * positions * s.D * (2 * k.steps + k.swept + 5 * k.contrast);
  if (model.is_adaln()) {
    flops.other += gradient_passes * contexts * 3 * kTerm * (6 * s.L + 2) * s.D * s.D;
  }
  return flops;
}

}  // namespace

void TrainingFlops::add(const TrainingFlops& more, double times) {
  context += times * more.context;
  prediction += times * more.prediction;
  vocabulary += times * more.vocabulary;
  attention += times * more.attention;
  other += times * more.other;
}

TrainingFlops training_step_flops(const TextTrainConfig& config, bool is_first_step) {
  const int64_t batch = config.run.batch;
  const int64_t replayed = is_first_step ? 0 : std::min(batch / 2, config.thinking.replay_rows);
  const Shapes shapes(config, batch + replayed);
  if (config.model.arch == Architecture::kTransformerPp) {
    return transformer_flops(shapes);
  }
  const int64_t rows = config.run.micro_batch > 0 ? config.run.micro_batch : batch;
  const int64_t passes = (batch + rows - 1) / rows + (replayed + rows - 1) / rows;
  return energy_flops(config, shapes, static_cast<double>(passes));
}

TrainingFlops training_flops(const TextTrainConfig& config, int64_t steps) {
  TrainingFlops flops;
  if (steps > 0) {
    flops.add(training_step_flops(config, true), 1);
    flops.add(training_step_flops(config), static_cast<double>(steps - 1));
  }
  return flops;
}

}  // namespace ebt
