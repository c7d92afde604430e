// Profiling of a training step by phase: the code names what it is doing, and a clock, if there is
// one, adds up the seconds of each phase.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

namespace ebt {

enum class Phase {
  kContext,        // the context stream, forward and backward
  kThinking,       // the energy of candidates, forward
  kInnerGradient,  // the gradient of the energy that a thinking step descends
  kTangent,        // how outputs move along a direction
  kSecondOrder,    // the gradient of that motion
  kVocabulary,     // from predictions to vectors and back, and the losses of tokens
  kOptimizer,      // gradient norm and weight update
};
inline constexpr size_t kPhaseCount = static_cast<size_t>(Phase::kOptimizer) + 1;

// "context", "thinking", "inner_gradient", ...
const char* phase_name(Phase phase);

struct PhaseSeconds {
  std::array<double, kPhaseCount> phase{};  // by Phase
  double other = 0;                         // in no phase

  double operator[](Phase p) const { return phase[static_cast<size_t>(p)]; }
  double total() const;
};

// Adds up the time of phases. Every moment belongs to one phase only, the innermost, or to "other".
// Not thread-safe.
class PhaseClock {
 public:
  PhaseClock() { restart(); }
  // Takes itself out, if it is the clock installed.
  ~PhaseClock();
  PhaseClock(const PhaseClock&) = delete;
  PhaseClock& operator=(const PhaseClock&) = delete;

  // Forgets what was measured; time begins now. To be called outside all phases.
  void restart();
  // What was measured from the restart up to now; the total is the time between them.
  PhaseSeconds seconds() const;

 private:
  friend class PhaseScope;
  using Clock = std::chrono::steady_clock;
  static constexpr size_t kOther = kPhaseCount;
  // Goes from the current slot to another, and returns the one it left.
  size_t change_to(size_t slot);

  std::array<Clock::duration, kPhaseCount + 1> spent_{};
  size_t current_ = kOther;
  Clock::time_point since_;
};

// The clock that scopes report to from now on; null: none. Not thread-safe: to be called outside
// parallel regions.
void set_phase_clock(PhaseClock* clock);

namespace detail {
extern PhaseClock* installed_phase_clock;
}  // namespace detail

// While it lives, time belongs to its phase; one within another pauses it. Costs a branch where no
// clock is installed. To be used outside parallel regions.
class [[nodiscard]] PhaseScope {
 public:
  explicit PhaseScope(Phase phase) : clock_(detail::installed_phase_clock) {
    if (clock_ != nullptr) {
      outer_ = clock_->change_to(static_cast<size_t>(phase));
    }
  }
  ~PhaseScope() {
    if (clock_ != nullptr) {
      clock_->change_to(outer_);
    }
  }
  PhaseScope(const PhaseScope&) = delete;
  PhaseScope& operator=(const PhaseScope&) = delete;

 private:
  PhaseClock* clock_;
  size_t outer_ = 0;
};

}  // namespace ebt
