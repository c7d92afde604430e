// The first-order rules of attention over tiles (attention_products.h), for every precision.
#include "ebt/kernels/attention.h"
#include "ebt/kernels/cpu/attention_products.h"
#include "ebt/kernels/cpu/attention_second_order.h"
#include "ebt/kernels/cpu/attention_units.h"
#include "ebt/kernels/isa.h"

namespace ebt::kernels {
namespace {

// Multiples of scores from here on are rounded so coarsely that it shows in their powers.
constexpr double kCoarse = 1 << 13;

// o = sum of p v, with p = softmax(scale q.k) online.
struct Forward {
  template <class T, class S>
  static Requirements requirements(const AttentionArguments<T, S>& /*a*/) {
    Requirements requirements;
    requirements.k.along_width = true;
    requirements.v.along_rows = true;
    requirements.products = 2;
    return requirements;
  }

  template <class T, class S>
  static void run(const Head<T, S>& h, const HeadKeys<T, S>& keys, const TileBuffers<T, S>& work,
                  int64_t first, int64_t queries) {
    using V = VectorOf<T>;
    const auto& a = h.a;
    const T unit = a.scale * kScoreUnit<T>;
    T* const o = work.accumulator;
    T* const row_max = work.row_stats[0];  // of q.k
    T* const row_sum = work.row_stats[1];
    T* const rescale = work.row_stats[2];
    clear(o, 0, kQueries * h.padded_width);
    clear(row_sum, 0, kQueries);
    for (int64_t r = 0; r < kQueries; ++r) {
      row_max[r] = kMasked<T>;
    }
    for (int64_t r = 0; a.shape.own && r < queries; ++r) {
      const int64_t t = first + r;
      row_max[r] = dot<T>(h.width, h.rows(a.q)[t], h.rows(a.own_k)[t]);
      row_sum[r] = T(1);
      add_scaled(h.width, T(1), h.rows(a.own_v)[t], o + r * h.padded_width);
    }
    h.pack_queries(h.rows(a.q), first, queries, false, work.q);
    for_key_tiles(h, first, queries, [&](const Tile<T, S>& tile) {
      T* const s = work.scores[0];
      const ScoreOperand<T, S>& p_tile = work.operands[0];
      tile.multiply_scores(keys.k, work.q, s);
      tile.mask(s);
      tile.for_query_vectors([&](int64_t r, int64_t rows) {
        const V before = load(row_max + r);
        V top[4] = {before, before, before, before};
        for (int64_t j = 0; j < rows; j += 4) {
          for (int64_t i = 0; i < 4; ++i) {
            top[i] = larger<T>(top[i], load(s + (j + i) * kQueries + r));
          }
        }
        top[0] = larger<T>(larger<T>(top[0], top[1]), larger<T>(top[2], top[3]));
        store(top[0], row_max + r);
        const V minus = top[0] * -unit;
        // What rounding has taken from it. The largest p must be 1: else it is rounded to bfloat16,
        // the row sum is not, and the result of saturated attention is not quite the value it
        // stands for, whose slopes then do not cancel but are multiplied by large keys.
        const V limit = fill(static_cast<T>(kCoarse));
        const V rest = (minus > limit) | (minus < -limit) ? top[0] * unit + minus : V{};
        V added[2] = {V{}, V{}};
        for (int64_t j = 0; j < rows; j += 2) {
          V p[2];
          for (int64_t i = 0; i < 2; ++i) {
            p[i] = power(load(s + (j + i) * kQueries + r) * unit + minus - rest);
            added[i] += p[i];
          }
          p_tile.put(j, r, p[0], p[1]);
        }
        const V factor = power((before - top[0]) * unit);
        store(factor, rescale + r);
        store(load(row_sum + r) * factor + (added[0] + added[1]), row_sum + r);
      });
      tile.add_over_keys(p_tile, keys.v, o, rescale);
    });
    for (int64_t r = 0; r < queries; ++r) {
      const int64_t t = first + r;
      a.log_sum[h.at(t)] = a.scale * row_max[r] + natural_logarithm(row_sum[r]);
      const T inverse = T(1) / row_sum[r];
      const T* from = o + r * h.padded_width;
      S* out = h.rows(a.o)[t];
      for_vectors<T>(h.width, [&](int64_t i, int64_t count) {
        store_first<T>(load(from + i) * inverse, out + i, count);
      });
    }
  }
};

// p_bar = o_bar.v;  s_bar = scale p (p_bar - o_bar.o);
// q_bar = sum over keys of s_bar k;  k_bar = sum over queries of s_bar q;  v_bar = of p o_bar.
struct Vjp {
  template <class T, class S>
  static bool wants_key_cotangents(const AttentionArguments<T, S>& a) {
    return a.k_bar.data != nullptr || a.stored_k_bar.data != nullptr;
  }

