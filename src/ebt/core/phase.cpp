#include "ebt/core/phase.h"

#include <numeric>

namespace ebt {

namespace detail {
PhaseClock* installed_phase_clock = nullptr;
}  // namespace detail

const char* phase_name(Phase phase) {
  constexpr std::array<const char*, kPhaseCount> kNames = {
      "context", "thinking", "inner_gradient", "tangent", "second_order", "vocabulary", "optimizer",
  };
  return kNames[static_cast<size_t>(phase)];
}

double PhaseSeconds::total() const { return std::accumulate(phase.begin(), phase.end(), other); }

PhaseClock::~PhaseClock() {
  if (detail::installed_phase_clock == this) {
    set_phase_clock(nullptr);
  }
}

void PhaseClock::restart() {
  spent_.fill(Clock::duration::zero());
  current_ = kOther;
  since_ = Clock::now();
}

PhaseSeconds PhaseClock::seconds() const {
  auto spent = spent_;
  spent[current_] += Clock::now() - since_;
  const auto in_seconds = [](Clock::duration d) {
    return std::chrono::duration<double>(d).count();
  };
  PhaseSeconds result;
  for (size_t i = 0; i < kPhaseCount; ++i) {
    result.phase[i] = in_seconds(spent[i]);
  }
  result.other = in_seconds(spent[kOther]);
  return result;
}

size_t PhaseClock::change_to(size_t slot) {
  const Clock::time_point now = Clock::now();
  spent_[current_] += now - since_;
  since_ = now;
  const size_t left = current_;
  current_ = slot;
  return left;
}

void set_phase_clock(PhaseClock* clock) { detail::installed_phase_clock = clock; }

}  // namespace ebt
