// How products are cut into the parts that threads take, for the files that implement gemm.h.
#pragma once

#include <cstdint>

#include "ebt/kernels/gemm.h"

namespace ebt::kernels {

// A product is cut into blocks of rows of c whose size depends on nothing but the kind of product,
// and each block is one single-threaded call: so results do not depend on the number of threads,
// and oneDNN never splits the sum. Measured on shapes of 4xs and xxs, blocks of 128 (64 when a is
// transposed) run within 5 % of oneDNN's own threading.
inline constexpr int64_t kBlockRows = 128;
inline constexpr int64_t kBlockRowsTransposed = 64;

// Tells the observer, if there is one.
void observe_gemm(const GemmShape& shape);

}  // namespace ebt::kernels
