#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/isa.h"
#include "ebt/kernels/row_chunks.h"

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

// Calls body(row, i) for every element i of every row, rows in parallel, elements in lanes.
template <class Body>
void for_elements(int64_t rows, int64_t width, Body&& body) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      body(row, row * width + i, i);
    }
  }
}

template <class T>
void scale_rows(int64_t rows, int64_t width, const T* scale, const T* x, T* y) {
  for_elements(rows, width, [=](int64_t row, int64_t i, int64_t) { y[i] = scale[row] * x[i]; });
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

template <class T>
void scale_columns(int64_t rows, int64_t width, const T* x, T offset, const T* scale,
                   const T* shift, const T* base, T* y) {
  for_elements(rows, width, [=](int64_t, int64_t i, int64_t column) {
    y[i] = x[i] * (offset + scale[column]) + (shift == nullptr ? T(0) : shift[column]) +
           (base == nullptr ? T(0) : base[i]);
  });
}

template <class T>
void sum_rows(int64_t rows, int64_t width, const T* a, const T* b, T* out) {
  for_row_chunks(rows, width, out, [=](int64_t first, int64_t last, T* partial) {
    for (int64_t row = first; row < last; ++row) {
#pragma omp simd
      for (int64_t i = 0; i < width; ++i) {
        partial[i] += a[row * width + i] * (b == nullptr ? T(1) : b[row * width + i]);
      }
    }
  });
}

template <class T>
void rotate(int64_t rows, int64_t heads, int64_t width, int64_t stride, int64_t positions,
            const T* cosine, const T* sine, T direction, T* x) {
  const int64_t pairs = width / 2;
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const T* c = cosine + row % positions * pairs;
    const T* s = sine + row % positions * pairs;
    for (int64_t head = 0; head < heads; ++head) {
      T* values = x + row * stride + head * width;
#pragma omp simd
      for (int64_t i = 0; i < pairs; ++i) {
        const T a = values[2 * i];
        const T b = values[2 * i + 1];
        values[2 * i] = a * c[i] - direction * b * s[i];
        values[2 * i + 1] = direction * a * s[i] + b * c[i];
      }
    }
  }
}

template <class T>
void descend(int64_t rows, int64_t width, const T* p, const T* step, const T* bound, T* g,
             T* next) {
  if (bound != nullptr) {
    for_elements(rows, width, [=](int64_t row, int64_t i, int64_t) {
      const T limit = bound[row];
      g[i] = g[i] > limit ? limit : (g[i] < -limit ? -limit : g[i]);
    });
  }
  for_elements(rows, width,
               [=](int64_t row, int64_t i, int64_t) { next[i] = p[i] - step[row] * g[i]; });
}

template <class T>
void mask_clamped(int64_t rows, int64_t width, const T* g, const T* bound, T* v) {
  for_elements(rows, width, [=](int64_t row, int64_t i, int64_t) {
    const T size = g[i] < T(0) ? -g[i] : g[i];
    v[i] = size >= bound[row] ? T(0) : v[i];
  });
}

template <class T>
constexpr ElementwiseKernels<T> kTable{
    &copy<T>,          &zero<T>,     &add<T>,    &scale_rows<T>, &dot_rows<T>,
    &scale_columns<T>, &sum_rows<T>, &rotate<T>, &descend<T>,    &mask_clamped<T>};

}  // namespace

template <>
const ElementwiseKernels<float>& kernels_for<ElementwiseKernels<float>, Isa::EBT_ISA>() {
  return kTable<float>;
}
template <>
const ElementwiseKernels<double>& kernels_for<ElementwiseKernels<double>, Isa::EBT_ISA>() {
  return kTable<double>;
}

}  // namespace ebt::kernels