  template <class T, class S>
  static Requirements requirements(const AttentionArguments<T, S>& a) {
    Requirements requirements;
    requirements.k = {true, true};
    requirements.v.along_width = true;
    requirements.key_cotangents = wants_key_cotangents(a);
    requirements.products = requirements.key_cotangents ? 5 : 3;
    return requirements;
  }

  template <class T, class S>
  static void run(const Head<T, S>& h, const HeadKeys<T, S>& keys, const TileBuffers<T, S>& work,
                  int64_t first, int64_t queries) {
    using V = VectorOf<T>;
    const auto& a = h.a;
    const T unit = a.scale * kScoreUnit<T>;
    const bool key_cotangents = wants_key_cotangents(a);
    T* const q_bar = work.accumulator;
    T* const log_sum = work.row_stats[0];
    T* const mean_p_bar = work.row_stats[1];  // scale o_bar.o: FlashAttention's D
    load_log_sums(h, first, queries, log_sum);
    clear(mean_p_bar, 0, kQueries);
    clear(q_bar, 0, kQueries * h.padded_width);
    const auto q = h.rows(a.q);
    const auto o_bar = h.rows(a.o_bar);
    for (int64_t r = 0; r < queries; ++r) {
      mean_p_bar[r] = a.scale * dot<T>(h.width, o_bar[first + r], h.rows(a.o)[first + r]);
    }
    if (a.shape.own) {
      T* const own_p = work.row_stats[2];
      T* const own_p_bar = work.row_stats[3];
      for (int64_t r = 0; r < queries; ++r) {
        own_p[r] = dot<T>(h.width, q[first + r], h.rows(a.own_k)[first + r]);
        own_p_bar[r] = dot<T>(h.width, o_bar[first + r], h.rows(a.own_v)[first + r]);
      }
      own_probabilities(unit, log_sum, own_p);
      for (int64_t r = 0; r < queries; ++r) {
        const int64_t t = first + r;
        const T p = own_p[r];
        const T s_bar = p * (a.scale * own_p_bar[r] - mean_p_bar[r]);
        add_scaled(h.width, s_bar, h.rows(a.own_k)[t], q_bar + r * h.padded_width);
        h.store_row(s_bar, q[t], h.rows(a.own_k_bar)[t]);
        h.store_row(p, o_bar[t], h.rows(a.own_v_bar)[t]);
      }
    }
    h.pack_queries(q, first, queries, key_cotangents, work.q);
    h.pack_queries(o_bar, first, queries, key_cotangents, work.o_bar);
    const ScoreOperand<T, S>& p_tile = work.operands[0];
    const ScoreOperand<T, S>& s_bar_tile = work.operands[1];
    for_key_tiles(h, first, queries, [&](const Tile<T, S>& tile) {
      T* const s = work.scores[0];
      T* const p_bar = work.scores[1];
      tile.multiply_scores(keys.k, work.q, s);
      tile.multiply_scores(keys.v, work.o_bar, p_bar);
      tile.mask(s);
      tile.for_query_vectors([&](int64_t r, int64_t rows) {
        const V row_log_sum = load(log_sum + r);
        const V row_mean = load(mean_p_bar + r);
        for (int64_t j = 0; j < rows; j += 2) {
          V p[2];
          V s_bar[2];
          for (int64_t i = 0; i < 2; ++i) {
            const int64_t at = (j + i) * kQueries + r;
            p[i] = power(load(s + at) * unit - row_log_sum);
            s_bar[i] = p[i] * (load(p_bar + at) * a.scale - row_mean);
          }
          if (key_cotangents) {
            p_tile.put(j, r, p[0], p[1]);
          }
          s_bar_tile.put(j, r, s_bar[0], s_bar[1]);
        }
      });
      tile.add_over_keys(s_bar_tile, keys.k, q_bar);
      if (key_cotangents) {
        tile.add_over_queries(s_bar_tile, work.q, keys.k_bar);
        tile.add_over_queries(p_tile, work.o_bar, keys.v_bar);
      }
    });
    for (int64_t r = 0; r < queries; ++r) {
      h.store_row(T(1), q_bar + r * h.padded_width, h.rows(a.q_bar)[first + r]);
    }
  }
};

// s_dot = scale (q_dot.k + q.k_dot);  m = sum of p s_dot;
// o_dot = sum of p s_dot v + p v_dot, minus m o, which is known when all tiles are.
struct Jvp {
  template <class T, class S>
  static Requirements requirements(const AttentionArguments<T, S>& a) {
    Requirements requirements;
    requirements.k.along_width = true;
    requirements.v.along_rows = true;
    requirements.k_dot.along_width = requirements.v_dot.along_rows = a.k_dot.data != nullptr;
    requirements.products = 3;
    return requirements;
  }

