#include "ebt/think/recomputed_thinking.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ebt/core/bfloat16.h"
#include "ebt/kernels/elementwise.h"

namespace ebt {

template <class T, class S>
RecomputedThinking<T, S>::Buffers::Buffers(Arena& arena, const TextModelConfig& model,
                                           const TextThinkingConfig& trained, int64_t positions)
    : work(ContextWork<T, S>::take(arena, model, 1, positions, Keep::kKeys)),
      context(arena, model, 1, positions, Keep::kKeys, work),
      step(arena, {model, model.layers, 1, positions}, Pooling::kNone,
           text_candidates<T, S>(model, trained, {}), positions, false, true),
      logits(arena.take<T>({positions, model.vocab_size})),
      start(arena.take<T>(logits.shape)),
      noise(arena.take<T>(logits.shape)),
      step_size(arena.take<T>({positions})),
      bound(arena.take<T>({positions})) {}

namespace {

template <class Buffers>
size_t bytes_of(const TextModelConfig& model, const TextThinkingConfig& trained,
                int64_t positions) {
  Arena measure;
  const Buffers buffers(measure, model, trained, positions);
  return measure.peak_bytes();
}

}  // namespace

template <class T, class S>
RecomputedThinking<T, S>::RecomputedThinking(const TextModelConfig& model,
                                             const TextThinkingConfig& trained,
                                             const ParameterBlock<T>& weights, int64_t positions,
                                             ThinkingNoise<T> noise)
    : config_(model),
      trained_(trained),
      operands_(model, text_weights<const T>(model, weights)),
      rotary_(positions + model.lead() + 1, model.head_width(), model.rope_theta),
      noise_(std::move(noise)),
      arena_(bytes_of<Buffers>(model, trained, positions)),
      buffers_(arena_, model, trained, positions) {
  operands_.refresh();
}

template <class T, class S>
typename PredictionStream<T, S>::Params RecomputedThinking<T, S>::read(Tensor<const int32_t> tokens,
                                                                       int64_t landscape) {
  buffers_.context.forward(operands_.views(), rotary_, {tokens, {}}, landscape);
  return CausalLandscape<T, S>{config_, operands_.views(), rotary_, buffers_.context, 0,
                               0,       tokens.dim(1)}
      .params();
}

// start = logits, with Langevin noise where the step takes it.
template <class T, class S>
void RecomputedThinking<T, S>::take_start(const ThinkOptions& options, NoiseAddress noise,
                                          int64_t step) {
  Buffers& b = buffers_;
  kernels::elementwise<T>().copy(b.logits.count(), b.logits.data, b.start.data);
  if (options.langevin_noise > 0 && (step == 0 || options.langevin_on == NoisySteps::kAll)) {
    for (int64_t n = 0; n < b.noise.dim(0); ++n, ++noise.position) {
      noise_.langevin(noise, step, row(b.noise, n));
    }
    kernels::elementwise<T>().add(b.start.count(), static_cast<T>(options.langevin_noise),
                                  b.noise.data, b.start.data);
  }
}

template <class T, class S>
std::vector<typename RecomputedThinking<T, S>::Thought> RecomputedThinking<T, S>::think(
    std::span<const int32_t> tokens, const ThinkOptions& options, NoiseAddress noise,
    int64_t most_steps) {
  Buffers& b = buffers_;
  const auto positions = static_cast<int64_t>(tokens.size());
  EBT_CHECK(positions == b.logits.dim(0), "thinking: {} tokens where {} were announced", positions,
            b.logits.dim(0));
  const Tensor<const int32_t> ids{tokens.data(), {1, positions}};
  const auto alpha = static_cast<double>(operands_.views().values.step_size[0]);
  const std::vector<PlannedStep> plan =
      plan_of(config_, trained_, options, std::max(alpha, kSmallestStepSize));
  most_steps = std::min(most_steps, static_cast<int64_t>(plan.size()));

  kernels::elementwise<T>().fill(b.logits.count(), T(0), b.logits.data);
  if (trained_.initial != InitialPrediction::kZeros) {
    for (int64_t n = 0; n < positions; ++n) {
      noise_.initial({noise.seed, noise.position + n, noise.candidate}, row(b.logits, n));
    }
    kernels::elementwise<T>().scale(b.logits.count(), static_cast<T>(trained_.initial_scale),
                                    b.logits.data);
  }
  Simplex<T, S> candidates = text_candidates(config_, trained_, operands_.views());
  std::vector<Thought> thoughts(tokens.size());
  std::vector<int64_t> quiet(tokens.size(), 0);
  std::vector<bool> done(tokens.size(), false);
  for (int64_t i = 0; i < most_steps; ++i) {
    const PlannedStep& planned = plan[static_cast<size_t>(i)];
    take_start(options, noise, i);
    kernels::elementwise<T>().fill(positions, static_cast<T>(planned.step_size), b.step_size.data);
    kernels::elementwise<T>().fill(
        positions, static_cast<T>(trained_.clamp_gradient / planned.step_size), b.bound.data);
    candidates.bound = candidates.clamped ? b.bound : Tensor<T>{};
    think_once(candidates, read(ids, planned.landscape), Tensor<const T>(b.start),
               Tensor<const T>(b.step_size), b.step);
    const bool on_last =
        i > 0 && plan[static_cast<size_t>(i - 1)].landscape == plan.back().landscape;
    for (int64_t n = 0; n < positions; ++n) {
      const auto index = static_cast<size_t>(n);
      Thought& thought = thoughts[index];
      if (done[index]) {
        continue;
      }
      const auto energy = static_cast<double>(b.step.energy[n]);
      if (options.stop_change > 0 && on_last) {
        const double change = std::abs(energy - thought.energies.back());
        quiet[index] = change < options.stop_change ? quiet[index] + 1 : 0;
        done[index] = quiet[index] >= options.stop_patience;
      }
      thought.energies.push_back(energy);
      if (!done[index]) {
        kernels::elementwise<T>().copy(config_.vocab_size, row(b.step.next, n).data,
                                       row(b.logits, n).data);
        ++thought.steps;
      }
    }
    if (options.accept_lower) {
      // The starts as the step saw them: measure_energy overwrites them.
      std::copy(b.step.candidate.p.begin(), b.step.candidate.p.end(), b.start.begin());
      measure_energy(candidates, read(ids, planned.landscape), Tensor<const T>(b.logits), b.step);
      const Tensor<const T> moved = b.step.energy;
      for (int64_t n = 0; n < positions; ++n) {
        const auto index = static_cast<size_t>(n);
        if (!done[index] && !(static_cast<double>(moved[n]) < thoughts[index].energies.back())) {
          kernels::elementwise<T>().copy(config_.vocab_size, row(b.start, n).data,
                                         row(b.logits, n).data);
        }
      }
    }
  }
  measure_energy(candidates, read(ids, plan.back().landscape), Tensor<const T>(b.logits), b.step);
  const Tensor<const T> energies = b.step.energy;
  for (int64_t n = 0; n < positions; ++n) {
    Thought& thought = thoughts[static_cast<size_t>(n)];
    if (!done[static_cast<size_t>(n)]) {
      thought.energies.push_back(static_cast<double>(energies[n]));
    }
    const Tensor<const T> logits = row(b.logits, n);
    thought.logits.assign(logits.begin(), logits.end());
  }
  return thoughts;
}

template class RecomputedThinking<float, float>;
template class RecomputedThinking<float, Bfloat16>;
template class RecomputedThinking<double, double>;

}  // namespace ebt
