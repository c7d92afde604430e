#include <cmath>

#include "ebt/kernels/isa.h"
#include "ebt/kernels/rms_norm.h"
#include "ebt/kernels/row_chunks.h"
#include "ebt/kernels/stored.h"

namespace ebt::kernels {
namespace {

// y = x r gain + shift, from column `first` of a row on.
template <class T, class S, class X>
inline void normalize(const RmsNormArguments<T, S>& a, const X* x, T r, int64_t first,
                      int64_t count, S* y) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const T shift = a.shift == nullptr ? T(0) : a.shift[first + i];
    y[i] = static_cast<S>(static_cast<T>(x[i]) * r * a.gain[first + i] + shift);
  }
}

template <class T, class S>
void forward(const RmsNormArguments<T, S>& a, const T* stream, S* kept, S* y) {
  const int64_t width = a.width;
#pragma omp parallel for schedule(static) if (a.rows * width > kSerialElements)
  for (int64_t row = 0; row < a.rows; ++row) {
    const S* x = a.x + row * width;
    if (stream != nullptr) {
      store(stream + row * width, width, kept + row * width);
    }
    T squares = 0;
#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < width; ++i) {
      const T value = static_cast<T>(x[i]);
      squares += value * value;
    }
    const T r = T(1) / std::sqrt(squares / static_cast<T>(width) + a.eps);
    a.inverse_rms[row] = r;
    normalize(a, x, r, 0, width, y + row * width);
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

// Rows are summed in chunks; `partial` holds the gain's sum and then the shift's.
template <class T, class S, class Body>
void for_gradient_rows(const RmsNormArguments<T, S>& a, NormGradients<T> gradients, Body&& body) {
  for_row_chunks<T>(a.rows, a.width, {gradients.gain, gradients.shift},
                    [&](int64_t first, int64_t last, T* gain_bar, T* shift_bar) {
                      for (int64_t row = first; row < last; ++row) {
                        body(row, gain_bar, shift_bar);
                      }
                    });
}

template <class T>
inline void accumulate(int64_t count, const T* values, T* sum) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    sum[i] += values[i];
  }
}

template <class T, class S>
void vjp(const RmsNormArguments<T, S>& a, const S* y_bar, StreamCotangent<T, S> x_bar,
         NormGradients<T> gradients, S* y) {
  const int64_t width = a.width;
  for_gradient_rows(a, gradients, [&](int64_t row, T* gain_bar, T* shift_bar) {
    const S* in = a.x + row * width;
    const S* bar = y_bar + row * width;
    const T r = a.inverse_rms[row];
    T along = 0;  // g.x
#pragma omp simd reduction(+ : along)
    for (int64_t i = 0; i < width; ++i) {
      along += static_cast<T>(bar[i]) * a.gain[i] * static_cast<T>(in[i]);
    }
    const T pull = along * r * r * r / static_cast<T>(width);
    for_blocks(width, [&](int64_t first, int64_t count) {
      alignas(64) Block<T> x;
      alignas(64) Block<T> above;
      alignas(64) Block<T> out;
      load(in + first, count, x);
      load(bar + first, count, above);
#pragma omp simd
      for (int64_t i = 0; i < count; ++i) {
        out[i] = r * above[i] * a.gain[first + i] - pull * x[i];
      }
      put(x_bar, row * width + first, count, out);
      if (y != nullptr) {
        normalize(a, x, r, first, count, y + row * width + first);
      }
      if (gain_bar != nullptr) {
#pragma omp simd
        for (int64_t i = 0; i < count; ++i) {
          out[i] = above[i] * x[i] * r;
        }
        accumulate(count, out, gain_bar + first);
      }
      if (shift_bar != nullptr) {
        accumulate(count, above, shift_bar + first);
      }
    });
  });
}

template <class T, class S>
void jvp(const RmsNormArguments<T, S>& a, const S* x_dot, const T* stream_dot, S* kept, S* y_dot) {
  const int64_t width = a.width;
#pragma omp parallel for schedule(static) if (a.rows * width > kSerialElements)
  for (int64_t row = 0; row < a.rows; ++row) {
    const S* in = a.x + row * width;
    const S* dot = x_dot + row * width;
    if (stream_dot != nullptr) {
      store(stream_dot + row * width, width, kept + row * width);
    }
    S* out = y_dot + row * width;
    const T r = a.inverse_rms[row];
    T along = 0;  // x.x_dot
#pragma omp simd reduction(+ : along)
    for (int64_t i = 0; i < width; ++i) {
      along += static_cast<T>(in[i]) * static_cast<T>(dot[i]);
    }
    const T pull = along * r * r * r / static_cast<T>(width);
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] =
          static_cast<S>(a.gain[i] * (r * static_cast<T>(dot[i]) - pull * static_cast<T>(in[i])));
    }
  }
}

