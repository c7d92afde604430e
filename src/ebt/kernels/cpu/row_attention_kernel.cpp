// Attention of single rows to cached keys, and its gradient by the row: row_attention.h.
#include "ebt/kernels/cpu/parallel.h"
#include "ebt/kernels/cpu/words.h"
#include "ebt/kernels/isa.h"
#include "ebt/kernels/row_attention.h"

namespace ebt::kernels {
namespace {

// Blocks of keys whose scores are held at a time, and their keys.
constexpr int64_t kTileBlocks = 4;
constexpr int64_t kKeyTile = kTileBlocks * kKeyBlock;

// One row of one head.
template <class T, class S>
struct RowHead {
  using X = Word<S>;
  int64_t width;
  bool own;
  T scale;
  const T* q;
  const T* own_k;
  const T* own_v;
  const X* keys;
  const X* values;
  int64_t count;

  RowHead(const RowAttentionArguments<T, S>& a, int64_t row, int64_t head)
      : width(a.head_width),
        own(a.cached[row].own),
        scale(a.scale * kScoreUnit<T>),
        q(a.qkv + row * 3 * a.heads * a.head_width + head * a.head_width),
        own_k(q + a.heads * a.head_width),
        own_v(own_k + a.heads * a.head_width),
        keys(reinterpret_cast<const X*>(a.cached[row].keys + head * a.head_stride)),
        values(reinterpret_cast<const X*>(a.cached[row].values + head * a.head_stride)),
        count(a.cached[row].count) {}
  // Calls body(keys of a tile, its values, tokens in it).
  template <class Body>
  void for_tiles(Body&& body) const {
    for (int64_t first = 0; first < count; first += kKeyTile) {
      const int64_t here = count - first < kKeyTile ? count - first : kKeyTile;
      body(keys + first * words<S>(width), values + words<S>(first) * width, here);
    }
  }
};

// scores[j] = x . key j * scale for the keys of `kBlocks` blocks, x and keys `steps` words wide.
template <int kBlocks, class T, class X>
inline void score_blocks(int64_t steps, const X* x, const X* keys, T scale, T* scores) {
  constexpr int kVectors = kKeyBlock / kLanes<T>;
  VectorOf<T> sum[kBlocks][kVectors] = {};
  for (int64_t k = 0; k < steps; ++k) {
#pragma GCC unroll 4
    for (int b = 0; b < kBlocks; ++b) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        sum[b][v] = multiply_add(
            x[k], load_words(keys + (b * steps + k) * kKeyBlock + v * kLanes<T>), sum[b][v]);
      }
    }
  }
  for (int b = 0; b < kBlocks; ++b) {
    for (int v = 0; v < kVectors; ++v) {
      store(sum[b][v] * scale, scores + b * kKeyBlock + v * kLanes<T>);
    }
  }
}

template <class T, class X>
inline void score(int64_t count, int64_t steps, const X* x, const X* keys, T scale, T* scores) {
  switch ((count + kKeyBlock - 1) / kKeyBlock) {
    case 1:
      return score_blocks<1>(steps, x, keys, scale, scores);
    case 2:
      return score_blocks<2>(steps, x, keys, scale, scores);
    case 3:
      return score_blocks<3>(steps, x, keys, scale, scores);
    default:
      return score_blocks<4>(steps, x, keys, scale, scores);
  }
}

// out[j] = power(out[j] - shift) for j < count, and 0 beyond; their sum.
template <class T>
inline T powers(int64_t count, T shift, T* out) {
  VectorOf<T> sum{};
  int64_t j = 0;
  for (; j < count; j += kLanes<T>) {
    VectorOf<T> value = power(load(out + j) - fill(shift));
    for (int64_t n = count - j; n < kLanes<T>; ++n) {
      value[n] = T(0);
    }
    store(value, out + j);
    sum += value;
  }
  for (; j < kKeyTile; ++j) {
    out[j] = T(0);
  }
  return sum_of_lanes<T>(sum);
}

