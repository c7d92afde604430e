// Products of bf16 factors with float32 sums (gemm.h), by oneDNN.
#include <algorithm>
#include <dnnl.hpp>
#include <map>
#include <mutex>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ebt/core/error.h"
#include "ebt/kernels/cpu/gemm_blocks.h"
#include "ebt/kernels/gemm.h"
#include "ebt/kernels/isa.h"

namespace ebt::kernels {
namespace {

using dnnl::memory;

// Whether oneDNN multiplies bf16 with instructions for it. Its emulation on other CPUs is slower
// than widening to float.
bool native() {
  static const bool answer = active_isa() == Isa::avx512_bf16 &&
                             (dnnl::get_effective_cpu_isa() == dnnl::cpu_isa::avx512_core_bf16 ||
                              dnnl::get_effective_cpu_isa() == dnnl::cpu_isa::avx512_core_amx);
  return answer;
}

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

// `bias` is of (1, n), or empty.
dnnl::matmul::primitive_desc describe(const memory::desc& a, const memory::desc& b,
                                      const memory::desc& bias, const memory::desc& c, bool add) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (add) {
    dnnl::post_ops sum;
    sum.append_sum(1.0F);
    attributes.set_post_ops(sum);
  }
#if DNNL_VERSION_MAJOR >= 3
  return {cpu(), a, b, bias, c, attributes};
#else
  return {{a, b, bias, c}, attributes, cpu()};
#endif
}

// `transposed` reads rows as columns.
memory::desc plain(int64_t rows, int64_t columns, int64_t row, memory::data_type type,
                   bool transposed = false) {
  return {memory::dims{rows, columns}, type,
          transposed ? memory::dims{1, row} : memory::dims{row, 1}};
}

// The layout that products of a common size prefer for their right factor.
memory::desc packed_desc(int64_t k, int64_t n) {
  const OneThread one;
  const memory::desc any({k, n}, memory::data_type::bf16, memory::format_tag::any);
  return describe(plain(kBlockRows, k, k, memory::data_type::bf16), any, {},
                  plain(kBlockRows, n, n, memory::data_type::f32), false)
      .weights_desc();
}

// Memory of one thread, grown on first use and kept.
template <class T>
T* scratch(size_t count) {
  static thread_local std::vector<T> buffer;
  if (buffer.size() < count) {
    buffer.resize(count);
  }
  return buffer.data();
}

// The same, for a second purpose at the same time.
template <class C>
C* result_scratch(size_t count) {
  static thread_local std::vector<C> buffer;
  if (buffer.size() < count) {
    buffer.resize(count);
  }
  return buffer.data();
}

// One primitive for blocks of one shape.
struct Product {
  dnnl::matmul::primitive_desc description;
  dnnl::matmul primitive;

  Product(const memory::desc& a, const memory::desc& b, const memory::desc& bias,
          const memory::desc& c, bool add)
      : description(describe(a, b, bias, c, add)), primitive(description) {}

  // `bias` is read by products that were made with one.
  void run(const void* a, const void* b, const void* bias, void* c) const {
    // oneDNN's memory objects take mutable pointers also to what it only reads.
    const auto view = [](const memory::desc& desc, const void* data) {
      return memory(desc, cpu(), const_cast<void*>(data));  // NOLINT
    };
    const memory::desc pad = description.scratchpad_desc();
    dnnl::stream stream(cpu());
    std::unordered_map<int, memory> arguments = {
        {DNNL_ARG_SRC, view(description.src_desc(), a)},
        {DNNL_ARG_WEIGHTS, view(description.weights_desc(), b)},
        {DNNL_ARG_DST, view(description.dst_desc(), c)},
        {DNNL_ARG_SCRATCHPAD, view(pad, scratch<char>(pad.get_size()))}};
    if (bias != nullptr) {
      arguments.emplace(DNNL_ARG_BIAS, view(description.bias_desc(), bias));
    }
    primitive.execute(stream, arguments);
  }
};

// What a product is: kind, rows, n, k, the three strides, type of the result, add.
enum class Kind { kPacked, kPackedWithBias, kTransposed };
using ProductKey =
    std::tuple<Kind, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, bool, bool>;

// Products are compiled once and kept for the life of the process.
template <class Make>
const Product& cached_product(const ProductKey& key, Make&& make) {
  static std::mutex mutex;
  static std::map<ProductKey, std::unique_ptr<Product>> products;
  const std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<Product>& product = products[key];
  if (product == nullptr) {
    const OneThread one;
    product = make();
  }
  return *product;
}

template <class C>
constexpr memory::data_type kType =
    std::is_same_v<C, float> ? memory::data_type::f32 : memory::data_type::bf16;

void widen(const Bfloat16* from, int64_t count, float* to) { std::copy_n(from, count, to); }

// Rounds a block of sums into c, or adds it to c, with the bias if it is there.
template <class C>
void put(const float* from, int64_t rows, int64_t columns, Matrix<C> c, Write write,
         Tensor<const float> bias) {
  for (int64_t i = 0; i < rows; ++i) {
    C* out = c.data + i * c.row;
    for (int64_t j = 0; j < columns; ++j) {
      const float base =
          (write == Write::kAdd ? static_cast<float>(out[j]) : 0.0F) + (bias ? bias[j] : 0.0F);
      out[j] = static_cast<C>(base + from[i * columns + j]);
    }
  }
}

}  // namespace

