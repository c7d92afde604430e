#include "ebt/io/float_elements.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace ebt {
namespace {

struct Float16 {
  uint16_t bits;
  explicit operator float() const {
    const int exponent = (bits >> 10) & 31;
    const int fraction = bits & 1023;
    float magnitude = 0.0F;
    if (exponent == 31) {
      magnitude = fraction == 0 ? std::numeric_limits<float>::infinity()
                                : std::numeric_limits<float>::quiet_NaN();
    } else if (exponent == 0) {
      magnitude = std::ldexp(static_cast<float>(fraction), -24);
    } else {
      magnitude = std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
    }
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
  }
};

struct BFloat16 {
  uint16_t bits;
  explicit operator float() const {
    return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  }
};

template <class From, class To>
void convert(std::span<const std::byte> bytes, Tensor<To> out) {
  using Wide = std::conditional_t<std::is_same_v<From, double>, double, float>;
  for (int64_t i = 0; i < out.count(); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + static_cast<size_t>(i) * sizeof(From), sizeof(From));
    out[i] = static_cast<To>(static_cast<Wide>(value));
  }
}

}  // namespace

bool is_floating_point(Dtype dtype) {
  return dtype == Dtype::kF64 || dtype == Dtype::kF32 || dtype == Dtype::kF16 ||
         dtype == Dtype::kBf16;
}

template <class T>
void read_floats(const StoredTensor& stored, Tensor<T> out) {
  EBT_CHECK(is_floating_point(stored.dtype) && stored.shape.count() == out.count(),
            "read_floats: {} of {} cannot be read as {}", stored.shape.to_string(),
            dtype_name(stored.dtype), out.shape.to_string());
  switch (stored.dtype) {
    case Dtype::kF64:
      return convert<double>(stored.bytes, out);
    case Dtype::kF16:
      return convert<Float16>(stored.bytes, out);
    case Dtype::kBf16:
      return convert<BFloat16>(stored.bytes, out);
    default:
      return convert<float>(stored.bytes, out);
  }
}

template void read_floats(const StoredTensor&, Tensor<float>);
template void read_floats(const StoredTensor&, Tensor<double>);

}  // namespace ebt