  template <class T, class S>
  static void run(const Head<T, S>& h, const HeadKeys<T, S>& keys, const TileBuffers<T, S>& work,
                  int64_t first, int64_t queries) {
    using V = VectorOf<T>;
    const auto& a = h.a;
    const T unit = a.scale * kScoreUnit<T>;
    const bool context_has_tangent = a.k_dot.data != nullptr;
    T* const o_dot = work.accumulator;
    T* const log_sum = work.row_stats[0];
    T* const mean = work.row_stats[1];  // m
    load_log_sums(h, first, queries, log_sum);
    clear(mean, 0, kQueries);
    clear(o_dot, 0, kQueries * h.padded_width);
    const auto q = h.rows(a.q);
    const auto q_dot = h.rows(a.q_dot);
    if (a.shape.own) {
      T* const own_p = work.row_stats[2];
      for (int64_t r = 0; r < queries; ++r) {
        const int64_t t = first + r;
        own_p[r] = dot<T>(h.width, q[t], h.rows(a.own_k)[t]);
        mean[r] = dot<T>(h.width, q_dot[t], h.rows(a.own_k)[t]) +
                  dot<T>(h.width, q[t], h.rows(a.own_k_dot)[t]);
      }
      own_probabilities(unit, log_sum, own_p);
      for (int64_t r = 0; r < queries; ++r) {
        const int64_t t = first + r;
        mean[r] *= own_p[r] * a.scale;
        add_scaled(h.width, mean[r], h.rows(a.own_v)[t], o_dot + r * h.padded_width);
        add_scaled(h.width, own_p[r], h.rows(a.own_v_dot)[t], o_dot + r * h.padded_width);
      }
    }
    h.pack_queries(q, first, queries, false, work.q);
    h.pack_queries(q_dot, first, queries, false, work.q_dot);
    const ScoreOperand<T, S>& p_tile = work.operands[0];
    const ScoreOperand<T, S>& p_s_dot_tile = work.operands[1];
    for_key_tiles(h, first, queries, [&](const Tile<T, S>& tile) {
      T* const s = work.scores[0];
      T* const s_dot = work.scores[1];
      tile.multiply_scores(keys.k, work.q, s);
      tile.multiply_scores(keys.k, work.q_dot, s_dot);
      if (context_has_tangent) {
        tile.multiply_scores(keys.k_dot, work.q, s_dot, true);
      }
      tile.mask(s);
      tile.for_query_vectors([&](int64_t r, int64_t rows) {
        const V row_log_sum = load(log_sum + r);
        V added[2] = {V{}, V{}};
        for (int64_t j = 0; j < rows; j += 2) {
          V p[2];
          V p_s_dot[2];
          for (int64_t i = 0; i < 2; ++i) {
            const int64_t at = (j + i) * kQueries + r;
            p[i] = power(load(s + at) * unit - row_log_sum);
            p_s_dot[i] = p[i] * (load(s_dot + at) * a.scale);
            added[i] += p_s_dot[i];
          }
          if (context_has_tangent) {
            p_tile.put(j, r, p[0], p[1]);
          }
          p_s_dot_tile.put(j, r, p_s_dot[0], p_s_dot[1]);
        }
        store(load(mean + r) + (added[0] + added[1]), mean + r);
      });
      tile.add_over_keys(p_s_dot_tile, keys.v, o_dot);
      if (context_has_tangent) {
        tile.add_over_keys(p_tile, keys.v_dot, o_dot);
      }
    });
    for (int64_t r = 0; r < queries; ++r) {
      const int64_t t = first + r;
      a.mean_dot[h.at(t)] = mean[r];
      const T* from = o_dot + r * h.padded_width;
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
