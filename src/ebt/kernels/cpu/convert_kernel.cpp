// Conversion from the computing to the stored type (convert.h) for one instruction set.
#include "ebt/core/bfloat16.h"
#include "ebt/kernels/convert.h"
#include "ebt/kernels/cpu/parallel.h"

namespace ebt::kernels {
namespace {

template <class T, class S>
void round(int64_t count, const T* x, S* y) {
#pragma omp parallel for simd schedule(static) if (parallel : count > kSerialElements)
  for (int64_t i = 0; i < count; ++i) {
    y[i] = static_cast<S>(x[i]);
  }
}

template <class T, class S>
constexpr ConvertKernels<T, S> kTable{&round<T, S>};

}  // namespace

#define EBT_TABLE(T, S)                                                           \
  template <>                                                                     \
  const ConvertKernels<T, S>& kernels_for<ConvertKernels<T, S>, Isa::EBT_ISA>() { \
    return kTable<T, S>;                                                          \
  }
EBT_TABLE(float, float)
EBT_TABLE(float, Bfloat16)
EBT_TABLE(Bfloat16, float)
EBT_TABLE(double, double)
#undef EBT_TABLE

}  // namespace ebt::kernels