// y (width) += sum of p[j] value j, over `steps` words of p.
template <class T, class X>
inline void add_values(int64_t steps, int64_t width, const X* p, const X* values, T* y) {
  int64_t i = 0;
  for (; i + 4 * kLanes<T> <= width; i += 4 * kLanes<T>) {
    VectorOf<T> sum[4];
#pragma GCC unroll 4
    for (int n = 0; n < 4; ++n) {
      sum[n] = load(y + i + n * kLanes<T>);
    }
    for (int64_t j = 0; j < steps; ++j) {
#pragma GCC unroll 4
      for (int n = 0; n < 4; ++n) {
        sum[n] = multiply_add(p[j], load_words(values + j * width + i + n * kLanes<T>), sum[n]);
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
    for (int64_t j = 0; j < steps; ++j) {
      sum = multiply_add(p[j], load_first_words(values + j * width + i, lanes), sum);
    }
    store_first<T>(sum, y + i, lanes);
  }
}

// out[j] = x . value j for j < count, and for the other half of the last word.
template <class T>
inline void value_dots(int64_t count, int64_t width, const T* x, const T* values, T* out) {
  for (int64_t j = 0; j < count; ++j) {
    out[j] = dot<T>(width, x, values + j * width);
  }
}
inline void value_dots(int64_t count, int64_t width, const float* x, const Pair* values,
                       float* out) {
  for (int64_t j = 0; j < count; j += 2) {
    VectorOf<float> lower{};
    VectorOf<float> upper{};
    const Pair* row = values + j / 2 * width;
    for_vectors<float>(width, [&](int64_t i, int64_t lanes) {
      const VectorOf<float> left = load_first<float>(x + i, lanes);
      const Words right = load_first_words(row + i, lanes);
      lower += left * lower_halves(right);
      upper += left * upper_halves(right);
    });
    out[j] = sum_of_lanes<float>(lower);
    out[j + 1] = sum_of_lanes<float>(upper);
  }
}

// Lane by lane, sums[i] += s_bar[j] times element i of key j, over `blocks` blocks of keys.
template <class T>
inline void add_keys(int64_t blocks, int64_t width, const T* s_bar, const T* keys,
                     VectorOf<T>* sums) {
  for (int64_t b = 0; b < blocks; ++b) {
    for (int v = 0; v < kKeyBlock / kLanes<T>; ++v) {
      const VectorOf<T> factor = load(s_bar + b * kKeyBlock + v * kLanes<T>);
      for (int64_t i = 0; i < width; ++i) {
        sums[i] += factor * load(keys + (b * width + i) * kKeyBlock + v * kLanes<T>);
      }
    }
  }
}
inline void add_keys(int64_t blocks, int64_t width, const float* s_bar, const Pair* keys,
                     VectorOf<float>* sums) {
  for (int64_t b = 0; b < blocks; ++b) {
    for (int v = 0; v < kKeyBlock / kLanes<float>; ++v) {
      const VectorOf<float> factor = load(s_bar + b * kKeyBlock + v * kLanes<float>);
      for (int64_t i = 0; i < width; i += 2) {
        const Words pair = load_words(keys + (b * width + i) / 2 * kKeyBlock + v * kLanes<float>);
        sums[i] += factor * lower_halves(pair);
        sums[i + 1] += factor * upper_halves(pair);
      }
    }
  }
}

template <class T>
inline T maximum(int64_t count, const T* values, T maximum) {
  for (int64_t j = 0; j < count; ++j) {
    maximum = values[j] > maximum ? values[j] : maximum;
  }
  return maximum;
}

template <class T>
inline T power_of(T x) {
  return power(fill(x))[0];
}

// Softmax over keys that arrive in tiles: sums so far are rescaled when a larger score comes.
template <class T>
struct OnlineSoftmax {
  T row_max = static_cast<T>(-__builtin_huge_val());
  T row_sum = 0;

  // Makes p, not divided by their sum, of `count` new scores, and rescales o (width) to them.
  void add(int64_t count, T* scores, int64_t width, T* o) {
    const T before = row_max;
    row_max = maximum(count, scores, row_max);
    if (row_sum > T(0) && row_max > before) {
      const T rescale = power_of(before - row_max);
      row_sum *= rescale;
      for (int64_t i = 0; i < width; ++i) {
        o[i] *= rescale;
      }
    }
    row_sum += powers(count, row_max, scores);
  }
};

template <class T, class S>
void forward_head(const RowHead<T, S>& h, T* o, T* log_sum) {
  alignas(kVectorBytes) T scores[kKeyTile];
  Word<S> memory[words<S>(kMaxRowHeadWidth)];
  Word<S> p[words<S>(kKeyTile)];
  const auto* q = words_of(h.width, h.q, memory);
  for (int64_t i = 0; i < h.width; ++i) {
    o[i] = T(0);
  }
  OnlineSoftmax<T> softmax;
  h.for_tiles([&](const auto* keys, const auto* values, int64_t count) {
    score(count, words<S>(h.width), q, keys, h.scale, scores);
    softmax.add(count, scores, h.width, o);
    add_values(words<S>(count), h.width, words_of(count, scores, p), values, o);
  });
  if (h.own) {
    scores[0] = dot<T>(h.width, h.q, h.own_k) * h.scale;
    softmax.add(1, scores, h.width, o);
    add_scaled(h.width, scores[0], h.own_v, o);
  }
  for (int64_t i = 0; i < h.width; ++i) {
    o[i] /= softmax.row_sum;
  }
  *log_sum = softmax.row_max + natural_logarithm(softmax.row_sum) * kScoreUnit<T>;
}

template <class T, class S>
void vjp_head(const RowHead<T, S>& h, T scale, const T* o, T log_sum, const T* o_bar, T* q_bar,
              T* k_bar, T* v_bar) {
  alignas(kVectorBytes) T scores[kKeyTile];
  alignas(kVectorBytes) T s_bar[kKeyTile];
  Word<S> memory[words<S>(kMaxRowHeadWidth)];
  VectorOf<T> sums[kMaxRowHeadWidth];
  const auto* q = words_of(h.width, h.q, memory);
  const T mean_p_bar = dot<T>(h.width, o_bar, o);  // FlashAttention's D
  for (int64_t i = 0; i < h.width; ++i) {
    sums[i] = VectorOf<T>{};
  }
  h.for_tiles([&](const auto* keys, const auto* values, int64_t count) {
    score(count, words<S>(h.width), q, keys, h.scale, scores);
    value_dots(count, h.width, o_bar, values, s_bar);
    powers(count, log_sum, scores);
    const int64_t blocks = (count + kKeyBlock - 1) / kKeyBlock;
    for (int64_t j = 0; j < blocks * kKeyBlock; ++j) {
      s_bar[j] = j < count ? scores[j] * (s_bar[j] - mean_p_bar) * scale : T(0);
    }
    add_keys(blocks, h.width, s_bar, keys, sums);
  });
  scores[0] = dot<T>(h.width, h.q, h.own_k) * h.scale;
  powers(1, log_sum, scores);
  const T own_s_bar = scores[0] * (dot<T>(h.width, o_bar, h.own_v) - mean_p_bar) * scale;
  for (int64_t i = 0; i < h.width; ++i) {
    q_bar[i] = sum_of_lanes<T>(sums[i]) + own_s_bar * h.own_k[i];
    k_bar[i] = own_s_bar * h.q[i];
    v_bar[i] = scores[0] * o_bar[i];
  }
}

// Calls body(row, head) for all of them: rows that see the same keys one after the other, while the
// keys of a head are near.
template <class T, class S, class Body>
void for_rows_and_heads(const RowAttentionArguments<T, S>& a, Body&& body) {
  int64_t elements = 0;
  for (int64_t i = 0; i < a.rows; ++i) {
    elements += (a.cached[a.order[i]].count + 1) * a.heads * a.head_width;
  }
#pragma omp parallel for collapse(2) schedule(static) if (elements > kSerialElements)
  for (int64_t head = 0; head < a.heads; ++head) {
    for (int64_t i = 0; i < a.rows; ++i) {
      body(a.order[i], head);
    }
  }
}

template <class T, class S>
void append(const RowAttentionArguments<T, S>& a, int64_t rows) {
  const int64_t width = a.head_width;
#pragma omp parallel for schedule(static) if (rows * a.heads * width > kSerialElements)
  for (int64_t head = 0; head < a.heads; ++head) {
    for (int64_t row = 0; row < rows; ++row) {
      const CachedKeys<S>& at = a.cached[row];
      if (at.own) {
        continue;
      }
      const int64_t token = at.count - 1;
      S* keys = at.keys + head * a.head_stride;
      S* values = at.values + head * a.head_stride;
      if (token % kKeyBlock == 0) {
        S* key_block = keys + key_element<S>(width, token, 0);
        S* value_block = values + value_element<S>(width, token, 0);
        for (int64_t i = 0; i < kKeyBlock * width; ++i) {
          key_block[i] = S{};
          value_block[i] = S{};
        }
      }
      const T* k = a.qkv + (row * 3 + 1) * a.heads * width + head * width;
      const T* v = k + a.heads * width;
      for (int64_t i = 0; i < width; ++i) {
        keys[key_element<S>(width, token, i)] = static_cast<S>(k[i]);
        values[value_element<S>(width, token, i)] = static_cast<S>(v[i]);
      }
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

#define EBT_TABLE(T, S)                                                                          \
  template <>                                                                                    \
  const RowAttentionKernels<T, S>& kernels_for<RowAttentionKernels<T, S>, Isa::EBT_ISA>() {      \
    static constexpr RowAttentionKernels<T, S> table{&append<T, S>, &forward<T, S>, &vjp<T, S>}; \
    return table;                                                                                \
  }
EBT_TABLE(float, float)
EBT_TABLE(float, Bfloat16)
EBT_TABLE(double, double)
#undef EBT_TABLE

}  // namespace ebt::kernels
