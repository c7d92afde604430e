// The matrix products of a training step by themselves: what a step would take if it did nothing
// else.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "ebt/kernels/gemm.h"

namespace ebt {

// The shapes of all products that `work` makes.
template <class Work>
std::vector<kernels::GemmShape> products_of(Work&& work) {
  std::vector<kernels::GemmShape> shapes;
  kernels::set_gemm_observer([&](const kernels::GemmShape& shape) { shapes.push_back(shape); });
  work();
  kernels::set_gemm_observer({});
  return shapes;
}

// Their floating-point operations.
double flops_of(const std::vector<kernels::GemmShape>& shapes);

// Runs products of the given shapes, one after the other, on memory of their own.
class GemmReplay {
 public:
  explicit GemmReplay(std::vector<kernels::GemmShape> shapes);
  // Floating-point operations of a run, 10^9.
  double gflop() const { return 1e-9 * flops_of(shapes_); }
  void run();

 private:
  void run_float(const kernels::GemmShape& shape);
  void run_bf16(const kernels::GemmShape& shape);

  std::vector<kernels::GemmShape> shapes_;
  std::vector<float> a_, b_, c_;
  std::vector<Bfloat16> a16_, b16_, c16_;
  std::map<std::pair<int64_t, int64_t>, std::unique_ptr<kernels::PackedMatrix>> packed_;
};

}  // namespace ebt
