// RMS norm and layer norm with their derivatives (norm.h) for one instruction set.
#include <cmath>

#include "ebt/kernels/cpu/row_chunks.h"
#include "ebt/kernels/cpu/stored.h"
#include "ebt/kernels/isa.h"
#include "ebt/kernels/norm.h"

namespace ebt::kernels {
namespace {

// What a row is normalised by.
template <class T>
struct RowNorm {
  const T* gain;
  const T* shift;
  T r;
  T mean;  // 0 unless centred

  template <class S>
  static RowNorm of(const NormArguments<T, S>& a, int64_t row) {
    const int64_t offset = a.groups == 1 ? 0 : row / (a.rows / a.groups) * a.group_stride;
    return {a.gain + offset, a.shift == nullptr ? nullptr : a.shift + offset,
            a.inverse_deviation[row], a.mean == nullptr ? T(0) : a.mean[row]};
  }
};

// y = c r gain + shift, from column `first` of a row on.
template <class T, class S, class X>
inline void normalize(const RowNorm<T>& n, const X* x, int64_t first, int64_t count, S* y) {
  const T* shift = n.shift;
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const T moved = shift == nullptr ? T(0) : shift[first + i];
    y[i] = static_cast<S>((static_cast<T>(x[i]) - n.mean) * n.r * n.gain[first + i] + moved);
  }
}

template <class T, class S>
inline T sum(int64_t count, const S* x) {
  T total = 0;
#pragma omp simd reduction(+ : total)
  for (int64_t i = 0; i < count; ++i) {
    total += static_cast<T>(x[i]);
  }
  return total;
}

template <class T, class S>
void forward(const NormArguments<T, S>& a, const T* stream, S* kept, S* y) {
  const int64_t width = a.width;
#pragma omp parallel for schedule(static) if (a.rows * width > kSerialElements)
  for (int64_t row = 0; row < a.rows; ++row) {
    const S* x = a.x + row * width;
    if (stream != nullptr) {
      store(stream + row * width, width, kept + row * width);
    }
    T mean = 0;
    if (a.mean != nullptr) {
      mean = sum<T>(width, x) / static_cast<T>(width);
      a.mean[row] = mean;
    }
    T squares = 0;
#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < width; ++i) {
      const T value = static_cast<T>(x[i]) - mean;
      squares += value * value;
    }
    a.inverse_deviation[row] = T(1) / std::sqrt(squares / static_cast<T>(width) + a.eps);
    normalize(RowNorm<T>::of(a, row), x, 0, width, y + row * width);
  }
}

// Writes a block of the new cotangent of a stream.
template <class T, class S>
inline void put(const StreamCotangent<T, S>& to, int64_t at, int64_t count, const T* values) {
  T* sum = to.sum + at;
  if (to.add) {
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) {
      sum[i] += values[i];
    }
  } else {
    store(values, count, sum);
  }
  if (to.stored != nullptr) {
    store(sum, count, to.stored + at);
  }
}

// Calls body(row, sum of the gain's gradient, of the shift's) for all rows in parallel.
template <class T, class S, class Body>
void for_gradient_rows(const NormArguments<T, S>& a, NormGradients<T> gradients, Body&& body) {
  for_grouped_rows<T>(a.rows, a.width, {a.groups, a.group_stride},
                      {gradients.gain, gradients.shift}, body);
}

template <class T>
inline void accumulate(int64_t count, const T* values, T* sum) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    sum[i] += values[i];
  }
}

// c = x - mean.
template <class T, class S>
inline void load_centred(const S* from, int64_t count, T mean, T* to) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    to[i] = static_cast<T>(from[i]) - mean;
  }
}

