// A grid of thinking options: every combination of the listed settings.
#pragma once

#include <string>
#include <vector>

#include "ebt/think/options.h"

namespace ebt {

// Values with commas between them; empty: the one value of the base options.
struct ThinkGrid {
  std::string steps;        // --grid: ThinkOptions::steps
  std::string candidates;   // --candidates-grid: ThinkOptions::candidates
  std::string stop_change;  // --stop-grid: ThinkOptions::stop_change

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("grid", steps, "numbers of thinking steps to measure, as in 1,2,4,8");
    visit("candidates-grid", candidates, "numbers of candidates to measure, as in 1,4");
    visit("stop-grid", stop_change, "thresholds of --stop-change to measure, as in 0,0.01,0.1");
  }

  // All combinations: steps vary fastest, then thresholds, then candidates. Throws Error naming the
  // flag whose values are not what they should be, or repeat one.
  std::vector<ThinkOptions> options(const ThinkOptions& base) const;
};

}  // namespace ebt