// With g = gain delta, a = g.x_dot, b = x.x_dot, c = g.x, the pairing is r a - r^3 b c / D, and
//   x_bar = -(r^3/D) (a x + c x_dot + b g) + 3 (r^5/D^2) b c x.
template <class T, class S>
void second_order(const RmsNormArguments<T, S>& a, const S* x_dot, const S* delta, const S* y_bar,
                  StreamCotangent<T, S> x_bar, NormGradients<T> gradients, S* y, S* y_dot) {
  const int64_t width = a.width;
  for_gradient_rows(a, gradients, [&](int64_t row, T* gain_bar, T* shift_bar) {
    const S* in = a.x + row * width;
    const S* dot = x_dot + row * width;
    const S* low = delta + row * width;
    const S* bar = y_bar == nullptr ? nullptr : y_bar + row * width;
    const T r = a.inverse_rms[row];
    T along_dot = 0;
    T across = 0;
    T along = 0;
    T carried = 0;  // (gain y_bar).x
#pragma omp simd reduction(+ : along_dot, across, along)
    for (int64_t i = 0; i < width; ++i) {
      const T g = static_cast<T>(low[i]) * a.gain[i];
      along_dot += g * static_cast<T>(dot[i]);
      across += static_cast<T>(in[i]) * static_cast<T>(dot[i]);
      along += g * static_cast<T>(in[i]);
    }
    if (bar != nullptr) {
#pragma omp simd reduction(+ : carried)
      for (int64_t i = 0; i < width; ++i) {
        carried += static_cast<T>(bar[i]) * a.gain[i] * static_cast<T>(in[i]);
      }
    }
    const T cube = r * r * r / static_cast<T>(width);
    const T on_x =
        T(3) * cube * r * r * across * along / static_cast<T>(width) - cube * (along_dot + carried);
    const T on_dot = -cube * along;
    const T on_g = -cube * across;
    const T pull = across * cube;
    for_blocks(width, [&](int64_t first, int64_t count) {
      alignas(64) Block<T> x;
      alignas(64) Block<T> moved;
      alignas(64) Block<T> below;
      alignas(64) Block<T> above;
      alignas(64) Block<T> out;
      load(in + first, count, x);
      load(dot + first, count, moved);
      load(low + first, count, below);
      if (bar != nullptr) {
        load(bar + first, count, above);
      } else {
        for (int64_t i = 0; i < count; ++i) {
          above[i] = T(0);
        }
      }
#pragma omp simd
      for (int64_t i = 0; i < count; ++i) {
        out[i] =
            on_x * x[i] + on_dot * moved[i] + (on_g * below[i] + r * above[i]) * a.gain[first + i];
      }
      put(x_bar, row * width + first, count, out);
      if (y != nullptr) {
        normalize(a, x, r, first, count, y + row * width + first);
      }
#pragma omp simd
      for (int64_t i = 0; i < count; ++i) {
        moved[i] = r * moved[i] - pull * x[i];
      }
      if (y_dot != nullptr) {
        S* again = y_dot + row * width + first;
#pragma omp simd
        for (int64_t i = 0; i < count; ++i) {
          again[i] = static_cast<S>(a.gain[first + i] * moved[i]);
        }
      }
      if (gain_bar != nullptr) {
#pragma omp simd
        for (int64_t i = 0; i < count; ++i) {
          out[i] = below[i] * moved[i] + above[i] * x[i] * r;
        }
        accumulate(count, out, gain_bar + first);
      }
      if (shift_bar != nullptr) {
        accumulate(count, above, shift_bar + first);
      }
    });
  });
}

template <class T, class S>
constexpr RmsNormKernels<T, S> kTable{&forward<T, S>, &vjp<T, S>, &jvp<T, S>, &second_order<T, S>};

}  // namespace

#define EBT_TABLE(T, S)                                                           \
  template <>                                                                     \
  const RmsNormKernels<T, S>& kernels_for<RmsNormKernels<T, S>, Isa::EBT_ISA>() { \
    return kTable<T, S>;                                                          \
  }
EBT_TABLE(float, float)
EBT_TABLE(float, Bfloat16)
EBT_TABLE(double, double)
#undef EBT_TABLE

}  // namespace ebt::kernels
