#include "bench/gemm_replay.h"

#include <algorithm>

namespace ebt {
namespace {

template <class T>
kernels::Matrix<T> matrix(T* data, int64_t rows, int64_t columns) {
  return {data, rows, columns, columns};
}

}  // namespace

double flops_of(const std::vector<kernels::GemmShape>& shapes) {
  double sum = 0;
  for (const auto& s : shapes) {
    sum += 2 * static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k);
  }
  return sum;
}

GemmReplay::GemmReplay(std::vector<kernels::GemmShape> shapes) : shapes_(std::move(shapes)) {
  size_t a = 0;
  size_t b = 0;
  size_t c = 0;
  for (const auto& s : shapes_) {
    a = std::max(a, static_cast<size_t>(s.m * s.k));
    b = std::max(b, static_cast<size_t>(s.k * s.n));
    c = std::max(c, static_cast<size_t>(s.m * s.n));
  }
  a_.assign(a, 0.5F);
  b_.assign(b, 0.25F);
  c_.assign(c, 0.0F);
  const bool rounded = std::any_of(shapes_.begin(), shapes_.end(),
                                   [](const kernels::GemmShape& s) { return s.bf16; });
  a16_.assign(rounded ? a : 0, Bfloat16(0.5F));
  b16_.assign(rounded ? b : 0, Bfloat16(0.25F));
  c16_.assign(rounded ? c : 0, Bfloat16(0.0F));
  for (const auto& s : shapes_) {
    if (s.bf16 && !s.transpose_a && packed_.count({s.k, s.n}) == 0) {
      auto matrix = std::make_unique<kernels::PackedMatrix>(s.k, s.n);
      matrix->pack(kernels::Matrix<const float>(b_.data(), s.k, s.n, s.n), false);
      packed_[{s.k, s.n}] = std::move(matrix);
    }
  }
}

void GemmReplay::run() {
  for (const auto& s : shapes_) {
    if (s.bf16) {
      run_bf16(s);
    } else {
      run_float(s);
    }
  }
}

void GemmReplay::run_float(const kernels::GemmShape& s) {
  using kernels::Write;
  const float* a = a_.data();
  const float* b = b_.data();
  const auto c = matrix(c_.data(), s.m, s.n);
  if (s.transpose_a) {
    kernels::multiply_tn<float, float>(matrix(a, s.k, s.m), matrix(b, s.k, s.n), c,
                                       Write::kReplace);
  } else if (s.transpose_b) {
    kernels::multiply_nt<float>(matrix(a, s.m, s.k), matrix(b, s.n, s.k), c, Write::kReplace);
  } else {
    kernels::multiply_nn<float>(matrix(a, s.m, s.k), matrix(b, s.k, s.n), c, Write::kReplace);
  }
}

void GemmReplay::run_bf16(const kernels::GemmShape& s) {
  using kernels::Write;
  const Bfloat16* a = a16_.data();
  if (s.transpose_a) {
    kernels::multiply_tn<float, Bfloat16>(matrix(a, s.k, s.m),
                                          matrix<const Bfloat16>(b16_.data(), s.k, s.n),
                                          matrix(c_.data(), s.m, s.n), Write::kReplace);
    return;
  }
  const kernels::WeightMatrix<float, Bfloat16> weights{
      {}, packed_.at({s.k, s.n}).get(), packed_.at({s.k, s.n}).get()};
  if (s.bf16_result) {
    kernels::multiply_nn<float, Bfloat16, Bfloat16>(matrix(a, s.m, s.k), weights,
                                                    matrix(c16_.data(), s.m, s.n), Write::kReplace);
  } else {
    kernels::multiply_nn<float, Bfloat16, float>(matrix(a, s.m, s.k), weights,
                                                 matrix(c_.data(), s.m, s.n), Write::kReplace);
  }
}

}  // namespace ebt
