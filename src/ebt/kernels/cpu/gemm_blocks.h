// The division of products among threads, for the files that implement gemm.h.
#pragma once

#include <dnnl.h>

#include <algorithm>
#include <cstdint>

#include "ebt/core/error.h"
#include "ebt/core/threads.h"
#include "ebt/kernels/gemm.h"

namespace ebt::kernels {

// A product is cut into blocks of rows of c whose size depends on nothing but the kind of product,
// and each block is one single-threaded call: so results do not depend on the number of threads,
// and oneDNN never splits the sum. Measured on shapes of 4xs and xxs, blocks of 128 (64 when a is
// transposed) run within 5 % of oneDNN's own threading.
//
// Single-threaded means that every call of oneDNN, those that make its primitives included, happens
// while a OneThread lives. oneDNN splits its work for omp_get_max_threads() threads unless
// omp_in_parallel(), which a team of one thread is not, and leaves out the parts of threads that it
// is not granted.
inline constexpr int64_t kBlockRows = 128;
inline constexpr int64_t kBlockRowsTransposed = 64;

// Rows of batches, which are those of a and c, are multiplied at least so many at a time, among
// them some that nobody reads: oneDNN sums in another order below 16 rows in float32, and up to 32
// in bf16 where the result is small, and what becomes of a row is not to depend on how many others
// there are.
inline constexpr int64_t kLeastRows = 33;

// Calls block(first, count) for every block of `rows`, in parallel, each on one thread.
template <class Block>
void for_row_blocks(int64_t rows, int64_t block_rows, const Block& block) {
  run_in_parallel((rows + block_rows - 1) / block_rows, [&](int64_t index) {
    const int64_t first = index * block_rows;
    block(first, std::min(block_rows, rows - first));
  });
}

// c (m, n) = a b, or added to it. Strides are in elements; a and b are read as columns where they
// are transposed. Within for_row_blocks.
inline void multiply_block(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                           const float* a, int64_t a_row, const float* b, int64_t b_row, float* c,
                           int64_t c_row, bool add) {
  // dnnl_sgemm has the same signature in oneDNN 2 and 3.
  EBT_CHECK(dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1.0F, a, a_row, b,
                       b_row, add ? 1.0F : 0.0F, c, c_row) == dnnl_success,
            "gemm: oneDNN refused the product ({},{}) by ({},{})", m, k, k, n);
}

// Tells the observer, if there is one.
void observe_gemm(const GemmShape& shape);

}  // namespace ebt::kernels
