// The second-order rule of attention over tiles. For kernel files only (internal linkage).
#pragma once

#include <cstdint>

#include "ebt/kernels/cpu/attention_products.h"

namespace {

// With alpha_j = delta.v_j and alpha_dot_j = delta.v_dot_j, the pairing <delta, o_dot> is
// cov_p(s_dot, alpha) + mean_p(alpha_dot) =: phi, so the cotangents of a score and its tangent are
//   s_bar     = p ((s_dot - m) (alpha - delta.o) + alpha_dot - phi) [+ p (o_bar.v - o_bar.o)]
//   s_dot_bar = p (alpha - delta.o)
// and with p_dot = p (s_dot - m)
//   q_bar = sum over keys of s_bar k + s_dot_bar k_dot
//   k_bar = sum over queries of s_bar q + s_dot_bar q_dot
//   v_bar = sum over queries of p_dot delta [+ p o_bar]
struct VjpOfJvp {
  template <class T, class S>
  static Requirements requirements(const AttentionArguments<T, S>& a) {
    Requirements requirements;
    requirements.k = {true, true};
    requirements.v.along_width = true;
    if (a.k_dot.data != nullptr) {
      requirements.k_dot = {true, true};
      requirements.v_dot.along_width = true;
    }
    requirements.key_cotangents = true;
    requirements.products = 7;
    return requirements;
  }

  template <class T, class S>
  static void run(const Head<T, S>& h, const HeadKeys<T, S>& keys, const TileBuffers<T, S>& work,
                  int64_t first, int64_t queries) {
    using V = VectorOf<T>;
    const auto& a = h.a;
    const T unit = a.scale * kScoreUnit<T>;
    const T scale = a.scale;
    const bool context_has_tangent = a.k_dot.data != nullptr;
    const bool carried = a.o_bar.data != nullptr;
    T* const q_bar = work.accumulator;
    T* const log_sum = work.row_stats[0];
    T* const mean = work.row_stats[1];        // m
    T* const mean_alpha = work.row_stats[2];  // scale delta.o
    T* const offset = work.row_stats[3];      // scale (phi [+ o_bar.o])
    load_log_sums(h, first, queries, log_sum);
    for (T* values : {mean, mean_alpha, offset}) {
      clear(values, 0, kQueries);
    }
    clear(q_bar, 0, kQueries * h.padded_width);
    const auto o = h.rows(a.o);
    for (int64_t r = 0; r < queries; ++r) {
      const int64_t t = first + r;
      mean[r] = a.mean_dot[h.at(t)];
      mean_alpha[r] = scale * dot<T>(h.width, h.rows(a.delta)[t], o[t]);
      offset[r] = scale * (dot<T>(h.width, h.rows(a.delta)[t], h.rows(a.o_dot)[t]) +
                           (carried ? dot<T>(h.width, h.rows(a.o_bar)[t], o[t]) : T(0)));
    }
    if (a.shape.own) {
      add_own_keys(h, work, first, queries);
    }
    h.pack_queries(h.rows(a.q), first, queries, true, work.q);
    h.pack_queries(h.rows(a.q_dot), first, queries, true, work.q_dot);
    h.pack_queries(h.rows(a.delta), first, queries, true, work.delta);
    if (carried) {
      h.pack_queries(h.rows(a.o_bar), first, queries, true, work.o_bar);
    }
    const ScoreOperand<T, S>& p_tile = work.operands[0];
    const ScoreOperand<T, S>& p_dot_tile = work.operands[1];
    const ScoreOperand<T, S>& s_dot_bar_tile = work.operands[2];
    const ScoreOperand<T, S>& s_bar_tile = work.operands[3];
    for_key_tiles(h, first, queries, [&](const Tile<T, S>& tile) {
      T* const s = work.scores[0];
      T* const s_dot = work.scores[1];
      T* const alpha = work.scores[2];
      T* const rise = work.scores[3];  // alpha_dot [+ o_bar.v]
      tile.multiply_scores(keys.k, work.q, s);
      tile.multiply_scores(keys.k, work.q_dot, s_dot);
      tile.multiply_scores(keys.v, work.delta, alpha);
      if (context_has_tangent) {
        tile.multiply_scores(keys.k_dot, work.q, s_dot, true);
      }
      if (carried) {
        tile.multiply_scores(keys.v, work.o_bar, rise);
      } else if (!context_has_tangent) {
        clear(rise, 0, kKeys * kQueries);
      }
      if (context_has_tangent) {
        tile.multiply_scores(keys.v_dot, work.delta, rise, carried);
      }
      tile.mask(s);
      tile.for_query_vectors([&](int64_t r, int64_t rows) {
        const V row_log_sum = load(log_sum + r);
        const V row_mean = load(mean + r);
        const V row_alpha = load(mean_alpha + r);
        const V row_offset = load(offset + r);
        for (int64_t j = 0; j < rows; j += 2) {
          V p[2];
          V p_dot[2];
          V s_dot_bar[2];
          V s_bar[2];
          for (int64_t i = 0; i < 2; ++i) {
            const int64_t at = (j + i) * kQueries + r;
            p[i] = power(load(s + at) * unit - row_log_sum);
            const V centred_s_dot = load(s_dot + at) * scale - row_mean;
            const V centred_alpha = load(alpha + at) * scale - row_alpha;
            const V centred_rise = load(rise + at) * scale - row_offset;
            p_dot[i] = p[i] * centred_s_dot;
            s_dot_bar[i] = p[i] * centred_alpha;
            s_bar[i] = p[i] * (centred_s_dot * centred_alpha + centred_rise);
          }
          if (carried) {
            p_tile.put(j, r, p[0], p[1]);
          }
          p_dot_tile.put(j, r, p_dot[0], p_dot[1]);
          s_dot_bar_tile.put(j, r, s_dot_bar[0], s_dot_bar[1]);
          s_bar_tile.put(j, r, s_bar[0], s_bar[1]);
        }
      });
      tile.add_over_keys(s_bar_tile, keys.k, q_bar);
      if (context_has_tangent) {
        tile.add_over_keys(s_dot_bar_tile, keys.k_dot, q_bar);
      }
      tile.add_over_queries(s_bar_tile, work.q, keys.k_bar);
      tile.add_over_queries(s_dot_bar_tile, work.q_dot, keys.k_bar);
      tile.add_over_queries(p_dot_tile, work.delta, keys.v_bar);
      if (carried) {
        tile.add_over_queries(p_tile, work.o_bar, keys.v_bar);
      }
    });
    for (int64_t r = 0; r < queries; ++r) {
      h.store_row(T(1), q_bar + r * h.padded_width, h.rows(a.q_bar)[first + r]);
    }
  }

