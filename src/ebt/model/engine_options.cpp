#include "ebt/model/engine_options.h"

#include "ebt/core/error.h"
#include "ebt/kernels/gemm.h"

namespace ebt {

Precision precision_of(const std::string& name) {
  if (name == "auto") {
    return kernels::bf16_engine() == "float32" ? Precision::kFp32 : Precision::kBf16;
  }
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    if (precision_name(precision) == name) {
      return precision;
    }
  }
  fail("--precision: \"{}\" is not one of auto, fp32, bf16", name);
}

std::string precision_name(Precision precision) {
  return precision == Precision::kBf16 ? "bf16" : "fp32";
}

}  // namespace ebt
