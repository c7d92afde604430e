#include "ebt/data/answers/gaps.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ebt/core/config_check.h"

namespace ebt {

const EnumNames<GapKind>& enum_names(GapKind) {
  static const EnumNames<GapKind> names = {
      {"spans", GapKind::kSpans}, {"scattered", GapKind::kScattered}, {"mixed", GapKind::kMixed}};
  return names;
}

void GapConfig::check() const {
  constexpr int64_t kMostSpan = 10'000;
  check_closed_share("--gap-least", gap_least);
  check_closed_share("--gap-most", gap_most);
  EBT_CHECK(gap_least <= gap_most, "--gap-least: {} is more than --gap-most {}", gap_least,
            gap_most);
  check_between("--gap-span", gap_span, 1, kMostSpan);
}

void draw_gaps(const GapConfig& config, RandomDraws& draws, std::span<uint8_t> known) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < known.size(); ++i) {
    if (known[i] != 0) {
      starts.push_back(i);
    }
  }
  const double share = config.gap_least + (config.gap_most - config.gap_least) * draws.uniform();
  const auto count = static_cast<double>(starts.size());
  auto left = std::max<int64_t>(1, std::llround(share * count));
  const bool spans =
      config.gaps == GapKind::kMixed ? draws.below(2) == 0 : config.gaps == GapKind::kSpans;
  draws.shuffle(starts);
  for (const size_t start : starts) {
    if (left == 0) {
      return;
    }
    if (known[start] == 0) {
      continue;  // in a span already
    }
    const int64_t length = spans ? draws.between(1, 2 * config.gap_span - 1) : 1;
    const size_t end = std::min(known.size(), start + static_cast<size_t>(length));
    for (size_t i = start; i < end && left > 0 && known[i] != 0; ++i) {
      known[i] = 0;
      --left;
    }
  }
}

}  // namespace ebt