template <class T, class S>
void vjp(const NormArguments<T, S>& a, const S* y_bar, StreamCotangent<T, S> x_bar,
         NormGradients<T> gradients, S* y) {
  const int64_t width = a.width;
  for_gradient_rows(a, gradients, [&](int64_t row, T* gain_bar, T* shift_bar) {
    const S* in = a.x + row * width;
    const S* bar = y_bar + row * width;
    const RowNorm<T> n = RowNorm<T>::of(a, row);
    const T r = n.r;
    T g_c = 0;
    T mean_g = 0;  // where centred
#pragma omp simd reduction(+ : g_c, mean_g)
    for (int64_t i = 0; i < width; ++i) {
      const T g = static_cast<T>(bar[i]) * n.gain[i];
      g_c += g * (static_cast<T>(in[i]) - n.mean);
      mean_g += g;
    }
    mean_g = a.mean == nullptr ? T(0) : mean_g / static_cast<T>(width);
    const T on_c = g_c * r * r * r / static_cast<T>(width);
    for_blocks(width, [&](int64_t first, int64_t count) {
      alignas(64) Block<T> c;
      alignas(64) Block<T> y_bar_block;
      alignas(64) Block<T> out;
      load_centred(in + first, count, n.mean, c);
      load(bar + first, count, y_bar_block);
#pragma omp simd
      for (int64_t i = 0; i < count; ++i) {
        out[i] = r * (y_bar_block[i] * n.gain[first + i] - mean_g) - on_c * c[i];
      }
      put(x_bar, row * width + first, count, out);
      if (y != nullptr) {
        normalize(n, in + first, first, count, y + row * width + first);
      }
      if (gain_bar != nullptr) {
#pragma omp simd
        for (int64_t i = 0; i < count; ++i) {
          out[i] = y_bar_block[i] * c[i] * r;
        }
        accumulate(count, out, gain_bar + first);
      }
      if (shift_bar != nullptr) {
        accumulate(count, y_bar_block, shift_bar + first);
      }
    });
  });
}

template <class T, class S>
void jvp(const NormArguments<T, S>& a, const S* x_dot, const T* stream_dot, S* kept, S* y_dot) {
  const int64_t width = a.width;
#pragma omp parallel for schedule(static) if (a.rows * width > kSerialElements)
  for (int64_t row = 0; row < a.rows; ++row) {
    const S* in = a.x + row * width;
    const S* dot = x_dot + row * width;
    if (stream_dot != nullptr) {
      store(stream_dot + row * width, width, kept + row * width);
    }
    S* out = y_dot + row * width;
    const RowNorm<T> n = RowNorm<T>::of(a, row);
    const T mean_x_dot = a.mean == nullptr ? T(0) : sum<T>(width, dot) / static_cast<T>(width);
    T c_x_dot = 0;
#pragma omp simd reduction(+ : c_x_dot)
    for (int64_t i = 0; i < width; ++i) {
      c_x_dot += (static_cast<T>(in[i]) - n.mean) * static_cast<T>(dot[i]);
    }
    const T r = n.r;
    const T on_c = c_x_dot * r * r * r / static_cast<T>(width);
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] = static_cast<S>(n.gain[i] * (r * (static_cast<T>(dot[i]) - mean_x_dot) -
                                           on_c * (static_cast<T>(in[i]) - n.mean)));
    }
  }
}

