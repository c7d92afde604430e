// Products of float64 matrices in register-blocked tiles (tile.h) for one instruction set.
#include "ebt/kernels/cpu/tile.h"
#include "ebt/kernels/gemm.h"
#include "ebt/kernels/isa.h"

namespace ebt::kernels {
namespace {

// The right factor must have contiguous rows; a transposed one is packed in strips of `kStrip`.
constexpr int64_t kStrip = 64;

void block(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const double* a,
           int64_t a_row, const double* b, int64_t b_row, double* c, int64_t c_row, bool add) {
  const LeftFactor<double> left{a, transpose_a ? 1 : a_row, transpose_a ? a_row : 1};
  if (!transpose_b) {
    multiply(m, n, k, left, b, b_row, c, c_row, add);
    return;
  }
  double* strip = new double[static_cast<size_t>(k * kStrip)];
  for (int64_t first = 0; first < n; first += kStrip) {
    const int64_t width = n - first < kStrip ? n - first : kStrip;
    for (int64_t j = 0; j < width; ++j) {
      for (int64_t i = 0; i < k; ++i) {
        strip[i * kStrip + j] = b[(first + j) * b_row + i];
      }
    }
    multiply(m, width, k, left, strip, kStrip, c + first, c_row, add);
  }
  delete[] strip;
}

}  // namespace

template <>
const GemmKernels<double>& kernels_for<GemmKernels<double>, Isa::EBT_ISA>() {
  static constexpr GemmKernels<double> table{&block};
  return table;
}

}  // namespace ebt::kernels
