#include "ebt/think/thoughts.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ebt/core/bfloat16.h"
#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/rng.h"
#include "ebt/kernels/simplex_descent.h"
#include "ebt/kernels/softmax.h"
#include "ebt/think/distribution.h"

namespace ebt {

template <class T>
ThinkingNoise<T> counter_based_noise() {
  const auto draw = [](RandomPurpose purpose, const NoiseAddress& at, int64_t step, Tensor<T> out) {
    const auto row = static_cast<uint64_t>(at.position * kMaxCandidates + at.candidate);
    RandomStream{at.seed, purpose, static_cast<uint64_t>(step)}.normal(
        row * static_cast<uint64_t>(out.count()), out, T(1));
  };
  return {[draw](const NoiseAddress& at, Tensor<T> out) {
            draw(RandomPurpose::kInitialPrediction, at, 0, out);
          },
          [draw](const NoiseAddress& at, int64_t step, Tensor<T> out) {
            draw(RandomPurpose::kLangevin, at, step, out);
          }};
}

template <class T, class S>
Thoughts<T, S>::Thoughts(Arena& arena, const TextModelConfig& config,
                         const TextThinkingConfig& trained, const RowWeights<T, S>& weights,
                         const KeyCache<S>& cache, PassRows most, ThinkingNoise<T> noise)
    : config_(config),
      trained_(trained),
      weights_(weights),
      noise_(std::move(noise)),
      pass_(arena, config, weights, cache, most),
      vocab_(config.vocab_size),
      lanes_(static_cast<size_t>(most.candidates)),
      logits_(arena.take<T>({most.candidates, vocab_})),
      p_(arena.take<T>(logits_.shape)),
      gradient_(arena.take<T>(logits_.shape)) {}

template <class T, class S>
std::optional<int64_t> Thoughts<T, S>::start(const ThoughtStart& start) {
  const auto free =
      std::find_if(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return !lane.busy; });
  if (free == lanes_.end()) {
    return std::nullopt;
  }
  const int64_t index = free - lanes_.begin();
  *free = Lane{};
  free->busy = true;
  free->start = start;
  const Tensor<T> z = row(logits_, index);
  if (trained_.initial == InitialPrediction::kZeros) {
    kernels::elementwise<T>().fill(vocab_, T(0), z.data);
  } else {
    noise_.initial(start.noise, z);
    kernels::elementwise<T>().scale(vocab_, static_cast<T>(trained_.initial_scale), z.data);
  }
  return index;
}

template <class T, class S>
bool Thoughts<T, S>::idle() const {
  return std::none_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.busy; });
}

template <class T, class S>
int64_t Thoughts<T, S>::last_step(const Lane& lane) const {
  return std::min(static_cast<int64_t>(lane.start.plan->size()), lane.start.most_steps);
}

template <class T, class S>
int64_t Thoughts<T, S>::landscape_of(const Lane& lane) const {
  const std::vector<PlannedStep>& plan = *lane.start.plan;
  return lane.phase == Phase::kFinal ? plan.back().landscape
                                     : plan[static_cast<size_t>(lane.step)].landscape;
}

template <class T, class S>
std::vector<int64_t> Thoughts<T, S>::line_up() const {
  std::vector<int64_t> order;
  for (size_t i = 0; i < lanes_.size(); ++i) {
    if (lanes_[i].busy) {
      order.push_back(static_cast<int64_t>(i));
    }
  }
  // Neighbours of one landscape share a norm.
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    const auto key = [&](int64_t lane) {
      return std::pair(lane_of(lane).phase != Phase::kDescend, landscape_of(lane_of(lane)));
    };
    return key(a) < key(b);
  });
  return order;
}

// The prediction that a pass scores, as logits: with Langevin noise where a step starts from it.
template <class T, class S>
void Thoughts<T, S>::fill_prediction(const Lane& lane, int64_t index, Tensor<T> p) const {
  const Tensor<const T> z = logits(index);
  const ThinkOptions& options = *lane.start.options;
  const bool noisy = lane.phase == Phase::kDescend && options.langevin_noise > 0 &&
                     (options.langevin_on == NoisySteps::kAll || lane.step == 0);
  if (!noisy) {
    kernels::elementwise<T>().copy(vocab_, z.data, p.data);
    return;
  }
  noise_.langevin(lane.start.noise, lane.step, p);
  kernels::elementwise<T>().axpby(vocab_, T(1), z.data, static_cast<T>(options.langevin_noise),
                                  p.data);
}

template <class T, class S>
void Thoughts<T, S>::note_state(Lane& lane, int64_t index, double energy) {
  ThinkingState& state = lane.states.emplace_back();
  state.energy = energy;
  if (lane.start.trace) {
    if (const Distribution<T> now(logits(index)); now.finite()) {
      state.entropy = now.entropy();
      state.top = now.likeliest(lane.start.top_tokens);
    }
  }
  if (observe) {
    observe({lane.start.noise, lane.steps, energy, logits(index)});
  }
}