  // The terms of the queries' own keys.
  template <class T, class S>
  static void add_own_keys(const Head<T, S>& h, const TileBuffers<T, S>& work, int64_t first,
                           int64_t queries) {
    const auto& a = h.a;
    const T scale = a.scale;
    const int64_t width = h.width;
    T* const q_bar = work.accumulator;
    const auto q = h.rows(a.q);
    const auto q_dot = h.rows(a.q_dot);
    const auto delta = h.rows(a.delta);
    const auto o_bar = h.rows(a.o_bar);
    const auto own_k = h.rows(a.own_k);
    const auto own_v = h.rows(a.own_v);
    const auto own_k_dot = h.rows(a.own_k_dot);
    T* const own_p = work.row_stats[4];
    T* const s_dot = work.row_stats[5];  // these three centred, as for other keys
    T* const alpha = work.row_stats[6];
    T* const rise = work.row_stats[7];
    for (int64_t r = 0; r < queries; ++r) {
      const int64_t t = first + r;
      own_p[r] = dot<T>(width, q[t], own_k[t]);
      s_dot[r] = scale * (dot<T>(width, q_dot[t], own_k[t]) + dot<T>(width, q[t], own_k_dot[t])) -
                 work.row_stats[1][r];
      alpha[r] = scale * dot<T>(width, delta[t], own_v[t]) - work.row_stats[2][r];
      rise[r] = scale * (dot<T>(width, delta[t], h.rows(a.own_v_dot)[t]) +
                         (o_bar ? dot<T>(width, o_bar[t], own_v[t]) : T(0))) -
                work.row_stats[3][r];
    }
    own_probabilities(scale * kScoreUnit<T>, work.row_stats[0], own_p);
    for (int64_t r = 0; r < queries; ++r) {
      const int64_t t = first + r;
      const T p = own_p[r];
      const T s_bar = p * (s_dot[r] * alpha[r] + rise[r]);
      const T s_dot_bar = p * alpha[r];
      add_scaled(width, s_bar, own_k[t], q_bar + r * h.padded_width);
      add_scaled(width, s_dot_bar, own_k_dot[t], q_bar + r * h.padded_width);
      h.store_row(s_bar, q[t], s_dot_bar, q_dot[t], h.rows(a.own_k_bar)[t]);
      h.store_row(p * s_dot[r], delta[t], p, o_bar ? o_bar[t] : nullptr, h.rows(a.own_v_bar)[t]);
    }
  }
};

}  // namespace
