#include "ebt/dist/shards.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "ebt/core/error.h"

namespace ebt {
namespace {

int log2_of(size_t ranks) {
  EBT_CHECK(std::has_single_bit(ranks), "{} ranks are not a power of two", ranks);
  return std::countr_zero(ranks);
}

}  // namespace

Shards::Shards(std::vector<int64_t> boundaries)
    : levels_(log2_of(boundaries.size() - 1)), boundaries_(std::move(boundaries)) {}

ElementRange Shards::after_halvings(int rank, int halvings) const {
  size_t part = 0;  // of 2^halvings
  for (int bit = 0; bit < halvings; ++bit) {
    part = 2 * part + (static_cast<size_t>(rank) >> static_cast<size_t>(bit) & 1U);
  }
  const size_t shards = size_t{1} << static_cast<size_t>(levels_ - halvings);
  return {boundaries_[part * shards], boundaries_[(part + 1) * shards]};
}

std::vector<int64_t> choose_cuts(const std::vector<int64_t>& cuts, int parts) {
  const double first = static_cast<double>(cuts.front());
  const double length = static_cast<double>(cuts.back()) - first;
  std::vector<int64_t> chosen{0};
  for (int part = 1; part < parts; ++part) {
    const double wanted = first + length * part / parts;
    auto cut = std::lower_bound(cuts.begin() + chosen.back(), cuts.end() - 1, wanted);
    if (cut != cuts.begin() + chosen.back() &&
        wanted - static_cast<double>(*(cut - 1)) < static_cast<double>(*cut) - wanted) {
      --cut;
    }
    chosen.push_back(cut - cuts.begin());
  }
  chosen.push_back(static_cast<int64_t>(cuts.size()) - 1);
  return chosen;
}

}  // namespace ebt
