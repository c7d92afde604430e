#include "ebt/think/solver.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "ebt/core/config_check.h"
#include "ebt/core/config_fields.h"
#include "ebt/core/work_watch.h"
#include "ebt/io/checksum.h"
#include "ebt/kernels/rng.h"
#include "ebt/think/options.h"
#include "ebt/think/thought_batch.h"

namespace ebt {

const EnumNames<Kick>& enum_names(Kick) {
  static const EnumNames<Kick> kNames = {{"noise", Kick::kNoise}, {"forget", Kick::kForget}};
  return kNames;
}

const EnumNames<ThoughtChoice>& enum_names(ThoughtChoice) {
  static const EnumNames<ThoughtChoice> kNames = {{"auto", ThoughtChoice::kAuto},
                                                  {"energy", ThoughtChoice::kEnergy},
                                                  {"gradient-norm", ThoughtChoice::kGradientNorm},
                                                  {"last-change", ThoughtChoice::kLastChange},
                                                  {"confidence", ThoughtChoice::kConfidence}};
  return kNames;
}

void SolveOptions::check() const {
  check_between("think-steps", steps, 1, kMaxThinkSteps);
  check_between("restarts", restarts, 1, kMostThoughts);
  check_between("search", search, 0, kMostThoughts);
  EBT_CHECK(kick_noise >= 0 && std::isfinite(kick_noise), "kick-noise: {} is not a number from 0",
            kick_noise);
  check_closed_share("kick-share", kick_share);
  check_between("kick-steps", kick_steps, 1, kMaxThinkSteps);
  check_closed_share("stop-change", stop_change);
  EBT_CHECK(stop_patience >= 1, "stop-patience: {} is not a whole number from 1", stop_patience);
  EBT_CHECK(budget >= 0, "think-budget: {} is negative", budget);
  EBT_CHECK(seconds >= 0 && std::isfinite(seconds), "seconds: {} is not a number from 0", seconds);
}

int64_t rows_together(const InfillModelConfig& config) {
  constexpr int64_t kPositions = 8192;
  return std::max<int64_t>(kPositions / config.row_length, 1);
}

namespace {

// Options that are possible of such rows and such a model, with a choice that is not kAuto.
SolveOptions checked(SolveOptions options, const InfillModelConfig& model, const InfillRows& rows) {
  options.check();
  EBT_CHECK(rows.tokens.dim(1) == model.row_length && rows.known.shape == rows.tokens.shape,
            "solve: rows of {} tokens and marks of {}, but the model's rows have {}",
            rows.tokens.dim(1), rows.known.shape.to_string(), model.row_length);
  const bool has_energy = model.arch == InfillArchitecture::kEbt;
  if (options.select == ThoughtChoice::kAuto) {
    options.select = has_energy ? ThoughtChoice::kEnergy : ThoughtChoice::kConfidence;
  }
  EBT_CHECK(has_energy || (options.select != ThoughtChoice::kEnergy &&
                           options.select != ThoughtChoice::kGradientNorm),
            "select: {} is for models that have an energy, and {} has none",
            enum_name(options.select), enum_name(model.arch));
  return options;
}

// Passes of so many rows, if no thought ends early.
double planned_passes(const SolveOptions& options, int64_t rows) {
  const double thoughts =
      static_cast<double>(options.restarts) * static_cast<double>(options.steps) +
      static_cast<double>(options.search) * static_cast<double>(options.kick_steps);
  const double budget = options.budget > 0 ? static_cast<double>(options.budget)
                                           : std::numeric_limits<double>::infinity();
  return static_cast<double>(rows) * std::min(thoughts, budget);
}

template <class T>
class RowSolver {
 public:
  RowSolver(InfillModel<T>& model, const InfillRows& rows, const SolveOptions& options,
            const SolverObserver<T>& observe)
      : options_(checked(options, model.config(), rows)),
        rows_(rows),
        initial_scale_(model.initial_scale()),
        length_(model.config().row_length),
        vocab_(model.config().vocab_size),
        capacity_(std::min(rows_together(model.config()),
                           std::max<int64_t>(rows.tokens.dim(0), 1) * options_.restarts)),
        batch_(model, options_, capacity_, planned_passes(options_, rows.tokens.dim(0)), observe),
        solutions_(static_cast<size_t>(rows.tokens.dim(0))) {}

  std::vector<Solution> run() {
    const int64_t count = rows_.tokens.dim(0);
    for (int64_t first = 0; first < count; first += capacity_) {
      solve_together(first, std::min(capacity_, count - first));
    }
    for (Solution& solution : solutions_) {
      summarize(solution);
    }
    tell_share(1);
    return std::move(solutions_);
  }

 private:
  using Thought = typename ThoughtBatch<T>::Thought;

  void solve_together(int64_t first_row, int64_t count) {
    first_row_ = first_row;
    if (options_.seconds > 0) {
      deadline_ = SolverClock::now() + std::chrono::duration_cast<SolverClock::duration>(
                                           std::chrono::duration<double>(options_.seconds));
    }
    best_logits_.resize(options_.search > 0 ? static_cast<size_t>(count * length_ * vocab_) : 0);
    // Restart by restart of all rows: where time is short, every row has had one.
    for (int64_t i = 0; i < options_.restarts * count;) {
      for (; i < options_.restarts * count && !batch_.full(); ++i) {
        const int64_t index = i / count;
        begin(first_row + i % count, index, within_budget(options_.steps, index * options_.steps));
      }
      finish();
      if (time_is_up()) {
        return;
      }
    }
    for (int64_t i = 0; i < options_.search && !time_is_up(); ++i) {
      for (int64_t row = first_row; row < first_row + count; ++row) {
        const int64_t passes = solutions_[static_cast<size_t>(row)].passes;
        begin(row, options_.restarts + i, within_budget(options_.kick_steps, passes));
      }
      finish();
    }
  }

