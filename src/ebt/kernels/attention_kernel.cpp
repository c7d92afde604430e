#include <cmath>

#include "ebt/kernels/attention.h"
#include "ebt/kernels/isa.h"
#include "ebt/kernels/tile.h"
#include "ebt/kernels/vector_math.h"

namespace ebt::kernels {
namespace {

// A tile of scores is kQueries by kKeys. One thread works on one head of one sequence at a time, so
// no two threads add to the same cotangent and sums do not depend on the number of threads.
constexpr int64_t kQueries = 48;
constexpr int64_t kKeys = 64;

template <class T>
using Tile = T[kQueries * kKeys];

// Memory of one thread, grown on first use and kept: kernels run thousands of times a second.
template <class T>
T* scratch(int64_t count) {
  struct Buffer {
    T* data = nullptr;
    int64_t capacity = 0;
    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { delete[] data; }
  };
  static thread_local Buffer buffer;
  if (buffer.capacity < count) {
    delete[] buffer.data;
    buffer.data = new T[static_cast<size_t>(count)];
    buffer.capacity = count;
  }
  return buffer.data;
}

// Row t of one head: a pointer that steps by `stride`.
template <class T>
struct Rows {
  T* data = nullptr;
  int64_t stride = 0;
  T* operator[](int64_t t) const { return data + t * stride; }
  explicit operator bool() const { return data != nullptr; }
};

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
void add_scaled(int64_t width, T scale, const T* x, T* y) {
#pragma omp simd
  for (int64_t i = 0; i < width; ++i) {
    y[i] += scale * x[i];
  }
}

// One head of one sequence.
template <class T>
struct Head {
  const AttentionArguments<T>& a;
  int64_t sequence;
  int64_t head;
  int64_t width = a.shape.head_width;
  int64_t padded_keys = (a.shape.keys + kKeys - 1) / kKeys * kKeys;

  template <class U>
  Rows<U> rows(const HeadRows<U>& h) const {
    return h.data == nullptr
               ? Rows<U>{}
               : Rows<U>{h.data + sequence * h.rows * h.stride + head * width, h.stride};
  }
  // Position of query t in log_sum and mean_dot.
  int64_t at(int64_t t) const { return (sequence * a.shape.queries + t) * a.shape.heads + head; }

  // Context keys that any of the tile's queries sees.
  int64_t tile_keys(int64_t first, int64_t count) const {
    const int64_t seen = a.shape.visible + first + count - 1;
    return seen < a.shape.keys ? seen : a.shape.keys;
  }

  // x^T as (width, padded_keys), zero beyond the last key: lets a tile of products with x be a
  // plain product with contiguous rows. Sixteen keys at a time, so that whole cache lines are
  // written.
  void transpose(Rows<const T> x, T* out) const {
    constexpr int64_t kGroup = 16;
    for (int64_t first = 0; first < padded_keys; first += kGroup) {
      const int64_t left = a.shape.keys - first;
      const int64_t count = left < kGroup ? (left < 0 ? 0 : left) : kGroup;
      for (int64_t i = 0; i < width; ++i) {
        T* row = out + i * padded_keys + first;
        for (int64_t j = 0; j < count; ++j) {
          row[j] = x[first + j][i];
        }
        for (int64_t j = count; j < kGroup; ++j) {
          row[j] = T(0);
        }
      }
    }
  }
  int64_t transposed_count() const { return width * padded_keys; }

  // tile (queries, kKeys) = x y^T, for rows `first`.. of x and keys `key`.. of the transposed y.
  void products(Rows<const T> x, int64_t first, int64_t queries, const T* transposed, int64_t key,
                bool add, Tile<T>& tile) const {
    multiply<T>(queries, kKeys, width, {x[first], x.stride, 1}, transposed + key, padded_keys, tile,
                kKeys, add);
  }
  // out (queries, width) += tile y, over the keys `key`..key + keys.
  void spread(const Tile<T>& tile, int64_t queries, int64_t keys, Rows<const T> y, int64_t key,
              T* out) const {
    multiply<T>(queries, width, keys, {tile, kKeys, 1}, y[key], y.stride, out, width, true);
  }
  // y_bar[key..] += tile^T x.
  void collect(const Tile<T>& tile, int64_t queries, int64_t keys, Rows<const T> x, int64_t first,
               Rows<T> y_bar, int64_t key) const {
    multiply<T>(keys, width, queries, {tile, 1, kKeys}, x[first], x.stride, y_bar[key],
                y_bar.stride, true);
  }

