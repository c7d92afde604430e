// The packed storage of matrices that single rows are multiplied by: neighbours along the summed
// direction lie together, because machines multiply bf16 in pairs.
#pragma once

#include <cstdint>

#include "ebt/core/bfloat16.h"

namespace ebt::kernels {

// Neighbours that are stored together.
template <class S>
inline constexpr int64_t kPack = 1;
template <>
inline constexpr int64_t kPack<Bfloat16> = 2;

}  // namespace ebt::kernels
