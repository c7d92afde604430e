// Images (n, C, H, W) cut into patches of P by P pixels, row by row: (n, H/P W/P, values of a
// patch).
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

// How they lie. The values of a patch are (C, P, P), or (P, P, C) with `channels_last`.
struct PatchGrid {
  int64_t images = 0;
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t patch = 0;
  bool channels_last = false;

  int64_t columns() const { return width / patch; }
  int64_t patches() const { return height / patch * columns(); }
  int64_t patch_size() const { return channels * patch * patch; }
};

template <class T>
struct PatchKernels {
  void (*gather)(const PatchGrid& grid, const T* images, T* patches);
  // Into the images, or added to them.
  void (*scatter)(const PatchGrid& grid, const T* patches, bool add, T* images);
};

template <class T>
const PatchKernels<T>& patches() {
  return table<PatchKernels<T>>();
}

}  // namespace ebt::kernels
