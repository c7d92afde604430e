// A sequential random number generator, for generators whose draws depend on earlier ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "ebt/kernels/rng.h"

namespace ebt {

// The numbers of one thing that is made, so that things can be made in any order: a stream of its
// own. Not thread-safe.
class RandomDraws {
 public:
  explicit RandomDraws(const RandomStream& stream) : stream_(stream) {}

  // Uniform in [0, 1), with 24 random bits.
  double uniform() { return stream_.uniform(2 * next_++); }
  // Uniform in {0 .. bound - 1}; bound > 0.
  int64_t below(int64_t bound) {
    return static_cast<int64_t>(stream_.below(static_cast<uint64_t>(bound), next_++));
  }
  // Uniform in {low .. high}; low <= high.
  int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }
  // One of the items, of which there must be one.
  template <class Item>
  const Item& pick(const std::vector<Item>& items) {
    return items[static_cast<size_t>(below(static_cast<int64_t>(items.size())))];
  }
  template <class Item>
  void shuffle(std::vector<Item>& items) {
    for (size_t last = items.size(); last > 1; --last) {
      std::swap(items[last - 1], items[static_cast<size_t>(below(static_cast<int64_t>(last)))]);
    }
  }

 private:
  RandomStream stream_;
  uint64_t next_ = 0;
};

}  // namespace ebt
