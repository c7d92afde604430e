// Sums over long rows in pieces, the same for any number of threads. For kernel files only
// (internal linkage).
#pragma once

#include <cstdint>

#include "ebt/kernels/cpu/thread_buffer.h"

namespace {

// Elements of a row that one thread takes at a time.
inline constexpr int64_t kPiece = 1 << 13;

// Calls body(row, begin, end, sums of the piece) for pieces of all rows in parallel, then
// done(row, sums) for every row, with `kSums` sums that were added in the order of its pieces.
template <int kSums, class Body, class Done>
void for_pieces(int64_t rows, int64_t width, Body&& body, Done&& done) {
  const int64_t each = (width + kPiece - 1) / kPiece;
  double* const sums = thread_buffer<double>(rows * each * kSums);
#pragma omp parallel for schedule(static) if (rows * each > 1)
  for (int64_t piece = 0; piece < rows * each; ++piece) {
    const int64_t begin = piece % each * kPiece;
    double* const own = sums + piece * kSums;
    for (int i = 0; i < kSums; ++i) {
      own[i] = 0;
    }
    body(piece / each, begin, begin + kPiece < width ? begin + kPiece : width, own);
  }
  for (int64_t row = 0; row < rows; ++row) {
    double total[kSums] = {};
    for (int64_t piece = row * each; piece < (row + 1) * each; ++piece) {
      for (int i = 0; i < kSums; ++i) {
        total[i] += sums[piece * kSums + i];
      }
    }
    done(row, total);
  }
}

}  // namespace
