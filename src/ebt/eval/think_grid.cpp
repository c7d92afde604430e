#include "ebt/eval/think_grid.h"

#include "ebt/eval/value_list.h"

namespace ebt {

std::vector<ThinkOptions> ThinkGrid::options(const ThinkOptions& base) const {
  const auto whole_numbers = [](const std::string& text, const char* flag, int64_t one) {
    return text.empty() ? std::vector<int64_t>{one} : read_whole_numbers(text, flag, 1);
  };
  const std::vector<double> changes = stop_change.empty()
                                          ? std::vector<double>{base.stop_change}
                                          : read_numbers(stop_change, "stop-grid", 0);
  std::vector<ThinkOptions> result;
  for (const int64_t count : whole_numbers(candidates, "candidates-grid", base.candidates)) {
    for (const double change : changes) {
      for (const int64_t step : whole_numbers(steps, "grid", base.steps)) {
        ThinkOptions point = base;
        point.candidates = count;
        point.stop_change = change;
        point.steps = step;
        point.check();
        result.push_back(point);
      }
    }
  }
  return result;
}

}  // namespace ebt
