#include "ebt/kernels/attention.h"
#include "ebt/kernels/cpu/attention_products.h"
#include "ebt/kernels/cpu/attention_second_order.h"
#include "ebt/kernels/cpu/attention_units.h"
#include "ebt/kernels/isa.h"

namespace ebt::kernels {
namespace {

// Multiples of scores from here on are rounded so coarsely that it shows in their powers.
constexpr double kCoarse = 1 << 13;

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
        // What rounding has taken from it. The largest weight must be 1: else it is rounded to
        // bfloat16, the total is not, and the result of saturated attention is not quite the value
        // it stands for, whose slopes then do not cancel but are multiplied by large keys.
        const V limit = fill(static_cast<T>(kCoarse));
        const V rest = (minus > limit) | (minus < -limit) ? top[0] * unit + minus : V{};
        V added[2] = {V{}, V{}};
        for (int64_t j = 0; j < rows; j += 2) {
          V w[2];
          for (int64_t i = 0; i < 2; ++i) {
            w[i] = power(load(scores + (j + i) * kQueries + r) * unit + minus - rest);
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
  // Whether cotangents of keys are wanted.
  template <class T, class S>
  static bool collects(const AttentionArguments<T, S>& a) {
    return a.k_bar.data != nullptr || a.stored_k_bar.data != nullptr;
  }

  template <class T, class S>
  static Needs needs(const AttentionArguments<T, S>& a) {
    Needs needs;
    needs.k = {true, true};
    needs.v.along_width = true;
    needs.collects = collects(a);
    needs.products = needs.collects ? 5 : 3;
    return needs;
  }

  template <class T, class S>
  static void run(const Head<T, S>& h, const HeadKeys<T, S>& keys, const TileMemory<T, S>& m,
                  int64_t first, int64_t queries) {
    using V = VectorOf<T>;
    const auto& a = h.a;
    const T unit = a.scale * kScoreUnit<T>;
    const bool collects = Vjp::collects(a);
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
