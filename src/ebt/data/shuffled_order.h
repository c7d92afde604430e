// A random permutation for every epoch, of which any element can be computed alone.
#pragma once

#include <cstdint>

namespace ebt {

// The numbers 0 .. count - 1 in an order that follows from seed and epoch: a Feistel network (Luby
// and Rackoff, 1988) over the next power of four, whose rounds are random functions, applied again
// to whatever falls outside. Nothing is stored, so that threads need not agree on the epoch.
class ShuffledOrder {
 public:
  // count >= 1.
  ShuffledOrder(uint64_t seed, int64_t count);

  // What stands at `place` (0 .. count - 1) in the order of `epoch`.
  int64_t at(int64_t epoch, int64_t place) const;

 private:
  uint64_t seed_;
  uint64_t count_;
  unsigned half_bits_ = 1;  // of each of the network's halves
};

}  // namespace ebt
