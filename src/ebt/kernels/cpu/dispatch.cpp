// The choice of an instruction set at run time, and the instances of kernels<Table>().
#include <cstdlib>

#include "ebt/core/bfloat16.h"
#include "ebt/core/error.h"
#include "ebt/kernels/adamw.h"
#include "ebt/kernels/attention.h"
#include "ebt/kernels/columns.h"
#include "ebt/kernels/convert.h"
#include "ebt/kernels/diffusion.h"
#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/embedding.h"
#include "ebt/kernels/gate.h"
#include "ebt/kernels/gelu.h"
#include "ebt/kernels/gemm.h"
#include "ebt/kernels/isa.h"
#include "ebt/kernels/modulation.h"
#include "ebt/kernels/norm.h"
#include "ebt/kernels/patches.h"
#include "ebt/kernels/random.h"
#include "ebt/kernels/ranking.h"
#include "ebt/kernels/rotary.h"
#include "ebt/kernels/row_attention.h"
#include "ebt/kernels/row_product.h"
#include "ebt/kernels/rows.h"
#include "ebt/kernels/simplex_descent.h"
#include "ebt/kernels/smooth_l1.h"
#include "ebt/kernels/softmax.h"
#include "ebt/kernels/sums.h"
#include "ebt/kernels/swiglu.h"
#include "ebt/kernels/vector_descent.h"

namespace ebt::kernels {
namespace {

Isa widest_supported() {
#ifdef EBT_HAVE_ISA_avx512
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512cd")) {
#ifdef EBT_HAVE_ISA_avx512_bf16
    if (__builtin_cpu_supports("avx512bf16")) {
      return Isa::avx512_bf16;
    }
#endif
    return Isa::avx512;
  }
#endif
#ifdef EBT_HAVE_ISA_avx2
  // The rest of x86-64-v3 (lzcnt, movbe, f16c) came with the first CPUs that have these.
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")) {
    return Isa::avx2;
  }
#endif
  return Isa::portable;
}

Isa chosen() {
  const Isa supported = widest_supported();
  const char* text = std::getenv("EBT_MAX_ISA");
  if (text == nullptr) {
    return supported;
  }
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512, Isa::avx512_bf16}) {
    if (isa_name(isa) == text) {
      return isa < supported ? isa : supported;
    }
  }
  fail("EBT_MAX_ISA: \"{}\" is not one of portable, avx2, avx512, avx512_bf16", text);
}

}  // namespace

Isa active_isa() {
  static const Isa isa = chosen();
  return isa;
}

std::string isa_name(Isa isa) {
  switch (isa) {
    case Isa::avx512_bf16:
      return "avx512_bf16";
    case Isa::avx512:
      return "avx512";
    case Isa::avx2:
      return "avx2";
    default:
      return "portable";
  }
}

template <class Table>
const Table& table() {
  switch (active_isa()) {
#ifdef EBT_HAVE_ISA_avx512_bf16
    case Isa::avx512_bf16:
      return kernels_for<Table, Isa::avx512_bf16>();
#endif
#ifdef EBT_HAVE_ISA_avx512
    case Isa::avx512:
      return kernels_for<Table, Isa::avx512>();
#endif
#ifdef EBT_HAVE_ISA_avx2
    case Isa::avx2:
      return kernels_for<Table, Isa::avx2>();
#endif
    default:
      return kernels_for<Table, Isa::portable>();
  }
}

#define EBT_TABLES(T)                             \
  template const AdamWKernels<T>& table();        \
  template const CrossEntropyKernels<T>& table(); \
  template const DiffusionKernels<T>& table();    \
  template const ElementwiseKernels<T>& table();  \
  template const EmbeddingKernels<T>& table();    \
  template const ModulationKernels<T>& table();   \
  template const PatchKernels<T>& table();        \
  template const RandomKernels<T>& table();       \
  template const RankingKernels<T>& table();      \
  template const RowKernels<T>& table();          \
  template const SmoothL1Kernels<T>& table();     \
  template const SumKernels<T>& table();          \
  template const VectorDescentKernels<T>& table();
EBT_TABLES(float)
EBT_TABLES(double)
#undef EBT_TABLES
#define EBT_TABLES(T, S)                               \
  template const AttentionKernels<T, S>& table();      \
  template const ColumnKernels<T, S>& table();         \
  template const ConvertKernels<T, S>& table();        \
  template const GateKernels<T, S>& table();           \
  template const GeluKernels<T, S>& table();           \
  template const NormKernels<T, S>& table();           \
  template const RotaryKernels<T, S>& table();         \
  template const RowAttentionKernels<T, S>& table();   \
  template const RowProductKernels<T, S>& table();     \
  template const SimplexDescentKernels<T, S>& table(); \
  template const SoftmaxKernels<T, S>& table();        \
  template const SwigluKernels<T, S>& table();
EBT_TABLES(float, float)
EBT_TABLES(float, Bfloat16)
EBT_TABLES(double, double)
#undef EBT_TABLES
template const ConvertKernels<Bfloat16, float>& table();
template const ElementwiseKernels<Bfloat16>& table();
template const GemmKernels<double>& table();

}  // namespace ebt::kernels
