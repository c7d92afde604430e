// A sorted table of facts with lookup.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <vector>

namespace ebt {

// "The {relation} of {head} is {tail}.", by numbers.
struct Fact {
  int32_t head = 0;
  int32_t relation = 0;
  int32_t tail = 0;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 means what this stands for
  auto operator<=>(const Fact&) const = default;
};

// Facts in order: those of a head, and of a head and a relation, are neighbours. Immutable and
// thread-safe. Spans are valid as long as the table.
class FactTable {
 public:
  FactTable() = default;
  // Sorts them; what stands there twice stays twice.
  explicit FactTable(std::vector<Fact> facts);

  const std::vector<Fact>& facts() const { return facts_; }
  std::span<const Fact> of(int32_t head) const;
  std::span<const Fact> of(int32_t head, int32_t relation) const;
  bool contains(const Fact& fact) const;
  // Every head once, in order.
  std::vector<int32_t> heads() const;

 private:
  std::vector<Fact> facts_;
};

}  // namespace ebt
