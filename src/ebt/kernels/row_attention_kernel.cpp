#include "ebt/kernels/attention_vectors.h"
#include "ebt/kernels/isa.h"
#include "ebt/kernels/row_attention.h"

namespace ebt::kernels {
namespace {

// Keys whose scores are held at a time.
constexpr int64_t kKeyTile = 64;
// Less work than this is not worth waking another thread for: elements of keys.
constexpr int64_t kSerialElements = 1 << 13;

// One row of one head.
template <class T, class S>
struct RowHead {
  int64_t width, own;
  T scale;
  const T* q;
  const T* own_k;
  const T* own_v;
  const S* keys;
  const S* values;
  int64_t count;

  RowHead(const RowAttentionArguments<T, S>& a, int64_t row, int64_t head)
      : width(a.head_width),
        own(a.own ? 1 : 0),
        scale(a.scale * kScoreUnit<T>),
        q(a.qkv + row * 3 * a.heads * a.head_width + head * a.head_width),
        own_k(q + a.heads * a.head_width),
        own_v(own_k + a.heads * a.head_width),
        keys(a.cached[row].keys + head * a.head_stride),
        values(a.cached[row].values + head * a.head_stride),
        count(a.cached[row].count) {}
};

// out[j] = x . rows[j] * scale for j in [0, count); at least kKeyTile of `out` exist.
template <class T, class S>
inline void dots(int64_t count, int64_t width, const T* x, const S* rows, T scale, T* out) {
  int64_t j = 0;
  for (; j + 4 <= count; j += 4) {
    VectorOf<T> sum[4] = {};
    const S* r = rows + j * width;
    for_vectors<T>(width, [&](int64_t i, int64_t lanes) {
      const VectorOf<T> left = load_first<T>(x + i, lanes);
#pragma GCC unroll 4
      for (int64_t n = 0; n < 4; ++n) {
        sum[n] += left * load_first<T>(r + n * width + i, lanes);
      }
    });
#pragma GCC unroll 4
    for (int64_t n = 0; n < 4; ++n) {
      out[j + n] = sum_of_lanes<T>(sum[n]) * scale;
    }
  }
  for (; j < count; ++j) {
    out[j] = dot<T>(width, x, rows + j * width) * scale;
  }
}

// out[j] = power(out[j] - shift); their sum. Beyond count, out is left zero.
template <class T>
inline T powers(int64_t count, T shift, T* out) {
  VectorOf<T> sum{};
  for_vectors<T>(count, [&](int64_t j, int64_t lanes) {
    VectorOf<T> value = power(load_first<T>(out + j, lanes) - fill(shift));
    if (lanes < kLanes<T>) {
      for (int64_t n = lanes; n < kLanes<T>; ++n) {
        value[n] = T(0);
      }
    }
    store_first<T>(value, out + j, lanes);
    sum += value;
  });
  return sum_of_lanes<T>(sum);
}

// y (width) += sum of weights[j] rows[j].
template <class T, class S>
inline void add_weighted(int64_t count, int64_t width, const T* weights, const S* rows, T* y) {
  int64_t i = 0;
  for (; i + 4 * kLanes<T> <= width; i += 4 * kLanes<T>) {
    VectorOf<T> sum[4];
#pragma GCC unroll 4
    for (int n = 0; n < 4; ++n) {
      sum[n] = load(y + i + n * kLanes<T>);
    }
    for (int64_t j = 0; j < count; ++j) {
#pragma GCC unroll 4
      for (int n = 0; n < 4; ++n) {
        sum[n] += load(rows + j * width + i + n * kLanes<T>) * weights[j];
      }
    }
#pragma GCC unroll 4
    for (int n = 0; n < 4; ++n) {
      store(sum[n], y + i + n * kLanes<T>);
    }
  }
  for (; i < width; i += kLanes<T>) {
    const int64_t lanes = width - i;
    VectorOf<T> sum = load_first<T>(y + i, lanes);
    for (int64_t j = 0; j < count; ++j) {
      sum += load_first<T>(rows + j * width + i, lanes) * weights[j];
    }
    store_first<T>(sum, y + i, lanes);
  }
}

template <class T>
inline T largest_of(int64_t count, const T* values, T largest) {
  for (int64_t j = 0; j < count; ++j) {
    largest = values[j] > largest ? values[j] : largest;
  }
  return largest;
}

template <class T>
inline T power_of(T x) {
  return power(fill(x))[0];
}

// Softmax over keys that arrive in tiles: sums so far are scaled down when a larger score comes.
template <class T>
struct RunningSoftmax {
  T largest = static_cast<T>(-__builtin_huge_val());
  T total = 0;
  bool empty = true;

