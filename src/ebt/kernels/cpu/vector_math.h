// Elementary functions that the compiler can vectorise, for kernel files only (internal linkage).
//
// float: series on a reduced range, relative error below 2.5e-7. double: the C library's, because
// float64 exists here for exactness alone.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace {

template <class To, class From>
inline To bit_cast_to(From from) {
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

// e^x; 0 below -87.3, largest finite power above 88.
inline float exponential(float x) {
  const float bounded = x < -87.3F ? -87.3F : (x > 88.0F ? 88.0F : x);
  // Adding 1.5 * 2^23 leaves the nearest integer in the low mantissa bits.
  const float shifted = bounded * 1.44269504F + 12582912.0F;
  const float power = shifted - 12582912.0F;
  const float r = (bounded - power * 0.693145752F) - power * 1.42860677e-6F;
  float sum = 1.0F / 5040.0F;
  sum = sum * r + 1.0F / 720.0F;
  sum = sum * r + 1.0F / 120.0F;
  sum = sum * r + 1.0F / 24.0F;
  sum = sum * r + 1.0F / 6.0F;
  sum = sum * r + 0.5F;
  sum = sum * r + 1.0F;
  sum = sum * r + 1.0F;
  const uint32_t exponent = (bit_cast_to<uint32_t>(shifted) + 127U) << 23U;
  const float result = sum * bit_cast_to<float>(exponent);
  return x < -87.3F ? 0.0F : result;
}
inline double exponential(double x) { return std::exp(x); }

// ln x for positive normal x.
inline float logarithm(float x) {
  const uint32_t bits = bit_cast_to<uint32_t>(x);
  // Subtracting the bits of sqrt(1/2) makes the mantissa fall in [sqrt(1/2), sqrt(2)).
  const int32_t exponent = static_cast<int32_t>(bits - 0x3F3504F3U) >> 23;
  const float m = bit_cast_to<float>(bits - (static_cast<uint32_t>(exponent) << 23U));
  const float s = (m - 1.0F) / (m + 1.0F);
  const float q = s * s;
  float sum = 1.0F / 9.0F;
  sum = sum * q + 1.0F / 7.0F;
  sum = sum * q + 1.0F / 5.0F;
  sum = sum * q + 1.0F / 3.0F;
  sum = sum * q + 1.0F;
  return 2.0F * s * sum + static_cast<float>(exponent) * 0.693147181F;
}

template <class T>
inline T sigmoid(T x) {
  return T(1) / (T(1) + exponential(-x));
}

}  // namespace
