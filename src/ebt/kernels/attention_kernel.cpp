#include "ebt/kernels/attention.h"
#include "ebt/kernels/attention_units.h"
#include "ebt/kernels/isa.h"

namespace ebt::kernels {
namespace {

template <class T>
inline void clear(T* values, int64_t from, int64_t to) {
  for (int64_t i = from; i < to; ++i) {
    values[i] = T(0);
  }
}

// Minus the exponents that weights take from scores: log_sum in the unit of `power`.
template <class T, class S>
inline void take_log_sums(const Head<T, S>& h, int64_t first, int64_t queries, T* out) {
  for (int64_t r = 0; r < queries; ++r) {
    out[r] = h.a.log_sum[h.at(first + r)] * kScoreUnit<T>;
  }
  clear(out, queries, kQueries);
}

// The weights of the queries' own keys, from their products q.own_k, which they replace.
template <class T>
inline void weigh_own(T unit, const T* log_sum, T* products) {
  for (int64_t r = 0; r < kQueries; r += kLanes<T>) {
    store(power(load(products + r) * unit - load(log_sum + r)), products + r);
  }
}

struct Forward {
  template <class T, class S>
  static Needs needs(const AttentionArguments<T, S>& /*a*/) {
    Needs needs;
    needs.k.along_width = true;
    needs.v.along_rows = true;
    needs.products = 2;
    return needs;
  }

  template <class T, class S>
  static void run(const Head<T, S>& h, const HeadKeys<T, S>& keys, const TileMemory<T, S>& m,
                  int64_t first, int64_t queries) {
    using V = VectorOf<T>;
    const auto& a = h.a;
    const T unit = a.scale * kScoreUnit<T>;
    T* const largest = m.of_query[0];  // of q.k
    T* const total = m.of_query[1];
    T* const shrink = m.of_query[2];
    clear(m.sum, 0, kQueries * h.padded_width);
    clear(total, 0, kQueries);
    for (int64_t r = 0; r < kQueries; ++r) {
      largest[r] = T(-1e30);
    }
    for (int64_t r = 0; a.shape.own && r < queries; ++r) {
      const int64_t t = first + r;
      largest[r] = dot<T>(h.width, h.rows(a.q)[t], h.rows(a.own_k)[t]);
      total[r] = T(1);
      add_scaled(h.width, T(1), h.rows(a.own_v)[t], m.sum + r * h.padded_width);
    }
    h.pack_queries(h.rows(a.q), first, queries, false, m.q);
    for_key_tiles(h, first, queries, [&](const Tile<T, S>& tile) {
      T* const scores = m.scores[0];
      tile.multiply_scores(keys.k, m.q, scores, false);
      tile.hide(scores);
      tile.for_queries([&](int64_t r, int64_t rows) {
        const V before = load(largest + r);
        V top[4] = {before, before, before, before};
        for (int64_t j = 0; j < rows; j += 4) {
          for (int64_t i = 0; i < 4; ++i) {
            top[i] = larger<T>(top[i], load(scores + (j + i) * kQueries + r));
          }
        }
        top[0] = larger<T>(larger<T>(top[0], top[1]), larger<T>(top[2], top[3]));
        store(top[0], largest + r);
        const V minus = top[0] * -unit;
        V added[2] = {V{}, V{}};
        for (int64_t j = 0; j < rows; j += 2) {
          V w[2];
          for (int64_t i = 0; i < 2; ++i) {
            w[i] = power(load(scores + (j + i) * kQueries + r) * unit + minus);
            added[i] += w[i];
          }
          m.weights[0].put(j, r, w[0], w[1]);
        }
        const V less = power((before - top[0]) * unit);
        store(less, shrink + r);
        store(load(total + r) * less + (added[0] + added[1]), total + r);
      });
      tile.spread(m.weights[0], keys.v, m.sum, shrink);
    });
    for (int64_t r = 0; r < queries; ++r) {
      const int64_t t = first + r;
      a.log_sum[h.at(t)] = a.scale * largest[r] + natural_logarithm(total[r]);
      const T inverse = T(1) / total[r];
      T* from = m.sum + r * h.padded_width;
      S* out = h.rows(a.o)[t];
      for_vectors<T>(h.width, [&](int64_t i, int64_t count) {
        store_first<T>(load(from + i) * inverse, out + i, count);
      });
    }
  }
};

// ds = w (o_bar.v - o_bar.o);  q_bar = scale ds k;  k_bar = scale ds^T q;  v_bar = w^T o_bar.
struct Vjp {
  template <class T, class S>
  static Needs needs(const AttentionArguments<T, S>& a) {
    Needs needs;
    needs.k = {true, true};
    needs.v.along_width = true;
    needs.collects = a.k_bar.data != nullptr;
    needs.products = needs.collects ? 5 : 3;
    return needs;
  }

