// Sums over rows that come out the same for any number of threads. For kernel files only.
#pragma once

#include <cstdint>

#include "ebt/kernels/cpu/parallel.h"
#include "ebt/kernels/cpu/thread_buffer.h"

namespace {

// Rows are cut into this many chunks at most; each chunk is summed by one thread, and the chunks
// are added in order.
inline constexpr int64_t kRowChunks = 32;

// Two sums over rows, each (width) and added to, or null.
template <class T>
struct RowSums {
  T* first;
  T* second;
};

// Calls body(first, last, partial of the first sum, of the second) for every chunk of rows in
// parallel, where a partial is the chunk's own zeroed (width), then adds all partials to the sums.
// The partial of a null sum is null.
template <class T, class Body>
void for_row_chunks(int64_t rows, int64_t width, RowSums<T> sums, Body&& body) {
  const int64_t chunk = (rows + kRowChunks - 1) / kRowChunks;
  const int64_t chunks = chunk == 0 ? 0 : (rows + chunk - 1) / chunk;
  const bool wanted = sums.first != nullptr || sums.second != nullptr;
  T* const partials = wanted ? thread_buffer<T>(2 * chunks * width) : nullptr;
  for (int64_t i = 0; wanted && i < 2 * chunks * width; ++i) {
    partials[i] = T(0);
  }
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t c = 0; c < chunks; ++c) {
    const int64_t last = (c + 1) * chunk < rows ? (c + 1) * chunk : rows;
    T* own = wanted ? partials + 2 * c * width : nullptr;
    body(c * chunk, last, sums.first == nullptr ? nullptr : own,
         sums.second == nullptr ? nullptr : own + width);
  }
  for (int which = 0; which < 2; ++which) {
    T* total = which == 0 ? sums.first : sums.second;
    for (int64_t c = 0; c < chunks && total != nullptr; ++c) {
      const T* own = partials + (2 * c + which) * width;
      for (int64_t i = 0; i < width; ++i) {
        total[i] += own[i];
      }
    }
  }
}

// Groups of rows that have sums of their own, `stride` elements apart.
struct RowGroups {
  int64_t groups = 1;
  int64_t stride = 0;
};

// Calls body(row, first sum, second sum) for all rows in parallel, with sums of the row's group
// that the call may add to. Rows of a single group are summed in chunks.
template <class T, class Body>
void for_grouped_rows(int64_t rows, int64_t width, RowGroups groups, RowSums<T> sums, Body&& body) {
  if (groups.groups == 1) {
    for_row_chunks<T>(rows, width, sums, [&](int64_t first, int64_t last, T* one, T* two) {
      for (int64_t row = first; row < last; ++row) {
        body(row, one, two);
      }
    });
    return;
  }
  const int64_t each = rows / groups.groups;
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t group = 0; group < groups.groups; ++group) {
    const auto own = [&](T* all) { return all == nullptr ? nullptr : all + group * groups.stride; };
    for (int64_t row = group * each; row < (group + 1) * each; ++row) {
      body(row, own(sums.first), own(sums.second));
    }
  }
}

}  // namespace
