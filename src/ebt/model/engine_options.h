// Options of how a model computes (precision, memory, chunks), as opposed to what it is.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

#include "ebt/core/bfloat16.h"
#include "ebt/core/error.h"

namespace ebt {

// What products multiply and activations are stored as. Weights, sums, norms, softmaxes and
// energies are float32 in both.
enum class Precision { kFp32, kBf16 };

// "fp32" or "bf16"; "auto" is bf16 where the CPU multiplies it natively, else fp32. Throws Error
// for another name.
Precision precision_of(const std::string& name);
std::string precision_name(Precision precision);

struct EngineOptions {
  // Takes gradients and what they need; false: inference alone.
  bool training = true;
  Precision precision = Precision::kFp32;
  // Keep the residual stream of a context's blocks instead of all they compute, which is then
  // computed again for their gradients: less memory for a third more time on the context.
  bool recompute = false;
  // Predictions computed together; 0: default_chunk_positions.
  int64_t chunk_positions = 0;
};

// Calls `make.template operator()<S>()` with the type that activations are stored as beside a
// computing type T. Throws Error for float64 in bf16.
template <class T, class Make>
auto with_stored_type(Precision precision, Make&& make) {
  if constexpr (std::is_same_v<T, float>) {
    if (precision == Precision::kBf16) {
      return make.template operator()<Bfloat16>();
    }
  }
  EBT_CHECK(precision == Precision::kFp32, "float64 has no bf16");
  return make.template operator()<T>();
}

}  // namespace ebt