// Whether the energy has stopped changing, on the last landscape.
template <class T, class S>
bool Thoughts<T, S>::converged(Lane& lane, double energy) const {
  const ThinkOptions& options = *lane.start.options;
  const std::vector<PlannedStep>& plan = *lane.start.plan;
  if (options.stop_change == 0 || lane.step == 0 ||
      plan[static_cast<size_t>(lane.step - 1)].landscape != plan.back().landscape) {
    return false;
  }
  lane.quiet = std::abs(energy - lane.energy) < options.stop_change ? lane.quiet + 1 : 0;
  return lane.quiet >= options.stop_patience;
}

template <class T, class S>
void Thoughts<T, S>::advance(Lane& lane) {
  ++lane.step;
  lane.phase = lane.step < last_step(lane) ? Phase::kDescend : Phase::kFinal;
}

// What a pass tells of a thought: the energy of its current prediction.
template <class T, class S>
void Thoughts<T, S>::learn_energy(int64_t index, double energy) {
  Lane& lane = lane_at(index);
  if (lane.phase == Phase::kJudge) {
    if (!(energy < lane.energy)) {
      kernels::elementwise<T>().copy(vocab_, lane.unmoved.data(), row(logits_, index).data);
    }
    advance(lane);
    return;
  }
  note_state(lane, index, energy);
  if (lane.phase == Phase::kFinal || converged(lane, energy)) {
    lane.phase = Phase::kDone;
  }
  lane.energy = energy;
}

// Moves the thoughts of `order`, the first of the pass, from p down their energies.
template <class T, class S>
void Thoughts<T, S>::descend(std::span<const int64_t> order) {
  const auto rows = static_cast<int64_t>(order.size());
  if (rows == 0) {
    return;
  }
  step_.resize(order.size());
  bound_.resize(order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    const Lane& lane = lane_of(order[i]);
    const double alpha = (*lane.start.plan)[static_cast<size_t>(lane.step)].step_size;
    step_[i] = static_cast<T>(alpha);
    bound_[i] = static_cast<T>(trained_.clamp_gradient / alpha);
  }
  const Tensor<T> next = gradient_.slice(0, rows);
  kernels::multiply_rows<T, S>(pass_.input_gradient(rows), weights_.logits(), false, next);
  kernels::simplex_descent<T, T>().descend(rows, vocab_, p_.data, step_.data(),
                                           trained_.clamp_gradient > 0 ? bound_.data() : nullptr,
                                           next.data, next.data);
  for (int64_t i = 0; i < rows; ++i) {
    Lane& lane = lane_at(order[static_cast<size_t>(i)]);
    if (lane.phase == Phase::kDone) {
      continue;  // it ended where this step would have begun
    }
    kernels::elementwise<T>().copy(vocab_, row(next, i).data,
                                   row(logits_, order[static_cast<size_t>(i)]).data);
    ++lane.steps;
    if (lane.start.options->accept_lower) {
      const Tensor<T> p = row(p_, i);
      lane.unmoved.assign(p.begin(), p.end());
      lane.phase = Phase::kJudge;
    } else {
      advance(lane);
    }
  }
}

template <class T, class S>
std::vector<ThoughtEvent> Thoughts<T, S>::pass(std::span<const ContextRow> context) {
  const std::vector<int64_t> order = line_up();
  const auto rows = static_cast<int64_t>(order.size());
  std::vector<PassRow> at;
  for (int64_t i = 0; i < rows; ++i) {
    Lane& lane = lane_at(order[static_cast<size_t>(i)]);
    fill_prediction(lane, order[static_cast<size_t>(i)], row(p_, i));
    PassRow place = lane.start.at;
    place.landscape = landscape_of(lane);
    at.push_back(place);
    ++lane.forward_passes;
  }
  if (rows > 0) {
    const Tensor<T> p = p_.slice(0, rows);
    if (config_.normalize) {
      kernels::softmax<T, T>().forward(rows, vocab_, p.data, p.data);
    }
    kernels::multiply_rows<T, S>(p, weights_.embed(), false, pass_.embedded(rows));
  }
  const Tensor<const T> energies = pass_.forward(at, context);
  const auto descending = std::count_if(order.begin(), order.end(), [&](int64_t lane) {
    return lane_of(lane).phase == Phase::kDescend;
  });
  for (int64_t i = 0; i < rows; ++i) {
    learn_energy(order[static_cast<size_t>(i)], static_cast<double>(energies[i]));
  }
  descend({order.data(), static_cast<size_t>(descending)});

  std::vector<ThoughtEvent> events;
  for (const int64_t index : order) {
    const Lane& lane = lane_of(index);
    if (lane.phase == Phase::kFinal || lane.phase == Phase::kDone) {
      events.push_back({index, lane.phase == Phase::kDone});
    }
  }
  return events;
}

template <class T, class S>
Tensor<const T> Thoughts<T, S>::baseline_logits(std::span<const int64_t> context_rows) {
  const Tensor<T> out = gradient_.slice(0, static_cast<int64_t>(context_rows.size()));
  kernels::multiply_rows<T, S>(pass_.outputs(context_rows), weights_.logits(), false, out);
  return out;
}

template ThinkingNoise<float> counter_based_noise();
template ThinkingNoise<double> counter_based_noise();
template class Thoughts<float, float>;
template class Thoughts<float, Bfloat16>;
template class Thoughts<double, double>;

}  // namespace ebt
