// Solving: thoughts about rows from several starts, and from the best answer found so far, of which
// one is kept.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "ebt/core/enum_names.h"
#include "ebt/model/infill_model.h"

namespace ebt {

inline constexpr int64_t kMostThoughts = 1'000'000;

// From where a thought of the search starts.
enum class Kick {
  kNoise,   // the logits of the best answer, with noise added
  kForget,  // these, but noise alone at some of the unknown tokens
};
const EnumNames<Kick>& enum_names(Kick);

// Which of several thoughts is kept: that of the least of these.
enum class ThoughtChoice {
  kAuto,          // energy, or confidence where the model has no energy
  kEnergy,        // of the answer written out
  kGradientNorm,  // of the energy by the probabilities, before the last step
  kLastChange,    // largest change of a probability in the last step
  kConfidence,    // mean of -log of the leading probability, in nats
};
const EnumNames<ThoughtChoice>& enum_names(ThoughtChoice);

// How to solve. The library, the commands and the server share this. Counts are of every row.
struct SolveOptions {
  int64_t steps = 32;
  int64_t restarts = 1;
  int64_t search = 0;
  Kick kick = Kick::kNoise;
  double kick_noise = 5;
  double kick_share = 0.5;
  int64_t kick_steps = 16;
  ThoughtChoice select = ThoughtChoice::kAuto;
  double stop_change = 0;
  int64_t stop_patience = 2;
  int64_t budget = 0;
  double seconds = 0;
  uint64_t seed = 0;

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("think-steps", steps, "thinking steps of a thought; more than in training are welcome");
    visit("restarts", restarts, "thoughts that start from noise of their own");
    visit("search", search, "thoughts more, each from the best answer so far, kicked");
    visit("kick", kick, "a kick is noise added to the logits, or to forget some unknown tokens");
    visit("kick-noise", kick_noise, "standard deviation of the noise of a kick");
    visit("kick-share", kick_share, "share of the unknown tokens that a kick forgets");
    visit("kick-steps", kick_steps, "thinking steps after a kick");
    visit("select", select,
          "keep the thought of least energy (of the answer written out), gradient-norm or "
          "last-change, or of most confidence; auto is energy, or confidence where the model has "
          "no energy");
    visit("stop-change", stop_change,
          "end a thought when a step changes no leading token, and no probability by more than "
          "this; 0 never ends early");
    visit("stop-patience", stop_patience, "steps in a row that must change so little");
    visit("think-budget", budget, "most thinking steps over all thoughts of a row; 0: no limit");
    visit("seconds", seconds,
          "time after which no step is begun, of rows that are thought about together; results "
          "then depend on the speed of the machine; 0: no limit");
    visit("seed", seed, "seed of all noise; the same seed gives the same answers");
  }
};

// A row after one step of one thought.
template <class T>
struct SolverStep {
  int64_t row;
  int64_t thought;  // from 0: restarts, then those of the search
  int64_t step;     // of the thought, from 0
  // As in InfillStep: of what the step started from; 0 where the model has no energy.
  double energy;
  Tensor<const int32_t> answer;   // (N) given tokens, and the leading ones
  Tensor<const T> probabilities;  // (N, V) 1 for given tokens
};
template <class T>
using SolverObserver = std::function<void(const SolverStep<T>&)>;

// What a thought came to.
struct ThoughtResult {
  std::vector<int32_t> answer;  // (N)
  double energy = 0;            // of the answer written out; 0 where the model has no energy
  double confidence = 0;        // mean of log of the leading probability, in nats
  double cost = 0;              // by which it is kept or not: of several, the least
  int64_t steps = 0;
};

struct Solution {
  std::vector<int32_t> answer;  // (N) given tokens, and what was asked for
  double energy = 0;            // of the answer written out; 0 where the model has no energy
  int64_t steps = 0;            // of the thought that is kept
  int64_t passes = 0;           // steps of all thoughts
  int64_t kept = 0;             // the index of that thought, the first of equals
  int64_t agreed = 0;           // restarts that ended in this answer
  std::vector<ThoughtResult> thoughts;  // restarts, then those of the search
};

// Rows that solve() thinks about at a time, at most: the model must be made for so many, or for all
// thoughts of the rows.
int64_t rows_together(const InfillModelConfig& config);

// The solutions of all rows, whose unknown tokens are not read. Noise belongs to a row by what is
// known of it: without a limit of seconds a row's solution and its steps are the same, bit for bit,
// whatever is solved beside it, on any number of threads. `observe` sees the steps of a thought in
// order, and thoughts in any.
// Throws Error for impossible options, a choice by energy from a model that has none, and
// predictions that are not finite.
template <class T>
std::vector<Solution> solve(InfillModel<T>& model, const InfillRows& rows,
                            const SolveOptions& options, const SolverObserver<T>& observe = {});

}  // namespace ebt
