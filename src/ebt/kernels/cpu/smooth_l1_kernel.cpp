// The smooth L1 loss (smooth_l1.h) for one instruction set.
#include "ebt/kernels/cpu/pieces.h"
#include "ebt/kernels/smooth_l1.h"

namespace ebt::kernels {
namespace {

template <class T>
void loss_and_gradient(int64_t rows, int64_t width, const T* x, const T* target, T slope, T* loss,
                       T* error, T* x_bar) {
  for_pieces<2>(
      rows, width,
      [=](int64_t row, int64_t begin, int64_t end, double* sums) {
        for (int64_t i = row * width + begin; i < row * width + end; ++i) {
          const T d = x[i] - target[i];
          const T size = d < T(0) ? -d : d;
          sums[0] += static_cast<double>(size < T(1) ? d * d / T(2) : size - T(0.5));
          sums[1] += static_cast<double>(d * d);
          if (x_bar != nullptr) {
            x_bar[i] = slope * (d < T(-1) ? T(-1) : (d > T(1) ? T(1) : d));
          }
        }
      },
      [=](int64_t row, const double* sums) {
        loss[row] = static_cast<T>(sums[0] / static_cast<double>(width));
        error[row] = static_cast<T>(sums[1] / static_cast<double>(width));
      });
}

template <class T>
constexpr SmoothL1Kernels<T> kTable{&loss_and_gradient<T>};

}  // namespace

#define EBT_TABLE(T)                                                          \
  template <>                                                                 \
  const SmoothL1Kernels<T>& kernels_for<SmoothL1Kernels<T>, Isa::EBT_ISA>() { \
    return kTable<T>;                                                         \
  }
EBT_TABLE(float)
EBT_TABLE(double)
#undef EBT_TABLE

}  // namespace ebt::kernels
