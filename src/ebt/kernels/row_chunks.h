// Sums over rows that come out the same for any number of threads. For kernel files only.
#pragma once

#include <cstdint>

namespace {

// Rows are cut into this many chunks at most; each chunk is summed by one thread, and the chunks
// are added in order.
inline constexpr int64_t kRowChunks = 32;

// Calls body(first, last, partial) for every chunk of rows in parallel, where `partial` (width) is
// the chunk's own zeroed sum, then adds all partials to `total` (width). With total null, partial
// is null and only the calls are made.
template <class T, class Body>
void for_row_chunks(int64_t rows, int64_t width, T* total, Body&& body) {
  const int64_t chunk = (rows + kRowChunks - 1) / kRowChunks;
  const int64_t chunks = chunk == 0 ? 0 : (rows + chunk - 1) / chunk;
  T* partials = total == nullptr ? nullptr : new T[static_cast<size_t>(chunks * width)]();
#pragma omp parallel for schedule(static)
  for (int64_t c = 0; c < chunks; ++c) {
    const int64_t last = (c + 1) * chunk < rows ? (c + 1) * chunk : rows;
    body(c * chunk, last, partials == nullptr ? nullptr : partials + c * width);
  }
  if (total != nullptr) {
    for (int64_t c = 0; c < chunks; ++c) {
      for (int64_t i = 0; i < width; ++i) {
        total[i] += partials[c * width + i];
      }
    }
    delete[] partials;
  }
}

}  // namespace
