#include "phase_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace ebt {

Json to_json(const PhaseSeconds& phases) {
  Json object = Json::object();
  for (size_t i = 0; i < kPhaseCount; ++i) {
    object[phase_name(static_cast<Phase>(i))] = phases.phase[i];
  }
  object["other"] = phases.other;
  return object;
}

void print_phases(const PhaseSeconds& phases) {
  const auto print = [&](const std::string& name, double seconds) {
    if (seconds > 0) {
      fmt::print("    {:<22}{:>10.4f} s   ({:.1f} %)\n", name, seconds,
                 100 * seconds / phases.total());
    }
  };
  for (size_t i = 0; i < kPhaseCount; ++i) {
    std::string name = phase_name(static_cast<Phase>(i));
    std::replace(name.begin(), name.end(), '_', ' ');
    print(name, phases.phase[i]);
  }
  print("other", phases.other);
}

}  // namespace ebt