std::string bf16_engine() {
  if (!native()) {
    return "float32";
  }
  return dnnl::get_effective_cpu_isa() == dnnl::cpu_isa::avx512_core_amx ? "amx" : "avx512_bf16";
}

struct PackedMatrix::Layout {
  int64_t k, n;
  memory::desc desc;           // where `native`
  std::vector<float> widened;  // (k, n) elsewhere: rounded to bf16, kept as floats
  memory packed;
};

PackedMatrix::PackedMatrix(int64_t k, int64_t n) : layout_(std::make_unique<Layout>()) {
  layout_->k = k;
  layout_->n = n;
  if (native()) {
    layout_->desc = packed_desc(k, n);
    layout_->packed = memory(layout_->desc, cpu());
  } else {
    layout_->widened.resize(static_cast<size_t>(k * n));
  }
}

PackedMatrix::~PackedMatrix() = default;

size_t PackedMatrix::bytes(int64_t k, int64_t n) {
  return native() ? packed_desc(k, n).get_size() : sizeof(float) * static_cast<size_t>(k * n);
}

void PackedMatrix::pack(Matrix<const float> values, bool transposed) {
  Layout& to = *layout_;
  EBT_CHECK((transposed ? values.columns : values.rows) == to.k &&
                (transposed ? values.rows : values.columns) == to.n,
            "gemm: cannot pack ({},{}) as ({},{})", values.rows, values.columns, to.k, to.n);
  if (native()) {
    memory source(plain(to.k, to.n, values.row, memory::data_type::f32, transposed), cpu(),
                  const_cast<float*>(values.data));  // NOLINT
    const OneThread one;
    dnnl::stream stream(cpu());
    dnnl::reorder(source, to.packed).execute(stream, source, to.packed);
    stream.wait();
    return;
  }
  for (int64_t i = 0; i < to.k; ++i) {
    for (int64_t j = 0; j < to.n; ++j) {
      to.widened[static_cast<size_t>(i * to.n + j)] =
          Bfloat16(values.data[transposed ? j * values.row + i : i * values.row + j]);
    }
  }
}

namespace {

// c (m, n) = a (m, k) b + bias.
template <class C>
void multiply_packed(Matrix<const Bfloat16> a, const PackedMatrix& b, bool transposed, Matrix<C> c,
                     Write write, Tensor<const float> bias = {}) {
  const PackedMatrix::Layout& right = b.layout();
  EBT_CHECK(a.columns == right.k && c.columns == right.n && c.rows == a.rows,
            "gemm: ({},{}) times ({},{}) does not give ({},{})", a.rows, a.columns, right.k,
            right.n, c.rows, c.columns);
  EBT_CHECK((write == Write::kReplace || std::is_same_v<C, float>),
            "gemm: a bf16 result cannot be added to");
  EBT_CHECK(!bias || bias.count() == right.n, "gemm: a bias of {} entries for {} columns",
            bias.count(), right.n);
  if (a.rows == 0 || right.n == 0) {
    return;
  }
  const bool rounded = std::is_same_v<C, Bfloat16>;
  const bool add = write == Write::kAdd;
  observe_gemm({false, transposed, a.rows, right.n, right.k, true, rounded});
  // oneDNN is slow where rows are not dense: such blocks go through dense ones.
  const bool dense_a = a.row == right.k;
  const bool dense_c = c.row == right.n;
  const auto product = [&](int64_t rows) -> const Product& {
    const Kind kind = bias ? Kind::kPackedWithBias : Kind::kPacked;
    return cached_product({kind, rows, right.n, right.k, 0, 0, 0, rounded, add}, [&] {
      return std::make_unique<Product>(
          plain(rows, right.k, right.k, memory::data_type::bf16), right.desc,
          bias ? plain(1, right.n, right.n, memory::data_type::f32) : memory::desc(),
          plain(rows, right.n, right.n, kType<C>), add);
    });
  };
  if (native()) {
    const Product* whole = a.rows >= kBlockRows ? &product(kBlockRows) : nullptr;
    const int64_t rest = a.rows % kBlockRows;
    const Product* last = rest > 0 ? &product(std::max(rest, kLeastRows)) : nullptr;
    for_row_blocks(a.rows, kBlockRows, [&](int64_t first, int64_t rows) {
      const Matrix<const Bfloat16> from = a.rows_from(first, rows);
      const Matrix<C> to = c.rows_from(first, rows);
      const int64_t computed = std::max(rows, kLeastRows);
      const bool copy_a = !dense_a || rows < computed;
      const bool copy_c = !dense_c || rows < computed;
      Bfloat16* left =
          copy_a ? scratch<Bfloat16>(static_cast<size_t>(computed * right.k)) : nullptr;
      C* sums = copy_c ? result_scratch<C>(static_cast<size_t>(computed * right.n)) : nullptr;
      for (int64_t i = 0; i < rows; ++i) {
        if (copy_a) {
          std::copy_n(from.data + i * from.row, right.k, left + i * right.k);
        }
        if (copy_c && add) {
          std::copy_n(to.data + i * to.row, right.n, sums + i * right.n);
        }
      }
      if (rows < computed) {
        std::fill(left + rows * right.k, left + computed * right.k, Bfloat16{});
        std::fill(sums + rows * right.n, sums + computed * right.n, C{});
      }
      (rows == kBlockRows ? whole : last)
          ->run(copy_a ? left : from.data, right.packed.get_data_handle(), bias.data,
                copy_c ? sums : to.data);
      for (int64_t i = 0; i < rows && copy_c; ++i) {
        std::copy_n(sums + i * right.n, right.n, to.data + i * to.row);
      }
    });
    return;
  }
  for_row_blocks(a.rows, kBlockRows, [&](int64_t first, int64_t rows) {
    const int64_t computed = std::max(rows, kLeastRows);
    float* wide = scratch<float>(static_cast<size_t>(computed * (right.k + right.n)));
    float* sums = wide + computed * right.k;
    std::fill(wide + rows * right.k, sums, 0.0F);
    for (int64_t i = 0; i < rows; ++i) {
      widen(a.data + (first + i) * a.row, right.k, wide + i * right.k);
    }
    multiply_block(false, false, computed, right.n, right.k, wide, right.k, right.widened.data(),
                   right.n, sums, right.n, false);
    put(sums, rows, right.n, c.rows_from(first, rows), write, bias);
  });
}

}  // namespace

