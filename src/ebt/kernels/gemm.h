// Matrix products: oneDNN for float and bf16, our own tiles for double.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "ebt/core/bfloat16.h"
#include "ebt/core/tensor.h"

namespace ebt::kernels {

// A matrix whose rows are `row` elements apart; `transposed` reads it the other way round.
template <class T>
struct Matrix {
  T* data = nullptr;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t row = 0;

  Matrix() = default;
  Matrix(T* d, int64_t r, int64_t c, int64_t stride) : data(d), rows(r), columns(c), row(stride) {}
  // (..., columns) seen as a matrix of its last axis.
  // NOLINTNEXTLINE(google-explicit-constructor)
  Matrix(const Tensor<T>& t)
      : data(t.data),
        rows(t.shape.rank() == 0
                 ? 1
                 : (t.dim(t.shape.rank() - 1) == 0 ? 0 : t.count() / t.dim(t.shape.rank() - 1))),
        columns(t.shape.rank() == 0 ? 1 : t.dim(t.shape.rank() - 1)),
        row(columns) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  operator Matrix<const T>() const requires(!std::is_const_v<T>) {
    return {data, rows, columns, row};
  }
  // Columns [first, first + count).
  Matrix columns_from(int64_t first, int64_t count) const {
    return {data + first, rows, count, row};
  }
  // Rows [first, first + count).
  Matrix rows_from(int64_t first, int64_t count) const {
    return {data + first * row, count, columns, row};
  }
};

// Whether a result replaces what is there or is added to it.
enum class Write { kReplace, kAdd };

// c (m, n) = a b^T: a (m, k), b (n, k). A linear layer forward.
template <class T>
void multiply_nt(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write);
// c (m, n) = a b: a (m, k), b (k, n). A linear layer's input cotangent.
template <class T>
void multiply_nn(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write);
// c (m, n) = a^T b: a (k, m), b (k, n). A linear layer's weight gradient; also of bf16 factors,
// summed in float.
template <class T, class S>
void multiply_tn(Matrix<const S> a, Matrix<const S> b, Matrix<T> c, Write write);

// What multiplies bf16: "amx" or "avx512_bf16" (the CPU's instructions, through oneDNN), else
// "float32": operands are then widened and multiplied as floats, with the same results up to the
// order of sums.
std::string bf16_engine();

// A bf16 copy of a matrix, laid out as the right factor of products. Neither copyable nor movable:
// products refer to it.
class PackedMatrix {
 public:
  // For right factors of (k, n).
  PackedMatrix(int64_t k, int64_t n);
  ~PackedMatrix();
  PackedMatrix(const PackedMatrix&) = delete;
  PackedMatrix& operator=(const PackedMatrix&) = delete;
  // Bytes that such a copy takes.
  static size_t bytes(int64_t k, int64_t n);
  // Rounds and lays out `values`: (k, n), or (n, k) if `transposed`.
  void pack(Matrix<const float> values, bool transposed);

  struct Layout;
  const Layout& layout() const { return *layout_; }

 private:
  std::unique_ptr<Layout> layout_;
};

// Weights (out, in) as the right factor of products: the weights themselves, or with S = Bfloat16
// packed copies of them. A view.
template <class T, class S = T>
struct WeightMatrix {
  Tensor<const T> values;

  WeightMatrix() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): unpacked weights are a tensor
  WeightMatrix(Tensor<const T> v) : values(v) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  WeightMatrix(Tensor<T> v) : values(v) {}
};
template <>
struct WeightMatrix<float, Bfloat16> {
  Tensor<const float> values;
  const PackedMatrix* transposed = nullptr;  // (in, out), for x W^T
  const PackedMatrix* straight = nullptr;    // (out, in), for y W
};

// c (m, out) = x (m, in) W^T + bias, in T or rounded to S. A sum can only be added to in T; bias
// (out) may be absent.
template <class T, class S, class C>
void multiply_nt(Matrix<const S> x, const WeightMatrix<T, S>& weights, Matrix<C> c, Write write,
                 Tensor<const T> bias = {});
// c (m, in) = y (m, out) W, likewise.
template <class T, class S, class C>
void multiply_nn(Matrix<const S> y, const WeightMatrix<T, S>& weights, Matrix<C> c, Write write);

// One product, as the GEMM library sees it.
struct GemmShape {
  bool transpose_a, transpose_b;
  int64_t m, n, k;
  bool bf16 = false;         // both factors
  bool bf16_result = false;  // c too
};
// Called with the shape of every product while it is set: how `bench` learns what a training step
// multiplies, to time those products alone. Empty function: off. Not thread-safe.
void set_gemm_observer(std::function<void(const GemmShape&)> observer);

template <class T>
struct GemmKernels {
  // One block of rows of c; strides are in elements.
  void (*block)(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const T* a,
                int64_t a_row, const T* b, int64_t b_row, T* c, int64_t c_row, bool add);
};

}  // namespace ebt::kernels
