// Normal numbers in bulk, from the generator of core/rng.h.
#pragma once

#include <cstdint>

namespace ebt::kernels {

// What Philox 4x32-10 turns into four random words: a key and the upper three quarters of the
// counter; its lowest word(s) number the group of four elements.
struct PhiloxStream {
  uint32_t key[2];
  uint32_t purpose;
  uint32_t step;
};

struct RandomKernels {
  // out[i] = N(0,1) draw of element first + i: Box-Muller on the element's pair of words.
  void (*normal)(PhiloxStream stream, uint64_t first, int64_t count, float* out);
};

}  // namespace ebt::kernels
