// Thoughts about rows, side by side: a part of solver.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "ebt/think/solver.h"

namespace ebt {

using SolverClock = std::chrono::steady_clock;

template <class T>
class ThoughtBatch {
 public:
  struct Thought {
    int64_t row;
    int64_t index;  // among the row's thoughts
    int64_t limit;  // steps at most
    int64_t steps = 0;
    int64_t calm_steps = 0;  // the last ones, that changed next to nothing
    double last_change = 0;
    double gradient_norm = 0;
  };
  // Takes a thought that has ended, what it came to, and its logits (N, V).
  using Taker = std::function<void(const Thought&, ThoughtResult, Tensor<const T>)>;

  // Of at most `capacity` thoughts. options.select must not be kAuto; `planned` passes are all of
  // the work, of which the watch of this thread is told.
  ThoughtBatch(InfillModel<T>& model, const SolveOptions& options, int64_t capacity, double planned,
               const SolverObserver<T>& observe);

  bool full() const { return static_cast<int64_t>(thoughts_.size()) == capacity_; }
  // Adds a thought of at most `limit` steps, from 1, about a row of N tokens and marks. Returns its
  // logits (N, V), to be filled with what it starts from.
  Tensor<T> begin(int64_t row, int64_t index, int64_t limit, const int32_t* tokens,
                  const uint8_t* known);
  // Thinks until all thoughts have ended, none beyond the first step after `deadline`, and hands
  // them over, in any order. Throws Error for predictions that are not finite.
  void finish(std::optional<SolverClock::time_point> deadline, const Taker& take);

 private:
  // Whether steps are compared with the one before.
  bool compares() const {
    return options_.stop_change > 0 || options_.select == ThoughtChoice::kLastChange;
  }
  int64_t size() const { return length_ * vocab_; }  // logits of a row
  template <class Value>
  Value* at(std::vector<Value>& values, size_t thought, int64_t width) const {
    return values.data() + static_cast<int64_t>(thought) * width;
  }
  InfillRows rows(size_t count) const;
  Tensor<T> logits(size_t count) {
    return {logits_.data(), {static_cast<int64_t>(count), length_, vocab_}};
  }
  void find_probabilities(Tensor<const T> logits, std::vector<T>& out) const;
  void find_leading(int64_t count, const std::vector<T>& of, std::vector<int32_t>& tokens) const;

  void take_steps(size_t live, int64_t steps);
  void report(const InfillStep<T>& step);
  void compare(size_t live);
  void swap_thoughts(size_t i, size_t j);
  void hand_over(const Taker& take);
  double mean_surprise(size_t place);
  double cost_of(size_t place, const ThoughtResult& result);

  InfillModel<T>& model_;
  const SolveOptions& options_;
  const SolverObserver<T>& observe_;
  const int64_t length_, vocab_, capacity_;  // N, V
  const bool has_energy_;
  const double planned_;
  double done_ = 0;  // passes
  // Thoughts that have ended come last, until they are handed over.
  std::vector<Thought> thoughts_;
  std::vector<int32_t> tokens_;                    // (thoughts, N) what is given, then answers
  std::vector<int32_t> given_;                     // (thoughts, N) -1: asked for
  std::vector<uint8_t> known_;                     // (thoughts, N)
  std::vector<T> logits_;                          // (thoughts, N, V)
  std::vector<T> probabilities_;                   // (thoughts, N, V)
  std::vector<T> before_;                          // (thoughts, N, V) probabilities, a step ago
  std::vector<T> energies_;                        // (thoughts)
  std::vector<int32_t> leading_, leading_before_;  // (thoughts, N)
};

}  // namespace ebt