  template <class T, class S>
  static void run(const Head<T, S>& h, const HeadKeys<T, S>& keys, const TileMemory<T, S>& m,
                  int64_t first, int64_t queries) {
    using V = VectorOf<T>;
    const auto& a = h.a;
    const T unit = a.scale * kScoreUnit<T>;
    const bool collects = a.k_bar.data != nullptr;
    T* const log_sum = m.of_query[0];
    T* const pull = m.of_query[1];  // scale o_bar.o
    take_log_sums(h, first, queries, log_sum);
    clear(pull, 0, kQueries);
    clear(m.sum, 0, kQueries * h.padded_width);
    const auto q = h.rows(a.q);
    const auto o_bar = h.rows(a.o_bar);
    for (int64_t r = 0; r < queries; ++r) {
      pull[r] = a.scale * dot<T>(h.width, o_bar[first + r], h.rows(a.o)[first + r]);
    }
    if (a.shape.own) {
      T* const own_weight = m.of_query[2];
      T* const own_alpha = m.of_query[3];
      for (int64_t r = 0; r < queries; ++r) {
        own_weight[r] = dot<T>(h.width, q[first + r], h.rows(a.own_k)[first + r]);
        own_alpha[r] = dot<T>(h.width, o_bar[first + r], h.rows(a.own_v)[first + r]);
      }
      weigh_own(unit, log_sum, own_weight);
      for (int64_t r = 0; r < queries; ++r) {
        const int64_t t = first + r;
        const T w = own_weight[r];
        const T ds = w * (a.scale * own_alpha[r] - pull[r]);
        add_scaled(h.width, ds, h.rows(a.own_k)[t], m.sum + r * h.padded_width);
        h.store_row(ds, q[t], h.rows(a.own_k_bar)[t]);
        h.store_row(w, o_bar[t], h.rows(a.own_v_bar)[t]);
      }
    }
    h.pack_queries(q, first, queries, collects, m.q);
    h.pack_queries(o_bar, first, queries, collects, m.o_bar);
    const WeightTile<T, S>& weight = m.weights[0];
    WeightTile<T, S> slope = m.weights[1];
    for_key_tiles(h, first, queries, [&](const Tile<T, S>& tile) {
      tile.multiply_scores(keys.k, m.q, m.scores[0], false);
      tile.multiply_scores(keys.v, m.o_bar, m.scores[1], false);
      tile.hide(m.scores[0]);
      tile.for_queries([&](int64_t r, int64_t rows) {
        const V of_sum = load(log_sum + r);
        const V of_pull = load(pull + r);
        for (int64_t j = 0; j < rows; j += 2) {
          V w[2];
          V ds[2];
          for (int64_t i = 0; i < 2; ++i) {
            const int64_t at = (j + i) * kQueries + r;
            w[i] = power(load(m.scores[0] + at) * unit - of_sum);
            ds[i] = w[i] * (load(m.scores[1] + at) * a.scale - of_pull);
          }
          if (collects) {
            weight.put(j, r, w[0], w[1]);
          }
          slope.put(j, r, ds[0], ds[1]);
        }
      });
      tile.spread(slope, keys.k, m.sum, nullptr);
      if (collects) {
        tile.collect(slope, m.q, keys.k_bar);
        tile.collect(weight, m.o_bar, keys.v_bar);
      }
    });
    for (int64_t r = 0; r < queries; ++r) {
      h.store_row(T(1), m.sum + r * h.padded_width, h.rows(a.q_bar)[first + r]);
    }
  }
};

struct Jvp {
  template <class T, class S>
  static Needs needs(const AttentionArguments<T, S>& a) {
    Needs needs;
    needs.k.along_width = true;
    needs.v.along_rows = true;
    needs.k_dot.along_width = needs.v_dot.along_rows = a.k_dot.data != nullptr;
    needs.products = 3;
    return needs;
  }

