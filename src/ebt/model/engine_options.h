// How a model computes, as opposed to what it is: nothing here is part of its meaning.
#pragma once

#include <cstdint>
#include <string>

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

}  // namespace ebt
