#include "ebt/core/phase.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

namespace ebt {
namespace {

using std::chrono::milliseconds;

void spend(int count) { std::this_thread::sleep_for(milliseconds(count)); }

TEST(Phase, HasOneNameEach) {
  std::set<std::string> names;
  for (size_t i = 0; i < kPhaseCount; ++i) {
    names.insert(phase_name(static_cast<Phase>(i)));
  }
  EXPECT_EQ(names.size(), kPhaseCount);
  EXPECT_STREQ(phase_name(Phase::kContext), "context");
  EXPECT_STREQ(phase_name(Phase::kOptimizer), "optimizer");
}

TEST(Phase, CountsOnlyWithAClock) {
  PhaseClock clock;
  {
    const PhaseScope scope(Phase::kContext);
    spend(2);
  }
  EXPECT_EQ(clock.seconds()[Phase::kContext], 0);
  EXPECT_GE(clock.seconds().other, 0.002);
}

TEST(Phase, GivesEveryMomentToTheInnermostScope) {
  PhaseClock clock;
  set_phase_clock(&clock);
  clock.restart();
  {
    const PhaseScope outer(Phase::kThinking);
    spend(5);
    {
      const PhaseScope inner(Phase::kVocabulary);
      spend(40);
    }
    const PhaseSeconds so_far = clock.seconds();
    EXPECT_GE(so_far[Phase::kVocabulary], 0.040);
    EXPECT_GE(so_far[Phase::kThinking], 0.005);
    spend(5);
  }
  spend(5);
  const PhaseSeconds seconds = clock.seconds();
  set_phase_clock(nullptr);
  EXPECT_GE(seconds[Phase::kThinking], 0.010);
  EXPECT_GE(seconds[Phase::kVocabulary], 0.040);
  EXPECT_GE(seconds.other, 0.005);
  EXPECT_EQ(seconds[Phase::kOptimizer], 0);
}

TEST(Phase, AddsUpToTheTimeThatPassed) {
  PhaseClock clock;
  set_phase_clock(&clock);
  const auto before = std::chrono::steady_clock::now();
  clock.restart();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) {
    const PhaseScope outer(Phase::kTangent);
    const PhaseScope inner(Phase::kTangent);
    spend(1);
  }
  const auto end = std::chrono::steady_clock::now();
  const double total = clock.seconds().total();
  const auto after = std::chrono::steady_clock::now();
  constexpr double kRounding = 1e-9;
  EXPECT_GE(total, std::chrono::duration<double>(end - start).count() - kRounding);
  EXPECT_LE(total, std::chrono::duration<double>(after - before).count() + kRounding);
}

TEST(Phase, ForgetsAtARestart) {
  PhaseClock clock;
  set_phase_clock(&clock);
  {
    const PhaseScope scope(Phase::kContext);
    spend(1);
  }
  EXPECT_GT(clock.seconds()[Phase::kContext], 0);
  clock.restart();
  EXPECT_EQ(clock.seconds()[Phase::kContext], 0);
}

TEST(Phase, ForgetsAClockThatIsGone) {
  {
    PhaseClock clock;
    set_phase_clock(&clock);
  }
  const PhaseScope scope(Phase::kContext);
  EXPECT_EQ(detail::installed_phase_clock, nullptr);
}

}  // namespace
}  // namespace ebt
