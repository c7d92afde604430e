#include "ebt/kernels/cpu/row_chunks.h"
#include "ebt/kernels/cpu/stored.h"
#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/isa.h"

namespace ebt::kernels {
namespace {

template <class T>
void copy(int64_t count, const T* x, T* y) {
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < count; ++i) {
    y[i] = x[i];
  }
}

template <class T>
void zero(int64_t count, T* y) {
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < count; ++i) {
    y[i] = T(0);
  }
}

template <class T>
void add(int64_t count, T scale, const T* x, T* y) {
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < count; ++i) {
    y[i] += scale * x[i];
  }
}

template <class T>
void dot_rows(int64_t rows, int64_t width, const T* a, const T* b, T* out) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const T* left = a + row * width;
    const T* right = b + row * width;
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < width; ++i) {
      sum += left[i] * right[i];
    }
    out[row] = sum;
  }
}

// Calls body(row, first element) for every row in parallel.
template <class Body>
void for_rows(int64_t rows, int64_t width, Body&& body) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    body(row, row * width);
  }
}

template <class T, class S>
void round(int64_t count, const T* x, S* y) {
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < count; ++i) {
    y[i] = static_cast<S>(x[i]);
  }
}

template <class T, class S>
void sum_rows(int64_t rows, int64_t width, const S* a, const S* b, T* sum) {
  for_row_chunks<T>(rows, width, {sum, nullptr}, [=](int64_t first, int64_t last, T* own, T*) {
    for (int64_t row = first; row < last; ++row) {
      const S* left = a + row * width;
      const S* right = b == nullptr ? nullptr : b + row * width;
#pragma omp simd
      for (int64_t i = 0; i < width; ++i) {
        own[i] += static_cast<T>(left[i]) * (right == nullptr ? T(1) : static_cast<T>(right[i]));
      }
    }
  });
}

template <class T, class S>
void scale_columns(int64_t rows, int64_t width, const S* x, const T* scale, bool add, S* y) {
  for_rows(rows, width, [=](int64_t, int64_t first) {
    const S* in = x + first;
    S* out = y + first;
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] =
          static_cast<S>((add ? static_cast<T>(out[i]) : T(0)) + static_cast<T>(in[i]) * scale[i]);
    }
  });
}

// Turns one head.
template <class T, class In, class Out>
inline void turn(int64_t pairs, const T* cosine, const T* sine, T direction, const In* from,
                 Out* to) {
  for_blocks(pairs, [=](int64_t first, int64_t count) {
    alignas(64) T values[2 * kBlock];
    alignas(64) T turned[2 * kBlock];
    load(from + 2 * first, 2 * count, values);
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) {
      const T c = cosine[first + i];
      const T s = direction * sine[first + i];
      turned[2 * i] = values[2 * i] * c - values[2 * i + 1] * s;
      turned[2 * i + 1] = values[2 * i] * s + values[2 * i + 1] * c;
    }
    store(turned, 2 * count, to + 2 * first);
  });
}

template <class T, class S>
void rotate(int64_t rows, RotaryAngles<T> angles, int64_t stride, T direction, S* x) {
  const int64_t pairs = angles.width / 2;
  for_rows(rows, stride, [=](int64_t row, int64_t first) {
    const int64_t at = row % angles.positions * pairs;
    for (int64_t head = 0; head < angles.heads; ++head) {
      S* values = x + first + head * angles.width;
      turn(pairs, angles.cosine + at, angles.sine + at, direction, values, values);
    }
  });
}

template <class T, class S>
void collect_keys(int64_t rows, RotaryAngles<T> angles, const T* keys_bar, S* qkv_bar) {
  const int64_t pairs = angles.width / 2;
  const int64_t width = angles.heads * angles.width;
  for_rows(rows, 3 * width, [=](int64_t row, int64_t first) {
    const int64_t at = row % angles.positions * pairs;
    const T* k_bar = keys_bar + row * 2 * width;
    S* out = qkv_bar + first + width;
    for (int64_t head = 0; head < angles.heads; ++head) {
      turn(pairs, angles.cosine + at, angles.sine + at, T(-1), k_bar + head * angles.width,
           out + head * angles.width);
    }
    store(k_bar + width, width, out + width);
  });
}

template <class T, class S>
void descend(int64_t rows, int64_t width, const S* p, const T* step, const T* bound, T* g,
             T* next) {
  for_rows(rows, width, [=](int64_t row, int64_t first) {
    T* slope = g + first;
    if (bound != nullptr) {
      const T limit = bound[row];
#pragma omp simd
      for (int64_t i = 0; i < width; ++i) {
        slope[i] = slope[i] > limit ? limit : (slope[i] < -limit ? -limit : slope[i]);
      }
    }
    const S* from = p + first;
    T* to = next + first;
    const T size = step[row];
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      to[i] = static_cast<T>(from[i]) - size * slope[i];
    }
  });
}

template <class T, class S>
void descend_back(int64_t rows, int64_t width, const T* next_bar, const T* step, const T* bound,
                  const T* g, S* g_bar) {
  for_rows(rows, width, [=](int64_t row, int64_t first) {
    const T* bar = next_bar + first;
    S* out = g_bar + first;
    const T size = -step[row];
    if (bound == nullptr) {
#pragma omp simd
      for (int64_t i = 0; i < width; ++i) {
        out[i] = static_cast<S>(size * bar[i]);
      }
      return;
    }
    const T* slope = g + first;
    const T limit = bound[row];
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      const T height = slope[i] < T(0) ? -slope[i] : slope[i];
      out[i] = static_cast<S>(height >= limit ? T(0) : size * bar[i]);
    }
  });
}

template <class T>
constexpr ElementwiseKernels<T> kTable{&copy<T>, &zero<T>, &add<T>, &dot_rows<T>};
template <class T, class S>
constexpr StoredKernels<T, S> kStoredTable{
    &round<T, S>,        &sum_rows<T, S>, &scale_columns<T, S>, &rotate<T, S>,
    &collect_keys<T, S>, &descend<T, S>,  &descend_back<T, S>};

}  // namespace

#define EBT_TABLE(T)                                                                \
  template <>                                                                       \
  const ElementwiseKernels<T>& kernels_for<ElementwiseKernels<T>, Isa::EBT_ISA>() { \
    return kTable<T>;                                                               \
  }
EBT_TABLE(float)
EBT_TABLE(double)
#undef EBT_TABLE
#define EBT_TABLE(T, S)                                                         \
  template <>                                                                   \
  const StoredKernels<T, S>& kernels_for<StoredKernels<T, S>, Isa::EBT_ISA>() { \
    return kStoredTable<T, S>;                                                  \
  }
EBT_TABLE(float, float)
EBT_TABLE(float, Bfloat16)
EBT_TABLE(double, double)
#undef EBT_TABLE

}  // namespace ebt::kernels