  template <class T, class S>
  static void run(const Head<T, S>& h, const HeadKeys<T, S>& keys, const TileMemory<T, S>& m,
                  int64_t first, int64_t queries) {
    using V = VectorOf<T>;
    const auto& a = h.a;
    const T unit = a.scale * kScoreUnit<T>;
    const bool context_moves = a.k_dot.data != nullptr;
    T* const log_sum = m.of_query[0];
    T* const mean = m.of_query[1];
    take_log_sums(h, first, queries, log_sum);
    clear(mean, 0, kQueries);
    clear(m.sum, 0, kQueries * h.padded_width);
    const auto q = h.rows(a.q);
    const auto q_dot = h.rows(a.q_dot);
    if (a.shape.own) {
      T* const own_weight = m.of_query[2];
      for (int64_t r = 0; r < queries; ++r) {
        const int64_t t = first + r;
        own_weight[r] = dot<T>(h.width, q[t], h.rows(a.own_k)[t]);
        mean[r] = dot<T>(h.width, q_dot[t], h.rows(a.own_k)[t]) +
                  dot<T>(h.width, q[t], h.rows(a.own_k_dot)[t]);
      }
      weigh_own(unit, log_sum, own_weight);
      for (int64_t r = 0; r < queries; ++r) {
        const int64_t t = first + r;
        mean[r] *= own_weight[r] * a.scale;
        add_scaled(h.width, mean[r], h.rows(a.own_v)[t], m.sum + r * h.padded_width);
        add_scaled(h.width, own_weight[r], h.rows(a.own_v_dot)[t], m.sum + r * h.padded_width);
      }
    }
    h.pack_queries(q, first, queries, false, m.q);
    h.pack_queries(q_dot, first, queries, false, m.q_dot);
    for_key_tiles(h, first, queries, [&](const Tile<T, S>& tile) {
      tile.multiply_scores(keys.k, m.q, m.scores[0], false);
      tile.multiply_scores(keys.k, m.q_dot, m.scores[1], false);
      if (context_moves) {
        tile.multiply_scores(keys.k_dot, m.q, m.scores[1], true);
      }
      tile.hide(m.scores[0]);
      tile.for_queries([&](int64_t r, int64_t rows) {
        const V of_sum = load(log_sum + r);
        V added[2] = {V{}, V{}};
        for (int64_t j = 0; j < rows; j += 2) {
          V w[2];
          V moved[2];
          for (int64_t i = 0; i < 2; ++i) {
            const int64_t at = (j + i) * kQueries + r;
            w[i] = power(load(m.scores[0] + at) * unit - of_sum);
            moved[i] = w[i] * (load(m.scores[1] + at) * a.scale);
            added[i] += moved[i];
          }
          if (context_moves) {
            m.weights[0].put(j, r, w[0], w[1]);
          }
          m.weights[1].put(j, r, moved[0], moved[1]);
        }
        store(load(mean + r) + (added[0] + added[1]), mean + r);
      });
      tile.spread(m.weights[1], keys.v, m.sum, nullptr);
      if (context_moves) {
        tile.spread(m.weights[0], keys.v_dot, m.sum, nullptr);
      }
    });
    for (int64_t r = 0; r < queries; ++r) {
      const int64_t t = first + r;
      a.mean_dot[h.at(t)] = mean[r];
      const T* from = m.sum + r * h.padded_width;
      const S* o = h.rows(a.o)[t];
      S* out = h.rows(a.o_dot)[t];
      for_vectors<T>(h.width, [&](int64_t i, int64_t count) {
        store_first<T>(load(from + i) - load_first<T>(o + i, count) * mean[r], out + i, count);
      });
    }
  }
};

// With alpha_j = delta.v_j and alpha_dot_j = delta.v_dot_j, the pairing <delta, o_dot> is
// cov_w(s_dot, alpha) + mean_w(alpha_dot) =: phi, so the cotangents of a score and its tangent are
//   s_bar     = w ((s_dot - m) (alpha - delta.o) + alpha_dot - phi) [+ w (o_bar.v - o_bar.o)]
//   s_dot_bar = w (alpha - delta.o)
struct VjpOfJvp {
  template <class T, class S>
  static Needs needs(const AttentionArguments<T, S>& a) {
    Needs needs;
    needs.k = {true, true};
    needs.v.along_width = true;
    if (a.k_dot.data != nullptr) {
      needs.k_dot = {true, true};
      needs.v_dot.along_width = true;
    }
    needs.collects = true;
    needs.products = 7;
    return needs;
  }

