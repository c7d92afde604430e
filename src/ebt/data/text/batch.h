// A batch of token rows and their targets.
#pragma once

#include <cstdint>
#include <vector>

#include "ebt/core/tensor.h"

namespace ebt {

// A target that carries no loss.
inline constexpr int32_t kIgnoredTarget = -1;

// Rows of tokens and the token that follows each.
struct Batch {
  std::vector<int32_t> inputs;   // (B, S)
  std::vector<int32_t> targets;  // (B, S), kIgnoredTarget where there is none
  int64_t rows = 0;              // B
  int64_t context = 0;           // S
  // Bytes of text that the targets stand for, to measure loss per byte: separators and ignored
  // targets stand for none.
  int64_t target_bytes = 0;

  // Leaves the values as they are, or zero.
  void resize(int64_t new_rows, int64_t new_context) {
    rows = new_rows;
    context = new_context;
    inputs.resize(static_cast<size_t>(rows * context));
    targets.resize(static_cast<size_t>(rows * context));
  }
  Tensor<const int32_t> input_view() const { return {inputs.data(), {rows, context}}; }
  Tensor<const int32_t> target_view() const { return {targets.data(), {rows, context}}; }
};

}  // namespace ebt
