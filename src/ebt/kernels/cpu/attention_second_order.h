// The second-order rule of attention. For kernel files only (internal linkage).
#pragma once

#include <cstdint>

#include "ebt/kernels/cpu/attention_products.h"

namespace {

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

}  // namespace