  template <class T, class S>
  static void run(const Head<T, S>& h, const HeadKeys<T, S>& keys, const TileMemory<T, S>& m,
                  int64_t first, int64_t queries) {
    using V = VectorOf<T>;
    const auto& a = h.a;
    const T unit = a.scale * kScoreUnit<T>;
    const T scale = a.scale;
    const bool context_moves = a.k_dot.data != nullptr;
    const bool carried = a.o_bar.data != nullptr;
    T* const log_sum = m.of_query[0];
    T* const mean = m.of_query[1];        // m
    T* const mean_alpha = m.of_query[2];  // scale delta.o
    T* const offset = m.of_query[3];      // scale (phi [+ o_bar.o])
    take_log_sums(h, first, queries, log_sum);
    for (T* values : {mean, mean_alpha, offset}) {
      clear(values, 0, kQueries);
    }
    clear(m.sum, 0, kQueries * h.padded_width);
    const auto o = h.rows(a.o);
    for (int64_t r = 0; r < queries; ++r) {
      const int64_t t = first + r;
      mean[r] = a.mean_dot[h.at(t)];
      mean_alpha[r] = scale * dot<T>(h.width, h.rows(a.delta)[t], o[t]);
      offset[r] = scale * (dot<T>(h.width, h.rows(a.delta)[t], h.rows(a.o_dot)[t]) +
                           (carried ? dot<T>(h.width, h.rows(a.o_bar)[t], o[t]) : T(0)));
    }
    if (a.shape.own) {
      take_own(h, m, first, queries);
    }
    h.pack_queries(h.rows(a.q), first, queries, true, m.q);
    h.pack_queries(h.rows(a.q_dot), first, queries, true, m.q_dot);
    h.pack_queries(h.rows(a.delta), first, queries, true, m.delta);
    if (carried) {
      h.pack_queries(h.rows(a.o_bar), first, queries, true, m.o_bar);
    }
    for_key_tiles(h, first, queries, [&](const Tile<T, S>& tile) {
      tile.multiply_scores(keys.k, m.q, m.scores[0], false);
      tile.multiply_scores(keys.k, m.q_dot, m.scores[1], false);
      tile.multiply_scores(keys.v, m.delta, m.scores[2], false);
      if (context_moves) {
        tile.multiply_scores(keys.k_dot, m.q, m.scores[1], true);
      }
      if (carried) {
        tile.multiply_scores(keys.v, m.o_bar, m.scores[3], false);
      } else if (!context_moves) {
        clear(m.scores[3], 0, kKeys * kQueries);
      }
      if (context_moves) {
        tile.multiply_scores(keys.v_dot, m.delta, m.scores[3], carried);
      }
      tile.hide(m.scores[0]);
      tile.for_queries([&](int64_t r, int64_t rows) {
        const V of_sum = load(log_sum + r);
        const V of_mean = load(mean + r);
        const V of_alpha = load(mean_alpha + r);
        const V of_offset = load(offset + r);
        for (int64_t j = 0; j < rows; j += 2) {
          V w[2];
          V w_dot[2];
          V s_dot_bar[2];
          V s_bar[2];
          for (int64_t i = 0; i < 2; ++i) {
            const int64_t at = (j + i) * kQueries + r;
            w[i] = power(load(m.scores[0] + at) * unit - of_sum);
            const V moved = load(m.scores[1] + at) * scale - of_mean;
            const V alpha = load(m.scores[2] + at) * scale - of_alpha;
            const V rise = load(m.scores[3] + at) * scale - of_offset;
            w_dot[i] = w[i] * moved;
            s_dot_bar[i] = w[i] * alpha;
            s_bar[i] = w[i] * (moved * alpha + rise);
          }
          if (carried) {
            m.weights[0].put(j, r, w[0], w[1]);
          }
          m.weights[1].put(j, r, w_dot[0], w_dot[1]);
          m.weights[2].put(j, r, s_dot_bar[0], s_dot_bar[1]);
          m.weights[3].put(j, r, s_bar[0], s_bar[1]);
        }
      });
      tile.spread(m.weights[3], keys.k, m.sum, nullptr);
      if (context_moves) {
        tile.spread(m.weights[2], keys.k_dot, m.sum, nullptr);
      }
      tile.collect(m.weights[3], m.q, keys.k_bar);
      tile.collect(m.weights[2], m.q_dot, keys.k_bar);
      tile.collect(m.weights[1], m.delta, keys.v_bar);
      if (carried) {
        tile.collect(m.weights[0], m.o_bar, keys.v_bar);
      }
    });
    for (int64_t r = 0; r < queries; ++r) {
      h.store_row(T(1), m.sum + r * h.padded_width, h.rows(a.q_bar)[first + r]);
    }
  }