  // Sets the products of query t with keys from `key` that it does not see so low that their weight
  // is zero; then the loops over a row need no condition.
  void hide(int64_t t, int64_t key, T* row) const {
    const int64_t seen = a.shape.visible + t - key;
    for (int64_t j = seen < 0 ? 0 : seen; j < kKeys; ++j) {
      row[j] = T(-1e30);
    }
  }

  // Turns a tile of q.k into softmax weights, zero where a key is not visible.
  void weigh(int64_t first, int64_t queries, int64_t key, Tile<T>& tile) const {
    const T scale = a.scale;
    for (int64_t r = 0; r < queries; ++r) {
      const T log_sum = a.log_sum[at(first + r)];
      T* row = tile + r * kKeys;
      hide(first + r, key, row);
#pragma omp simd
      for (int j = 0; j < kKeys; ++j) {
        row[j] = exponential(scale * row[j] - log_sum);
      }
    }
  }

  // Adds the tile's accumulated rows to a cotangent, or replaces it.
  void store(const T* from, int64_t first, int64_t queries, Rows<T> to) const {
    for (int64_t r = 0; r < queries; ++r) {
      T* out = to[first + r];
      for (int64_t i = 0; i < width; ++i) {
        out[i] = (a.add ? out[i] : T(0)) + from[r * width + i];
      }
    }
  }
  void store_row(T scale_x, const T* x, T scale_y, const T* y, T* out) const {
    for (int64_t i = 0; i < width; ++i) {
      out[i] = (a.add ? out[i] : T(0)) + scale_x * x[i] + scale_y * y[i];
    }
  }
};

template <class T, class Body>
void for_heads(const AttentionArguments<T>& a, Body&& body) {
  const int64_t count = a.shape.batch * a.shape.heads;
#pragma omp parallel for schedule(static)
  for (int64_t index = 0; index < count; ++index) {
    body(Head<T>{a, index / a.shape.heads, index % a.shape.heads});
  }
}

template <class T, class Body>
void for_query_tiles(const Head<T>& head, Body&& body) {
  for (int64_t first = 0; first < head.a.shape.queries; first += kQueries) {
    const int64_t left = head.a.shape.queries - first;
    body(first, left < kQueries ? left : kQueries);
  }
}

template <class T, class Body>
void for_key_tiles(const Head<T>& head, int64_t first, int64_t queries, Body&& body) {
  const int64_t end = head.tile_keys(first, queries);
  for (int64_t key = 0; key < end; key += kKeys) {
    body(key, end - key < kKeys ? end - key : kKeys);
  }
}

template <class T>
void forward(const AttentionArguments<T>& a) {
  for_heads(a, [&](const Head<T>& h) {
    T* const keys_t = scratch<T>(h.transposed_count() + kQueries * h.width);
    T* const sum = keys_t + h.transposed_count();
    h.transpose(h.rows(a.k), keys_t);
    for_query_tiles(h, [&](int64_t first, int64_t queries) {
      T largest[kQueries];
      T total[kQueries];
      for (int64_t r = 0; r < queries; ++r) {
        if (a.shape.own) {
          largest[r] = a.scale * dot(h.width, h.rows(a.q)[first + r], h.rows(a.own_k)[first + r]);
          total[r] = T(1);
          const T* own = h.rows(a.own_v)[first + r];
          for (int64_t i = 0; i < h.width; ++i) {
            sum[r * h.width + i] = own[i];
          }
        } else {
          largest[r] = T(-1e30);
          total[r] = T(0);
          for (int64_t i = 0; i < h.width; ++i) {
            sum[r * h.width + i] = T(0);
          }
        }
      }
      for_key_tiles(h, first, queries, [&](int64_t key, int64_t keys) {
        alignas(64) Tile<T> tile;
        h.products(h.rows(a.q), first, queries, keys_t, key, false, tile);
        for (int64_t r = 0; r < queries; ++r) {
          T* row = tile + r * kKeys;
          h.hide(first + r, key, row);
          const T scale = a.scale;
          T top = largest[r];
#pragma omp simd reduction(max : top)
          for (int j = 0; j < kKeys; ++j) {
            const T score = scale * row[j];
            top = score > top ? score : top;
          }
          T added = 0;
#pragma omp simd reduction(+ : added)
          for (int j = 0; j < kKeys; ++j) {
            row[j] = exponential(scale * row[j] - top);
            added += row[j];
          }
          const T shrink = exponential(largest[r] - top);
          largest[r] = top;
          total[r] = total[r] * shrink + added;
          for (int64_t i = 0; i < h.width; ++i) {
            sum[r * h.width + i] *= shrink;
          }
        }
        h.spread(tile, queries, keys, h.rows(a.v), key, sum);
      });
      for (int64_t r = 0; r < queries; ++r) {
        a.log_sum[h.at(first + r)] = largest[r] + std::log(total[r]);
        T* out = h.rows(a.o)[first + r];
        const T inverse = T(1) / total[r];
        for (int64_t i = 0; i < h.width; ++i) {
          out[i] = sum[r * h.width + i] * inverse;
        }
      }
    });
  });
}

// ds = w (o_bar.v - o_bar.o);  q_bar = scale ds k;  k_bar = scale ds^T q;  v_bar = w^T o_bar.
template <class T>
void vjp(const AttentionArguments<T>& a) {
  for_heads(a, [&](const Head<T>& h) {
    T* const keys_t = scratch<T>(2 * h.transposed_count() + kQueries * h.width);
    T* const values_t = keys_t + h.transposed_count();
    T* const q_sum = values_t + h.transposed_count();
    h.transpose(h.rows(a.k), keys_t);
    h.transpose(h.rows(a.v), values_t);
    const auto q = h.rows(a.q);
    const auto o_bar = h.rows(a.o_bar);
    for_query_tiles(h, [&](int64_t first, int64_t queries) {
      T pull[kQueries];  // o_bar.o
      for (int64_t r = 0; r < queries; ++r) {
        const int64_t t = first + r;
        pull[r] = dot<T>(h.width, o_bar[t], h.rows(a.o)[t]);
        for (int64_t i = 0; i < h.width; ++i) {
          q_sum[r * h.width + i] = T(0);
        }
        if (a.shape.own) {
          const T* own_k = h.rows(a.own_k)[t];
          const T w = exponential(a.scale * dot(h.width, q[t], own_k) - a.log_sum[h.at(t)]);
          const T ds = a.scale * w * (dot<T>(h.width, o_bar[t], h.rows(a.own_v)[t]) - pull[r]);
          add_scaled(h.width, ds, own_k, q_sum + r * h.width);
          h.store_row(ds, q[t], T(0), q[t], h.rows(a.own_k_bar)[t]);
          h.store_row(w, o_bar[t], T(0), q[t], h.rows(a.own_v_bar)[t]);
        }
      }
      for_key_tiles(h, first, queries, [&](int64_t key, int64_t keys) {
        alignas(64) Tile<T> weight;
        alignas(64) Tile<T> slope;
        h.products(q, first, queries, keys_t, key, false, weight);
        h.weigh(first, queries, key, weight);
        h.products(o_bar, first, queries, values_t, key, false, slope);
        for (int64_t r = 0; r < queries; ++r) {
#pragma omp simd
          for (int64_t j = r * kKeys; j < (r + 1) * kKeys; ++j) {
            slope[j] = a.scale * weight[j] * (slope[j] - pull[r]);
          }
        }
        h.spread(slope, queries, keys, h.rows(a.k), key, q_sum);
        if (a.k_bar.data != nullptr) {
          h.collect(slope, queries, keys, q, first, h.rows(a.k_bar), key);
          h.collect(weight, queries, keys, o_bar, first, h.rows(a.v_bar), key);
        }
      });
      h.store(q_sum, first, queries, h.rows(a.q_bar));
    });
  });
}

template <class T>
void jvp(const AttentionArguments<T>& a) {
  for_heads(a, [&](const Head<T>& h) {
    const bool context_moves = a.k_dot.data != nullptr;
    T* const keys_t = scratch<T>(2 * h.transposed_count() + kQueries * h.width);
    T* const keys_dot_t = keys_t + h.transposed_count();
    T* const sum = keys_dot_t + h.transposed_count();
    h.transpose(h.rows(a.k), keys_t);
    if (context_moves) {
      h.transpose(h.rows(a.k_dot), keys_dot_t);
    }
    const auto q = h.rows(a.q);
    const auto q_dot = h.rows(a.q_dot);
    for_query_tiles(h, [&](int64_t first, int64_t queries) {
      T mean[kQueries];
      for (int64_t r = 0; r < queries; ++r) {
        const int64_t t = first + r;
        mean[r] = T(0);
        for (int64_t i = 0; i < h.width; ++i) {
          sum[r * h.width + i] = T(0);
        }
        if (a.shape.own) {
          const T* own_k = h.rows(a.own_k)[t];
          const T w = exponential(a.scale * dot(h.width, q[t], own_k) - a.log_sum[h.at(t)]);
          mean[r] = w * a.scale *
                    (dot(h.width, q_dot[t], own_k) + dot(h.width, q[t], h.rows(a.own_k_dot)[t]));
          add_scaled(h.width, mean[r], h.rows(a.own_v)[t], sum + r * h.width);
          add_scaled(h.width, w, h.rows(a.own_v_dot)[t], sum + r * h.width);
        }
      }
      for_key_tiles(h, first, queries, [&](int64_t key, int64_t keys) {
        alignas(64) Tile<T> weight;
        alignas(64) Tile<T> score_dot;
        h.products(q, first, queries, keys_t, key, false, weight);
        h.weigh(first, queries, key, weight);
        h.products(q_dot, first, queries, keys_t, key, false, score_dot);
        if (context_moves) {
          h.products(q, first, queries, keys_dot_t, key, true, score_dot);
        }
        for (int64_t r = 0; r < queries; ++r) {
          T added = 0;
#pragma omp simd reduction(+ : added)
          for (int64_t j = r * kKeys; j < (r + 1) * kKeys; ++j) {
            score_dot[j] = weight[j] * a.scale * score_dot[j];
            added += score_dot[j];
          }
          mean[r] += added;
        }
        h.spread(score_dot, queries, keys, h.rows(a.v), key, sum);
        if (context_moves) {
          h.spread(weight, queries, keys, h.rows(a.v_dot), key, sum);
        }
      });
      for (int64_t r = 0; r < queries; ++r) {
        const int64_t t = first + r;
        a.mean_dot[h.at(t)] = mean[r];
        const T* o = h.rows(a.o)[t];
        T* out = h.rows(a.o_dot)[t];
        for (int64_t i = 0; i < h.width; ++i) {
          out[i] = sum[r * h.width + i] - mean[r] * o[i];
        }
      }
    });
  });
}

// With alpha_j = delta.v_j and alpha_dot_j = delta.v_dot_j, the pairing <delta, o_dot> is
// cov_w(s_dot, alpha) + mean_w(alpha_dot) =: phi, so the cotangents of a score and its tangent are
//   s_bar     = w ((s_dot - m) (alpha - delta.o) + alpha_dot - phi) [+ w (o_bar.v - o_bar.o)]
//   s_dot_bar = w (alpha - delta.o)
template <class T>
void vjp_of_jvp(const AttentionArguments<T>& a) {
  for_heads(a, [&](const Head<T>& h) {
    const bool context_moves = a.k_dot.data != nullptr;
    const bool carried = a.o_bar.data != nullptr;
    T* const keys_t = scratch<T>(4 * h.transposed_count() + kQueries * h.width);
    T* const values_t = keys_t + h.transposed_count();
    T* const keys_dot_t = values_t + h.transposed_count();
    T* const values_dot_t = keys_dot_t + h.transposed_count();
    T* const q_sum = values_dot_t + h.transposed_count();
    h.transpose(h.rows(a.k), keys_t);
    h.transpose(h.rows(a.v), values_t);
    if (context_moves) {
      h.transpose(h.rows(a.k_dot), keys_dot_t);
      h.transpose(h.rows(a.v_dot), values_dot_t);
    }
    const auto q = h.rows(a.q);
    const auto q_dot = h.rows(a.q_dot);
    const auto delta = h.rows(a.delta);
    const auto o_bar = h.rows(a.o_bar);
    for_query_tiles(h, [&](int64_t first, int64_t queries) {
      T mean[kQueries];        // m
      T mean_alpha[kQueries];  // delta.o
      T offset[kQueries];      // phi [+ o_bar.o]
      for (int64_t r = 0; r < queries; ++r) {
        const int64_t t = first + r;
        mean[r] = a.mean_dot[h.at(t)];
        mean_alpha[r] = dot<T>(h.width, delta[t], h.rows(a.o)[t]);
        offset[r] = dot<T>(h.width, delta[t], h.rows(a.o_dot)[t]) +
                    (carried ? dot<T>(h.width, o_bar[t], h.rows(a.o)[t]) : T(0));
        for (int64_t i = 0; i < h.width; ++i) {
          q_sum[r * h.width + i] = T(0);
        }
        if (a.shape.own) {
          const T* own_k = h.rows(a.own_k)[t];
          const T* own_v = h.rows(a.own_v)[t];
          const T* own_k_dot = h.rows(a.own_k_dot)[t];
          const T w = exponential(a.scale * dot(h.width, q[t], own_k) - a.log_sum[h.at(t)]);
          const T s_dot = a.scale * (dot(h.width, q_dot[t], own_k) + dot(h.width, q[t], own_k_dot));
          const T alpha = dot(h.width, delta[t], own_v) - mean_alpha[r];
          const T rise = dot(h.width, delta[t], h.rows(a.own_v_dot)[t]) - offset[r] +
                         (carried ? dot(h.width, o_bar[t], own_v) : T(0));
          const T s_bar = a.scale * w * ((s_dot - mean[r]) * alpha + rise);
          const T s_dot_bar = a.scale * w * alpha;
          add_scaled(h.width, s_bar, own_k, q_sum + r * h.width);
          add_scaled(h.width, s_dot_bar, own_k_dot, q_sum + r * h.width);
          h.store_row(s_bar, q[t], s_dot_bar, q_dot[t], h.rows(a.own_k_bar)[t]);
          h.store_row(w * (s_dot - mean[r]), delta[t], carried ? w : T(0),
                      carried ? o_bar[t] : delta[t], h.rows(a.own_v_bar)[t]);
        }
      }
      for_key_tiles(h, first, queries, [&](int64_t key, int64_t keys) {
        alignas(64) Tile<T> weight;
        alignas(64) Tile<T> weight_dot;
        alignas(64) Tile<T> s_dot_bar;
        alignas(64) Tile<T> s_bar;
        h.products(q, first, queries, keys_t, key, false, weight);
        h.weigh(first, queries, key, weight);
        h.products(q_dot, first, queries, keys_t, key, false, weight_dot);
        h.products(delta, first, queries, values_t, key, false, s_dot_bar);
        if (context_moves) {
          h.products(q, first, queries, keys_dot_t, key, true, weight_dot);
        }
        if (carried) {
          h.products(o_bar, first, queries, values_t, key, false, s_bar);
        } else {
          for (int64_t j = 0; j < queries * kKeys; ++j) {
            s_bar[j] = T(0);
          }
        }
        if (context_moves) {
          h.products(delta, first, queries, values_dot_t, key, true, s_bar);
        }
        for (int64_t r = 0; r < queries; ++r) {
#pragma omp simd
          for (int64_t j = r * kKeys; j < (r + 1) * kKeys; ++j) {
            const T w = weight[j];
            const T moved = a.scale * weight_dot[j] - mean[r];
            const T alpha = s_dot_bar[j] - mean_alpha[r];
            weight_dot[j] = w * moved;
            s_dot_bar[j] = a.scale * w * alpha;
            s_bar[j] = a.scale * w * (moved * alpha + s_bar[j] - offset[r]);
          }
        }
        h.spread(s_bar, queries, keys, h.rows(a.k), key, q_sum);
        if (context_moves) {
          h.spread(s_dot_bar, queries, keys, h.rows(a.k_dot), key, q_sum);
        }
        h.collect(s_bar, queries, keys, q, first, h.rows(a.k_bar), key);
        h.collect(s_dot_bar, queries, keys, q_dot, first, h.rows(a.k_bar), key);
        h.collect(weight_dot, queries, keys, delta, first, h.rows(a.v_bar), key);
        if (carried) {
          h.collect(weight, queries, keys, o_bar, first, h.rows(a.v_bar), key);
        }
      });
      h.store(q_sum, first, queries, h.rows(a.q_bar));
    });
  });
}

template <class T>
constexpr AttentionKernels<T> kTable{&forward<T>, &vjp<T>, &jvp<T>, &vjp_of_jvp<T>};

}  // namespace

template <>
const AttentionKernels<float>& kernels_for<AttentionKernels<float>, Isa::EBT_ISA>() {
  return kTable<float>;
}
template <>
const AttentionKernels<double>& kernels_for<AttentionKernels<double>, Isa::EBT_ISA>() {
  return kTable<double>;
}

}  // namespace ebt::kernels
