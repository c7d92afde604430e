// bfloat16, the upper half of a float: what the bf16 precision stores and multiplies.
#pragma once

#include <cstdint>
#include <cstring>

namespace ebt {

// Eight exponent bits and seven of mantissa, rounded to nearest even. Arithmetic happens in float:
// a value converts to float by itself and back only where that is written out. Every function is
// inlined whatever the optimiser thinks, because kernel files may not share code (kernels/isa.h).
struct Bfloat16 {
  uint16_t bits;

  Bfloat16() = default;
  [[gnu::always_inline]] explicit Bfloat16(float value) {
    uint32_t word;
    std::memcpy(&word, &value, sizeof(word));
    const uint32_t rounded = (word + 0x7FFFU + ((word >> 16U) & 1U)) >> 16U;
    // Rounding would carry the mantissa of some NaNs into the sign.
    bits = static_cast<uint16_t>((word & 0x7FFFFFFFU) > 0x7F800000U ? 0x7FC0U : rounded);
  }
  // NOLINTNEXTLINE(google-explicit-constructor): exact, and what every reader wants
  [[gnu::always_inline]] operator float() const {
    const uint32_t word = static_cast<uint32_t>(bits) << 16U;
    float value;
    std::memcpy(&value, &word, sizeof(value));
    return value;
  }
};

}  // namespace ebt
