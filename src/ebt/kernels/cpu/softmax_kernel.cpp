// Softmax and cross-entropy over rows (softmax.h) for one instruction set.
#include <cmath>

#include "ebt/core/bfloat16.h"
#include "ebt/kernels/cpu/parallel.h"
#include "ebt/kernels/cpu/vector_math.h"
#include "ebt/kernels/isa.h"
#include "ebt/kernels/softmax.h"

namespace ebt::kernels {
namespace {

template <class T>
T row_maximum(int64_t width, const T* z) {
  T largest = z[0];
#pragma omp simd reduction(max : largest)
  for (int64_t i = 0; i < width; ++i) {
    largest = z[i] > largest ? z[i] : largest;
  }
  return largest;
}

template <class T, class S>
T dot(int64_t width, const S* a, const T* b) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < width; ++i) {
    sum += static_cast<T>(a[i]) * b[i];
  }
  return sum;
}

template <class T, class S>
void forward(int64_t rows, int64_t width, const T* z, S* p) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    const T* in = z + row * width;
    S* out = p + row * width;
    const T largest = row_maximum(width, in);
    // The exponentials are made twice: kept in `out` between the passes, they would be rounded.
    T total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t i = 0; i < width; ++i) {
      total += exponential(in[i] - largest);
    }
    const T scale = T(1) / total;
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] = static_cast<S>(exponential(in[i] - largest) * scale);
    }
  }
}

template <class T, class S>
void vjp(int64_t rows, int64_t width, const S* p, const T* p_bar, bool add, T* z_bar) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    const S* in = p + row * width;
    const T* bar = p_bar + row * width;
    T* out = z_bar + row * width;
    const T mean = dot(width, in, bar);
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] = (add ? out[i] : T(0)) + static_cast<T>(in[i]) * (bar[i] - mean);
    }
  }
}

template <class T, class S>
void jvp(int64_t rows, int64_t width, const S* p, const T* z_dot, T* p_dot) {
  vjp(rows, width, p, z_dot, false, p_dot);  // the Jacobian of a softmax is symmetric
}

template <class T, class S>
void vjp_of_jvp(int64_t rows, int64_t width, const S* p, const T* z_dot, const T* delta, bool add,
                T* z_bar) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    const S* in = p + row * width;
    const T* tangent = z_dot + row * width;
    const T* bar = delta + row * width;
    T* out = z_bar + row * width;
    const T mean_tangent = dot(width, in, tangent);
    const T mean_bar = dot(width, in, bar);
    T covariance = 0;
#pragma omp simd reduction(+ : covariance)
    for (int64_t i = 0; i < width; ++i) {
      covariance += static_cast<T>(in[i]) * (bar[i] - mean_bar) * (tangent[i] - mean_tangent);
    }
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] =
          (add ? out[i] : T(0)) +
          static_cast<T>(in[i]) * ((bar[i] - mean_bar) * (tangent[i] - mean_tangent) - covariance);
    }
  }
}

template <class S>
void put_one_hot(int64_t rows, int64_t width, const int32_t* tokens, S* p) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < width && tokens[row] >= 0; ++i) {
      p[row * width + i] = static_cast<S>(i == tokens[row] ? 1.0F : 0.0F);
    }
  }
}

template <class T>
void loss_and_gradient(int64_t rows, int64_t width, const T* z, const int32_t* targets, T smoothing,
                       T scale, T* loss, T* gradient) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    const T* in = z + row * width;
    T* out = gradient == nullptr ? nullptr : gradient + row * width;
    const int32_t target = targets[row];
    if (target < 0) {
      loss[row] = 0;
      for (int64_t i = 0; i < width && out != nullptr; ++i) {
        out[i] = 0;
      }
      continue;
    }
    const T largest = row_maximum(width, in);
    T total = 0;
    T sum = 0;
#pragma omp simd reduction(+ : total, sum)
    for (int64_t i = 0; i < width; ++i) {
      total += exponential(in[i] - largest);
      sum += in[i];
    }
    const T uniform = smoothing / static_cast<T>(width);
    const T log_total = largest + std::log(total);
    loss[row] = log_total - (T(1) - smoothing) * in[target] - uniform * sum;
    if (out != nullptr) {
      const T inverse = T(1) / total;
#pragma omp simd
      for (int64_t i = 0; i < width; ++i) {
        out[i] = scale * (exponential(in[i] - largest) * inverse - uniform);
      }
      out[target] -= scale * (T(1) - smoothing);
    }
  }
}

// Entry i of p - q in a row with this target.
template <class T>
inline T excess(const T* p, int64_t width, int32_t target, T smoothing, int64_t i) {
  return p[i] - smoothing / static_cast<T>(width) - (i == target ? T(1) - smoothing : T(0));
}

template <class T>
void cross_entropy_vjp(int64_t rows, int64_t width, const T* p, const int32_t* targets, T smoothing,
                       const T* loss_bar, bool add, T* z_bar) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    const T* in = p + row * width;
    T* out = z_bar + row * width;
    const T scale = targets[row] < 0 ? T(0) : loss_bar[row];
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] = (add ? out[i] : T(0)) + scale * excess(in, width, targets[row], smoothing, i);
    }
  }
}

template <class T>
void cross_entropy_jvp(int64_t rows, int64_t width, const T* p, const int32_t* targets, T smoothing,
                       const T* z_dot, T* loss_dot) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    const T* in = p + row * width;
    const T* tangent = z_dot + row * width;
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < width; ++i) {
      sum += excess(in, width, targets[row], smoothing, i) * tangent[i];
    }
    loss_dot[row] = targets[row] < 0 ? T(0) : sum;
  }
}

template <class T>
void cross_entropy_vjp_of_jvp(int64_t rows, int64_t width, const T* p, const int32_t* targets,
                              const T* z_dot, const T* delta, bool add, T* z_bar) {
#pragma omp parallel for schedule(static) if (rows * width > kSerialElements)
  for (int64_t row = 0; row < rows; ++row) {
    const T* in = p + row * width;
    const T* tangent = z_dot + row * width;
    T* out = z_bar + row * width;
    const T mean = dot(width, in, tangent);
    const T scale = targets[row] < 0 ? T(0) : delta[row];
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] = (add ? out[i] : T(0)) + scale * in[i] * (tangent[i] - mean);
    }
  }
}

template <class T, class S>
constexpr SoftmaxKernels<T, S> kTable{&forward<T, S>, &vjp<T, S>, &jvp<T, S>, &vjp_of_jvp<T, S>,
                                      &put_one_hot<S>};
template <class T>
constexpr CrossEntropyKernels<T> kLossTable{&loss_and_gradient<T>, &cross_entropy_vjp<T>,
                                            &cross_entropy_jvp<T>, &cross_entropy_vjp_of_jvp<T>};

}  // namespace

#define EBT_TABLE(T, S)                                                           \
  template <>                                                                     \
  const SoftmaxKernels<T, S>& kernels_for<SoftmaxKernels<T, S>, Isa::EBT_ISA>() { \
    return kTable<T, S>;                                                          \
  }
EBT_TABLE(float, float)
EBT_TABLE(float, Bfloat16)
EBT_TABLE(double, double)
#undef EBT_TABLE
#define EBT_TABLE(T)                                                                  \
  template <>                                                                         \
  const CrossEntropyKernels<T>& kernels_for<CrossEntropyKernels<T>, Isa::EBT_ISA>() { \
    return kLossTable<T>;                                                             \
  }
EBT_TABLE(float)
EBT_TABLE(double)
#undef EBT_TABLE

}  // namespace ebt::kernels
