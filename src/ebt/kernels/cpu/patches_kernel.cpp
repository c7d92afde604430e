// Patches of images (patches.h) for one instruction set.
#include "ebt/kernels/cpu/parallel.h"
#include "ebt/kernels/patches.h"

namespace ebt::kernels {
namespace {

// Calls body(offset in the images, offset in the patches, stride in the patches) for every row of
// `patch` pixels of every patch, patches in parallel.
template <class Body>
void for_pixel_rows(const PatchGrid& grid, Body&& body) {
  const int64_t height = grid.height;
  const int64_t channels = grid.channels;
  const int64_t patch = grid.patch;
  const int64_t columns = grid.width / patch;
  const int64_t patches = height / patch * columns;
  const int64_t size = channels * patch * patch;
  const int64_t stride = grid.channels_last ? channels : 1;
  const int64_t to_next_row = grid.channels_last ? channels * patch : patch;
  const int64_t to_next_channel = grid.channels_last ? 1 : patch * patch;
#pragma omp parallel for schedule(static) if (grid.images * patches * size > kSerialElements)
  for (int64_t t = 0; t < grid.images * patches; ++t) {
    const int64_t image = t / patches;
    const int64_t top = t % patches / columns * patch;
    const int64_t left = t % columns * patch;
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t y = 0; y < patch; ++y) {
        body(((image * channels + c) * height + top + y) * grid.width + left,
             t * size + c * to_next_channel + y * to_next_row, stride);
      }
    }
  }
}

template <class T>
void gather(const PatchGrid& grid, const T* images, T* patches) {
  for_pixel_rows(grid, [=, patch = grid.patch](int64_t pixel, int64_t at, int64_t stride) {
    for (int64_t i = 0; i < patch; ++i) {
      patches[at + i * stride] = images[pixel + i];
    }
  });
}

template <class T>
void scatter(const PatchGrid& grid, const T* patches, bool add, T* images) {
  for_pixel_rows(grid, [=, patch = grid.patch](int64_t pixel, int64_t at, int64_t stride) {
    for (int64_t i = 0; i < patch; ++i) {
      images[pixel + i] = (add ? images[pixel + i] : T(0)) + patches[at + i * stride];
    }
  });
}

template <class T>
constexpr PatchKernels<T> kTable{&gather<T>, &scatter<T>};

}  // namespace

#define EBT_TABLE(T)                                                    \
  template <>                                                           \
  const PatchKernels<T>& kernels_for<PatchKernels<T>, Isa::EBT_ISA>() { \
    return kTable<T>;                                                   \
  }
EBT_TABLE(float)
EBT_TABLE(double)
#undef EBT_TABLE

}  // namespace ebt::kernels