  // The terms of the queries' own keys.
  template <class T, class S>
  static void take_own(const Head<T, S>& h, const TileMemory<T, S>& m, int64_t first,
                       int64_t queries) {
    const auto& a = h.a;
    const T scale = a.scale;
    const int64_t width = h.width;
    const auto q = h.rows(a.q);
    const auto q_dot = h.rows(a.q_dot);
    const auto delta = h.rows(a.delta);
    const auto o_bar = h.rows(a.o_bar);
    const auto own_k = h.rows(a.own_k);
    const auto own_v = h.rows(a.own_v);
    const auto own_k_dot = h.rows(a.own_k_dot);
    T* const own_weight = m.of_query[4];
    T* const moved = m.of_query[5];  // as for other keys, below
    T* const alpha = m.of_query[6];
    T* const rise = m.of_query[7];
    for (int64_t r = 0; r < queries; ++r) {
      const int64_t t = first + r;
      own_weight[r] = dot<T>(width, q[t], own_k[t]);
      moved[r] = scale * (dot<T>(width, q_dot[t], own_k[t]) + dot<T>(width, q[t], own_k_dot[t])) -
                 m.of_query[1][r];
      alpha[r] = scale * dot<T>(width, delta[t], own_v[t]) - m.of_query[2][r];
      rise[r] = scale * (dot<T>(width, delta[t], h.rows(a.own_v_dot)[t]) +
                         (o_bar ? dot<T>(width, o_bar[t], own_v[t]) : T(0))) -
                m.of_query[3][r];
    }
    weigh_own(scale * kScoreUnit<T>, m.of_query[0], own_weight);
    for (int64_t r = 0; r < queries; ++r) {
      const int64_t t = first + r;
      const T w = own_weight[r];
      const T s_bar = w * (moved[r] * alpha[r] + rise[r]);
      const T s_dot_bar = w * alpha[r];
      add_scaled(width, s_bar, own_k[t], m.sum + r * h.padded_width);
      add_scaled(width, s_dot_bar, own_k_dot[t], m.sum + r * h.padded_width);
      h.store_row(s_bar, q[t], s_dot_bar, q_dot[t], h.rows(a.own_k_bar)[t]);
      h.store_row(w * moved[r], delta[t], w, o_bar ? o_bar[t] : nullptr, h.rows(a.own_v_bar)[t]);
    }
  }
};

template <class Rule, class T, class S>
void pass(const AttentionArguments<T, S>& a) {
  Pass<Rule, T, S>{a};
}

template <class T, class S>
constexpr AttentionKernels<T, S> kTable{&pass<Forward, T, S>, &pass<Vjp, T, S>, &pass<Jvp, T, S>,
                                        &pass<VjpOfJvp, T, S>};

}  // namespace

template <>
const AttentionKernels<float>& kernels_for<AttentionKernels<float>, Isa::EBT_ISA>() {
  return kTable<float, float>;
}
template <>
const AttentionKernels<double>& kernels_for<AttentionKernels<double>, Isa::EBT_ISA>() {
  return kTable<double, double>;
}
template <>
const AttentionKernels<float, Bfloat16>&
kernels_for<AttentionKernels<float, Bfloat16>, Isa::EBT_ISA>() {
  return kTable<float, Bfloat16>;
}

}  // namespace ebt::kernels
