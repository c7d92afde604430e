// The ranking loss (ranking.h) for one instruction set.
#include <cmath>

#include "ebt/kernels/cpu/parallel.h"
#include "ebt/kernels/ranking.h"

namespace ebt::kernels {
namespace {

template <class T>
void loss_and_gradient(int64_t count, const T* truth, const T* candidate, const int32_t* targets,
                       double scale, T* loss, T* truth_bar) {
#pragma omp parallel for schedule(static) if (count > kSerialElements)
  for (int64_t i = 0; i < count; ++i) {
    if (targets[i] < 0) {
      loss[i] = T(0);
      truth_bar[i] = T(0);
      continue;
    }
    const double gap = static_cast<double>(truth[i]) - static_cast<double>(candidate[i]);
    const double size = gap < 0 ? -gap : gap;
    loss[i] = static_cast<T>((gap > 0 ? gap : 0.0) + std::log1p(std::exp(-size)));
    truth_bar[i] = static_cast<T>(scale / (1 + std::exp(-gap)));
  }
}

template <class T>
constexpr RankingKernels<T> kTable{&loss_and_gradient<T>};

}  // namespace

#define EBT_TABLE(T)                                                        \
  template <>                                                               \
  const RankingKernels<T>& kernels_for<RankingKernels<T>, Isa::EBT_ISA>() { \
    return kTable<T>;                                                       \
  }
EBT_TABLE(float)
EBT_TABLE(double)
#undef EBT_TABLE

}  // namespace ebt::kernels
