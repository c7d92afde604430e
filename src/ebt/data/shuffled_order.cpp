#include "ebt/data/shuffled_order.h"

#include <utility>

#include "ebt/kernels/rng.h"

namespace ebt {

ShuffledOrder::ShuffledOrder(uint64_t seed, int64_t count)
    : seed_(seed), count_(static_cast<uint64_t>(count)) {
  while (uint64_t{1} << 2 * half_bits_ < count_) {
    ++half_bits_;
  }
}

int64_t ShuffledOrder::at(int64_t epoch, int64_t place) const {
  constexpr uint64_t kRounds = 8;
  const RandomStream random{seed_, RandomPurpose::kDataOrder, static_cast<uint64_t>(epoch)};
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  auto number = static_cast<uint64_t>(place);
  do {
    uint64_t left = number >> half_bits_;
    uint64_t right = number & mask;
    for (uint64_t round = 0; round < kRounds; ++round) {
      left ^= random.bits(round << 32U | right) & mask;
      std::swap(left, right);
    }
    number = left << half_bits_ | right;
  } while (number >= count_);
  return static_cast<int64_t>(number);
}

}  // namespace ebt