  template <class S>
  void add(int64_t count, int64_t width, T* scores, const S* values, T* o) {
    const T before = largest;
    largest = largest_of(count, scores, largest);
    if (!empty && largest > before) {
      const T shrink = power_of(before - largest);
      total *= shrink;
      for (int64_t i = 0; i < width; ++i) {
        o[i] *= shrink;
      }
    }
    empty = false;
    total += powers(count, largest, scores);
    add_weighted(count, width, scores, values, o);
  }
};

template <class T, class S>
void forward_head(const RowHead<T, S>& h, T* o, T* log_sum) {
  alignas(kVectorBytes) T scores[kKeyTile];
  for (int64_t i = 0; i < h.width; ++i) {
    o[i] = T(0);
  }
  RunningSoftmax<T> softmax;
  for (int64_t first = 0; first < h.count; first += kKeyTile) {
    const int64_t count = h.count - first < kKeyTile ? h.count - first : kKeyTile;
    dots(count, h.width, h.q, h.keys + first * h.width, h.scale, scores);
    softmax.add(count, h.width, scores, h.values + first * h.width, o);
  }
  if (h.own != 0) {
    dots(1, h.width, h.q, h.own_k, h.scale, scores);
    softmax.add(1, h.width, scores, h.own_v, o);
  }
  for (int64_t i = 0; i < h.width; ++i) {
    o[i] /= softmax.total;
  }
  *log_sum = softmax.largest + natural_logarithm(softmax.total) * kScoreUnit<T>;
}

// From the scores of `count` keys and o_bar.v of each: weights, then ds, in place of the dots.
template <class T>
inline void score_cotangents(int64_t count, T log_sum, T mean_dot, T scale, T* scores, T* dots_v) {
  powers(count, log_sum, scores);
  for (int64_t j = 0; j < count; ++j) {
    dots_v[j] = scores[j] * (dots_v[j] - mean_dot) * scale;
  }
}

template <class T, class S>
void vjp_head(const RowHead<T, S>& h, T scale, const T* o, T log_sum, const T* o_bar, T* q_bar,
              T* k_bar, T* v_bar) {
  alignas(kVectorBytes) T scores[kKeyTile];
  alignas(kVectorBytes) T slopes[kKeyTile];
  const T mean_dot = dot<T>(h.width, o_bar, o);
  for (int64_t i = 0; i < h.width; ++i) {
    q_bar[i] = T(0);
  }
  for (int64_t first = 0; first < h.count; first += kKeyTile) {
    const int64_t count = h.count - first < kKeyTile ? h.count - first : kKeyTile;
    const S* keys = h.keys + first * h.width;
    dots(count, h.width, h.q, keys, h.scale, scores);
    dots(count, h.width, o_bar, h.values + first * h.width, T(1), slopes);
    score_cotangents(count, log_sum, mean_dot, scale, scores, slopes);
    add_weighted(count, h.width, slopes, keys, q_bar);
  }
  dots(1, h.width, h.q, h.own_k, h.scale, scores);
  dots(1, h.width, o_bar, h.own_v, T(1), slopes);
  score_cotangents(1, log_sum, mean_dot, scale, scores, slopes);
  add_weighted(1, h.width, slopes, h.own_k, q_bar);
  for (int64_t i = 0; i < h.width; ++i) {
    k_bar[i] = slopes[0] * h.q[i];
    v_bar[i] = scores[0] * o_bar[i];
  }
}

// Calls body(row, head) for all of them.
template <class T, class S, class Body>
void for_rows_and_heads(const RowAttentionArguments<T, S>& a, Body&& body) {
  int64_t elements = 0;
  for (int64_t row = 0; row < a.rows; ++row) {
    elements += (a.cached[row].count + 1) * a.heads * a.head_width;
  }
#pragma omp parallel for collapse(2) schedule(static) if (elements > kSerialElements)
  for (int64_t row = 0; row < a.rows; ++row) {
    for (int64_t head = 0; head < a.heads; ++head) {
      body(row, head);
    }
  }
}

template <class T, class S>
void forward(const RowAttentionArguments<T, S>& a) {
  for_rows_and_heads(a, [&](int64_t row, int64_t head) {
    const int64_t index = row * a.heads + head;
    forward_head(RowHead<T, S>(a, row, head), a.o + index * a.head_width, a.log_sum + index);
  });
}

template <class T, class S>
void vjp(const RowAttentionArguments<T, S>& a, const T* o_bar, T* qkv_bar) {
  const int64_t width = a.heads * a.head_width;
  for_rows_and_heads(a, [&](int64_t row, int64_t head) {
    const int64_t index = row * a.heads + head;
    T* q_bar = qkv_bar + row * 3 * width + head * a.head_width;
    vjp_head(RowHead<T, S>(a, row, head), a.scale, a.o + index * a.head_width, a.log_sum[index],
             o_bar + index * a.head_width, q_bar, q_bar + width, q_bar + 2 * width);
  });
}

}  // namespace

#define EBT_TABLE(T, S)                                                                     \
  template <>                                                                               \
  const RowAttentionKernels<T, S>& kernels_for<RowAttentionKernels<T, S>, Isa::EBT_ISA>() { \
    static constexpr RowAttentionKernels<T, S> table{&forward<T, S>, &vjp<T, S>};           \
    return table;                                                                           \
  }
EBT_TABLE(float, float)
EBT_TABLE(float, Bfloat16)
EBT_TABLE(double, double)
#undef EBT_TABLE

}  // namespace ebt::kernels
