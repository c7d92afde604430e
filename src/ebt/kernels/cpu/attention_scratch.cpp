// The size of the scratch memory of attention.h.
#include <algorithm>

#include "ebt/kernels/attention.h"

namespace ebt::kernels {

// attention_units.h says who keeps what.
size_t attention_scratch_bytes(int64_t heads, int64_t queries, int64_t keys, int64_t head_width,
                               int64_t threads) {
  constexpr int64_t kTile = 64;
  constexpr int64_t kWidthBlock = 16;
  constexpr int64_t kPackedBytes = 8;  // of a key and its value, in floats or twice in bf16
  constexpr int64_t kSumBytes = 8;     // of their cotangents
  const int64_t tiles = (queries + kTile - 1) / kTile;
  const int64_t elements = (keys + kTile - 1) / kTile * kTile *
                           ((head_width + kWidthBlock - 1) / kWidthBlock * kWidthBlock);
  if (heads == 0 || heads >= kPlentyOfHeads || tiles <= 1) {
    return static_cast<size_t>(std::min(threads, heads) * elements * (kPackedBytes + kSumBytes));
  }
  const int64_t groups = std::min((kPlentyOfHeads + heads - 1) / heads, tiles);
  return static_cast<size_t>(heads * elements * (kPackedBytes + groups * kSumBytes));
}

}  // namespace ebt::kernels