  bool time_is_up() const { return deadline_ && SolverClock::now() >= *deadline_; }
  // Of a thought of so many steps, those for which the budget of a row that has taken `passes`
  // leaves room.
  int64_t within_budget(int64_t steps, int64_t passes) const {
    return options_.budget == 0 ? steps : std::clamp<int64_t>(options_.budget - passes, 0, steps);
  }

  void begin(int64_t row, int64_t index, int64_t limit) {
    if (limit > 0) {
      const int32_t* const tokens = rows_.tokens.data + row * length_;
      const uint8_t* const known = rows_.known.data + row * length_;
      start(row, index, key_of(tokens, known), batch_.begin(row, index, limit, tokens, known));
    }
  }

  // Of the random numbers of a row: from the seed and what is known of it.
  uint64_t key_of(const int32_t* tokens, const uint8_t* known) const {
    Checksum key;
    key.add(options_.seed);
    for (int64_t i = 0; i < length_; ++i) {
      key.add(known[i] != 0 ? static_cast<uint64_t>(tokens[i]) + 1 : 0);
    }
    return key.value();
  }

  // Writes the logits that a thought starts from.
  void start(int64_t row, int64_t index, uint64_t key, Tensor<T> logits) const {
    const auto stream = static_cast<uint64_t>(index);
    const bool kicked = index >= options_.restarts;
    const bool adds = kicked && options_.kick == Kick::kNoise;
    RandomStream{key, RandomPurpose::kInitialPrediction, stream}.normal(
        0, logits, static_cast<T>(adds ? options_.kick_noise : initial_scale_));
    if (!kicked) {
      return;
    }
    const RandomStream chance{key, RandomPurpose::kSampling, stream};
    const T* const best = best_logits_.data() + (row - first_row_) * logits.count();
    for (int64_t token = 0; token < length_; ++token) {
      const bool forgets =
          !adds && chance.uniform(static_cast<uint64_t>(token)) < options_.kick_share;
      for (int64_t i = token * vocab_; !forgets && i < (token + 1) * vocab_; ++i) {
        logits[i] = adds ? best[i] + logits[i] : best[i];
      }
    }
  }

  void finish() {
    batch_.finish(deadline_,
                  [&](const Thought& thought, ThoughtResult result, Tensor<const T> logits) {
                    keep(thought, std::move(result), logits);
                  });
  }

  void keep(const Thought& thought, ThoughtResult result, Tensor<const T> logits) {
    Solution& solution = solutions_[static_cast<size_t>(thought.row)];
    const auto index = static_cast<size_t>(thought.index);
    solution.passes += result.steps;
    bool best = solution.thoughts.empty();
    if (!best) {
      // Thoughts may come in another order than they were begun in.
      const double least = solution.thoughts[static_cast<size_t>(solution.kept)].cost;
      best = result.cost < least || (result.cost == least && thought.index < solution.kept);
    }
    solution.thoughts.resize(std::max(solution.thoughts.size(), index + 1));
    solution.thoughts[index] = std::move(result);
    if (best) {
      solution.kept = thought.index;
      if (!best_logits_.empty()) {
        std::copy(logits.begin(), logits.end(),
                  best_logits_.begin() + (thought.row - first_row_) * logits.count());
      }
    }
  }

  void summarize(Solution& solution) const {
    const ThoughtResult& kept = solution.thoughts[static_cast<size_t>(solution.kept)];
    solution.answer = kept.answer;
    solution.energy = kept.energy;
    solution.steps = kept.steps;
    for (size_t i = 0; i < solution.thoughts.size(); ++i) {
      const bool restart = static_cast<int64_t>(i) < options_.restarts;
      solution.agreed += restart && solution.thoughts[i].answer == kept.answer ? 1 : 0;
    }
  }

  const SolveOptions options_;
  const InfillRows& rows_;
  const double initial_scale_;
  const int64_t length_, vocab_, capacity_;  // N, V, and thoughts at a time
  ThoughtBatch<T> batch_;
  std::vector<Solution> solutions_;
  // Of the rows that are solved together.
  int64_t first_row_ = 0;
  std::optional<SolverClock::time_point> deadline_;
  std::vector<T> best_logits_;  // (rows, N, V) of the thoughts that are kept; with a search
};

}  // namespace

template <class T>
std::vector<Solution> solve(InfillModel<T>& model, const InfillRows& rows,
                            const SolveOptions& options, const SolverObserver<T>& observe) {
  return RowSolver<T>(model, rows, options, observe).run();
}

#define EBT_INSTANTIATE(T)                                                                         \
  template std::vector<Solution> solve<T>(InfillModel<T>&, const InfillRows&, const SolveOptions&, \
                                          const SolverObserver<T>&);
EBT_INSTANTIATE(float)
EBT_INSTANTIATE(double)
#undef EBT_INSTANTIATE

}  // namespace ebt