// With g = gain delta, a = g.c_dot, b = c.x_dot, e = g.c, the pairing is r a - r^3 b e / D, and
//   x_bar = P (-(r^3/D) (a c + e c_dot + b g) + 3 (r^5/D^2) b e c).
template <class T, class S>
void second_order(const NormArguments<T, S>& a, const S* x_dot, const S* delta, const S* y_bar,
                  StreamCotangent<T, S> x_bar, NormGradients<T> gradients, S* y, S* y_dot) {
  const int64_t width = a.width;
  const bool centred = a.mean != nullptr;
  for_gradient_rows(a, gradients, [&](int64_t row, T* gain_bar, T* shift_bar) {
    const S* in = a.x + row * width;
    const S* dot = x_dot + row * width;
    const S* delta_row = delta + row * width;
    const S* bar = y_bar == nullptr ? nullptr : y_bar + row * width;
    const RowNorm<T> n = RowNorm<T>::of(a, row);
    const T r = n.r;
    const T mean_x_dot = centred ? sum<T>(width, dot) / static_cast<T>(width) : T(0);
    T g_c_dot = 0;
    T c_x_dot = 0;
    T g_c = 0;
    T sum_g = 0;
#pragma omp simd reduction(+ : g_c_dot, c_x_dot, g_c, sum_g)
    for (int64_t i = 0; i < width; ++i) {
      const T g = static_cast<T>(delta_row[i]) * n.gain[i];
      const T c = static_cast<T>(in[i]) - n.mean;
      const T c_dot = static_cast<T>(dot[i]) - mean_x_dot;
      g_c_dot += g * c_dot;
      c_x_dot += c * c_dot;
      g_c += g * c;
      sum_g += g;
    }
    T carried_c = 0;  // (gain y_bar).c
    T sum_carried = 0;
    if (bar != nullptr) {
#pragma omp simd reduction(+ : carried_c, sum_carried)
      for (int64_t i = 0; i < width; ++i) {
        const T g = static_cast<T>(bar[i]) * n.gain[i];
        carried_c += g * (static_cast<T>(in[i]) - n.mean);
        sum_carried += g;
      }
    }
    const T cube = r * r * r / static_cast<T>(width);
    const T on_c =
        T(3) * cube * r * r * c_x_dot * g_c / static_cast<T>(width) - cube * (g_c_dot + carried_c);
    const T on_c_dot = -cube * g_c;
    const T on_g = -cube * c_x_dot;
    const T y_dot_on_c = c_x_dot * cube;
    const T offset = centred ? (on_g * sum_g + r * sum_carried) / static_cast<T>(width) : T(0);
    for_blocks(width, [&](int64_t first, int64_t count) {
      alignas(64) Block<T> c;
      alignas(64) Block<T> c_dot;
      alignas(64) Block<T> delta_block;
      alignas(64) Block<T> y_bar_block;
      alignas(64) Block<T> out;
      load_centred(in + first, count, n.mean, c);
      load_centred(dot + first, count, mean_x_dot, c_dot);
      load(delta_row + first, count, delta_block);
      if (bar != nullptr) {
        load(bar + first, count, y_bar_block);
      } else {
        for (int64_t i = 0; i < count; ++i) {
          y_bar_block[i] = T(0);
        }
      }
#pragma omp simd
      for (int64_t i = 0; i < count; ++i) {
        out[i] = on_c * c[i] + on_c_dot * c_dot[i] +
                 (on_g * delta_block[i] + r * y_bar_block[i]) * n.gain[first + i] - offset;
      }
      put(x_bar, row * width + first, count, out);
      if (y != nullptr) {
        normalize(n, in + first, first, count, y + row * width + first);
      }
#pragma omp simd
      for (int64_t i = 0; i < count; ++i) {
        c_dot[i] = r * c_dot[i] - y_dot_on_c * c[i];
      }
      if (y_dot != nullptr) {
        S* y_dot_row = y_dot + row * width + first;
#pragma omp simd
        for (int64_t i = 0; i < count; ++i) {
          y_dot_row[i] = static_cast<S>(n.gain[first + i] * c_dot[i]);
        }
      }
      if (gain_bar != nullptr) {
#pragma omp simd
        for (int64_t i = 0; i < count; ++i) {
          out[i] = delta_block[i] * c_dot[i] + y_bar_block[i] * c[i] * r;
        }
        accumulate(count, out, gain_bar + first);
      }
      if (shift_bar != nullptr) {
        accumulate(count, y_bar_block, shift_bar + first);
      }
    });
  });
}

template <class T, class S>
constexpr NormKernels<T, S> kTable{&forward<T, S>, &vjp<T, S>, &jvp<T, S>, &second_order<T, S>};

}  // namespace

#define EBT_TABLE(T, S)                                                     \
  template <>                                                               \
  const NormKernels<T, S>& kernels_for<NormKernels<T, S>, Isa::EBT_ISA>() { \
    return kTable<T, S>;                                                    \
  }
EBT_TABLE(float, float)
EBT_TABLE(float, Bfloat16)
EBT_TABLE(double, double)
#undef EBT_TABLE

}  // namespace ebt::kernels
