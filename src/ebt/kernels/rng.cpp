#include "ebt/kernels/rng.h"

#include <Random123/philox.h>

#include <algorithm>
#include <vector>

#include "ebt/kernels/isa.h"
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
  const auto& table = kernels::kernels<kernels::RandomKernels>();
  const kernels::PhiloxStream stream = philox_stream(*this);
  if constexpr (std::is_same_v<T, float>) {
    table.normal(stream, first, out.count(), out.data);
    for (int64_t i = 0; i < out.count() && scale != 1.0F; ++i) {
      out[i] *= scale;
    }
  } else {
    // The same numbers as in float32: precision must not change what is drawn.
    constexpr int64_t kBlock = 4096;
    std::vector<float> block(kBlock);
    for (int64_t begin = 0; begin < out.count(); begin += kBlock) {
      const int64_t count = std::min(kBlock, out.count() - begin);
      table.normal(stream, first + static_cast<uint64_t>(begin), count, block.data());
      for (int64_t i = 0; i < count; ++i) {
        out[begin + i] = static_cast<T>(block[static_cast<size_t>(i)]) * scale;
      }
    }
  }
}

template void RandomStream::normal<float>(uint64_t, Tensor<float>, float) const;
template void RandomStream::normal<double>(uint64_t, Tensor<double>, double) const;

}  // namespace ebt
