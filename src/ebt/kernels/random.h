// Random numbers in bulk, from the generator of kernels/rng.h.
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

// What Philox 4x32-10 turns into four random words: a key and the upper three quarters of the
// counter; its lowest word(s) number the group of four elements.
struct PhiloxStream {
  uint32_t key[2];
  uint32_t purpose;
  uint32_t step;
};

// Draws do not depend on the precision: in double they are the float ones, scaled in double.
template <class T>
struct RandomKernels {
  // out[i] = scale * N(0,1) draw of element first + i: Box-Muller on the element's pair of words.
  void (*normal)(PhiloxStream stream, uint64_t first, int64_t count, T scale, T* out);
  // out[i] = draw of element first + i, uniform in [0, 1) with 24 random bits.
  void (*uniform)(PhiloxStream stream, uint64_t first, int64_t count, T* out);
};

template <class T>
const RandomKernels<T>& random() {
  return table<RandomKernels<T>>();
}

}  // namespace ebt::kernels
