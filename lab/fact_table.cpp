#include "lab/fact_table.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace ebt {
namespace {

constexpr int32_t kLeast = std::numeric_limits<int32_t>::min();
constexpr int32_t kMost = std::numeric_limits<int32_t>::max();

// From `first` to `last`, both included.
std::span<const Fact> between(const std::vector<Fact>& facts, const Fact& first, const Fact& last) {
  const auto begin = std::lower_bound(facts.begin(), facts.end(), first);
  return {begin, std::upper_bound(begin, facts.end(), last)};
}

}  // namespace

FactTable::FactTable(std::vector<Fact> facts) : facts_(std::move(facts)) {
  std::sort(facts_.begin(), facts_.end());
}

std::span<const Fact> FactTable::of(int32_t head) const {
  return between(facts_, {head, kLeast, kLeast}, {head, kMost, kMost});
}

std::span<const Fact> FactTable::of(int32_t head, int32_t relation) const {
  return between(facts_, {head, relation, kLeast}, {head, relation, kMost});
}

bool FactTable::contains(const Fact& fact) const {
  return std::binary_search(facts_.begin(), facts_.end(), fact);
}

std::vector<int32_t> FactTable::heads() const {
  std::vector<int32_t> heads;
  for (const Fact& fact : facts_) {
    if (heads.empty() || heads.back() != fact.head) {
      heads.push_back(fact.head);
    }
  }
  return heads;
}

}  // namespace ebt
