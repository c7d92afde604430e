#include "ebt/kernels/rng.h"

#include <Random123/philox.h>

#include "ebt/kernels/random.h"

namespace ebt {
namespace {

// A step number uses 32 bits of the counter; what is above them goes into the purpose's word.
kernels::PhiloxStream philox_stream(const RandomStream& stream) {
  return {{static_cast<uint32_t>(stream.seed), static_cast<uint32_t>(stream.seed >> 32U)},
          static_cast<uint32_t>(stream.purpose) | static_cast<uint32_t>(stream.step >> 32U) << 8U,
          static_cast<uint32_t>(stream.step)};
}

}  // namespace

uint32_t RandomStream::bits(uint64_t element) const {
  const kernels::PhiloxStream stream = philox_stream(*this);
  const uint64_t group = element / 4;
  const philox4x32_ctr_t counter = {{static_cast<uint32_t>(group),
                                     static_cast<uint32_t>(group >> 32U), stream.step,
                                     stream.purpose}};
  const philox4x32_key_t key = {{stream.key[0], stream.key[1]}};
  return philox4x32_R(10, counter, key).v[element % 4];
}

double RandomStream::uniform(uint64_t element) const {
  return static_cast<double>(bits(element) >> 8U) * 0x1p-24;
}

uint64_t RandomStream::below(uint64_t bound, uint64_t element) const {
  const uint64_t high = bits(2 * element);
  const uint64_t low = bits(2 * element + 1);
  return static_cast<uint64_t>((static_cast<unsigned __int128>(high << 32U | low) * bound) >> 64U);
}

template <class T>
void RandomStream::normal(uint64_t first, Tensor<T> out, T scale) const {
  kernels::random<T>().normal(philox_stream(*this), first, out.count(), scale, out.data);
}

template <class T>
void RandomStream::uniform(uint64_t first, Tensor<T> out) const {
  kernels::random<T>().uniform(philox_stream(*this), first, out.count(), out.data);
}

#define EBT_INSTANTIATE(T)                                             \
  template void RandomStream::normal<T>(uint64_t, Tensor<T>, T) const; \
  template void RandomStream::uniform<T>(uint64_t, Tensor<T>) const;
EBT_INSTANTIATE(float)
EBT_INSTANTIATE(double)
#undef EBT_INSTANTIATE

}  // namespace ebt