template <>
void multiply_nt(Matrix<const Bfloat16> x, const WeightMatrix<float, Bfloat16>& weights,
                 Matrix<float> c, Write write, Tensor<const float> bias) {
  multiply_packed(x, *weights.transposed, true, c, write, bias);
}
template <>
void multiply_nt(Matrix<const Bfloat16> x, const WeightMatrix<float, Bfloat16>& weights,
                 Matrix<Bfloat16> c, Write write, Tensor<const float> bias) {
  multiply_packed(x, *weights.transposed, true, c, write, bias);
}
template <>
void multiply_nn(Matrix<const Bfloat16> y, const WeightMatrix<float, Bfloat16>& weights,
                 Matrix<float> c, Write write) {
  multiply_packed(y, *weights.straight, false, c, write);
}
template <>
void multiply_nn(Matrix<const Bfloat16> y, const WeightMatrix<float, Bfloat16>& weights,
                 Matrix<Bfloat16> c, Write write) {
  multiply_packed(y, *weights.straight, false, c, write);
}

template <>
void multiply_tn(Matrix<const Bfloat16> a, Matrix<const Bfloat16> b, Matrix<float> c, Write write) {
  const int64_t m = a.columns;
  const int64_t n = b.columns;
  const int64_t k = a.rows;
  EBT_CHECK(b.rows == k && c.rows == m && c.columns == n,
            "gemm: ({},{}) times ({},{}) does not give ({},{})", m, k, b.rows, n, c.rows,
            c.columns);
  if (m == 0 || n == 0) {
    return;
  }
  const bool add = write == Write::kAdd;
  if (k == 0) {
    for (int64_t i = 0; i < m && !add; ++i) {
      std::fill_n(c.data + i * c.row, n, 0.0F);
    }
    return;
  }
  observe_gemm({true, false, m, n, k, true, false});
  if (native()) {
    const auto product = [&](int64_t rows) -> const Product& {
      return cached_product({Kind::kTransposed, rows, n, k, a.row, b.row, c.row, false, add}, [&] {
        return std::make_unique<Product>(plain(rows, k, a.row, memory::data_type::bf16, true),
                                         plain(k, n, b.row, memory::data_type::bf16),
                                         memory::desc(),
                                         plain(rows, n, c.row, memory::data_type::f32), add);
      });
    };
    const Product* whole = m >= kBlockRowsTransposed ? &product(kBlockRowsTransposed) : nullptr;
    const int64_t rest = m % kBlockRowsTransposed;
    const Product* last = rest > 0 ? &product(rest) : nullptr;
    for_row_blocks(m, kBlockRowsTransposed, [&](int64_t first, int64_t rows) {
      (rows == kBlockRowsTransposed ? whole : last)
          ->run(a.data + first, b.data, nullptr, c.data + first * c.row);
    });
    return;
  }
  std::vector<float> right(static_cast<size_t>(k * n));
  for (int64_t i = 0; i < k; ++i) {
    widen(b.data + i * b.row, n, right.data() + i * n);
  }
  for_row_blocks(m, kBlockRowsTransposed, [&](int64_t first, int64_t rows) {
    float* left = scratch<float>(static_cast<size_t>(k * rows));
    for (int64_t i = 0; i < k; ++i) {
      widen(a.data + i * a.row + first, rows, left + i * rows);
    }
    multiply_block(true, false, rows, n, k, left, rows, right.data(), n, c.data + first * c.row,
                   c.row, add);
  });
}

}  // namespace ebt::kernels
