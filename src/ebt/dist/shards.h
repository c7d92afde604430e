// How a vector is shared out among the ranks of a group, so that halving can do it.
#pragma once

#include <cstdint>
#include <vector>

namespace ebt {

// Elements [begin, end).
struct ElementRange {
  int64_t begin = 0, end = 0;
  int64_t count() const { return end - begin; }
};

// A shard for each of N ranks, a power of two. Shards lie in the order of the ranks' numbers read
// with their bits reversed: ranks that differ in bit 0 alone are then in different halves of the
// vector, those that differ in bit 1 in different halves of these, and so on.
class Shards {
 public:
  // One of nothing.
  Shards() = default;
  // N + 1 ascending positions: where the shards begin, and where the last ends. Throws Error unless
  // N is a power of two.
  explicit Shards(std::vector<int64_t> boundaries);

  int ranks() const { return 1 << levels_; }
  // log2 of the ranks.
  int levels() const { return levels_; }
  // All elements.
  ElementRange all() const { return {boundaries_.front(), boundaries_.back()}; }
  ElementRange of(int rank) const { return after_halvings(rank, levels_); }
  // What is left to a rank once the vector was halved so often: the shards of all ranks whose
  // lowest `halvings` bits are its own.
  ElementRange after_halvings(int rank, int halvings) const;

 private:
  int levels_ = 0;
  std::vector<int64_t> boundaries_{0, 0};
};

// Chooses `parts` + 1 of the ascending `cuts`, the first and the last among them, by their index:
// those that part what lies between best into equal parts.
std::vector<int64_t> choose_cuts(const std::vector<int64_t>& cuts, int parts);

}  // namespace ebt
