#include <cmath>

#include "ebt/kernels/isa.h"
#include "ebt/kernels/softmax.h"
#include "ebt/kernels/vector_math.h"

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

template <class T>
T dot(int64_t width, const T* a, const T* b) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < width; ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

template <class T>
void forward(int64_t rows, int64_t width, const T* z, T* p) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const T* in = z + row * width;
    T* out = p + row * width;
    const T largest = row_maximum(width, in);
    T total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t i = 0; i < width; ++i) {
      out[i] = exponential(in[i] - largest);
      total += out[i];
    }
    const T scale = T(1) / total;
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] *= scale;
    }
  }
}

template <class T>
void vjp(int64_t rows, int64_t width, const T* p, const T* p_bar, bool add, T* z_bar) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const T* in = p + row * width;
    const T* bar = p_bar + row * width;
    T* out = z_bar + row * width;
    const T mean = dot(width, in, bar);
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] = (add ? out[i] : T(0)) + in[i] * (bar[i] - mean);
    }
  }
}

template <class T>
void jvp(int64_t rows, int64_t width, const T* p, const T* z_dot, T* p_dot) {
  vjp(rows, width, p, z_dot, false, p_dot);  // the Jacobian of a softmax is symmetric
}

template <class T>
void vjp_of_jvp(int64_t rows, int64_t width, const T* p, const T* z_dot, const T* delta, bool add,
                T* z_bar) {
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const T* in = p + row * width;
    const T* tangent = z_dot + row * width;
    const T* bar = delta + row * width;
    T* out = z_bar + row * width;
    const T mean_tangent = dot(width, in, tangent);
    const T mean_bar = dot(width, in, bar);
    T covariance = 0;
#pragma omp simd reduction(+ : covariance)
    for (int64_t i = 0; i < width; ++i) {
      covariance += in[i] * (bar[i] - mean_bar) * (tangent[i] - mean_tangent);
    }
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      out[i] = (add ? out[i] : T(0)) +
               in[i] * ((bar[i] - mean_bar) * (tangent[i] - mean_tangent) - covariance);
    }
  }
}

template <class T>
void cross_entropy(int64_t rows, int64_t width, const T* z, const int32_t* targets, T smoothing,
                   T scale, T* loss, T* gradient) {
#pragma omp parallel for schedule(static)
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

template <class T>
constexpr SoftmaxKernels<T> kTable{&forward<T>, &vjp<T>, &jvp<T>, &vjp_of_jvp<T>,
                                   &cross_entropy<T>};

}  // namespace

template <>
const SoftmaxKernels<float>& kernels_for<SoftmaxKernels<float>, Isa::EBT_ISA>() {
  return kTable<float>;
}
template <>
const SoftmaxKernels<double>& kernels_for<SoftmaxKernels<double>, Isa::EBT_ISA>() {
  return kTable<double>;
}

}  // namespace ebt::kernels
