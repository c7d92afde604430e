// One tile of attention: its mask and its products. For kernel files only (internal linkage).
//
// The tiles are FlashAttention's (Dao, 2023): S = Q K^T, mask, softmax P online, with a maximum and
// a sum for every row of S (a query), O = P V. Later rules make P again from the rows' log-sum-exp:
// dP = dO V^T, dS = P (dP - D) with D = dO.O, dQ = dS K, dK = dS^T Q, dV = P^T dO. As everywhere
// here a cotangent dX is called x_bar, a tangent x_dot; s_bar includes the factor `scale` of S.
#pragma once

#include <cstdint>

#include "ebt/kernels/cpu/attention_head.h"

namespace {

// What masked scores become.
template <class T>
inline constexpr T kMasked = T(-1e30);

// One tile: queries first.. by keys key.. of a head.
template <class T, class S>
struct Tile {
  using Unit = UnitOf<T, S>;
  static constexpr int64_t kDepth = Packing<T, S>::kDepth;

  const Head<T, S>& head;
  int64_t first;
  int64_t queries;
  int64_t key;
  int64_t keys = smaller(head.visible_keys(first + queries - 1) - key, kKeys);
  int64_t columns = round_up(queries, kBlock);
  // Query r of the tile sees its first offset + r keys.
  int64_t offset = head.a.shape.visible + first - key;

  // Keys that some query up to r sees.
  int64_t keys_until(int64_t r) const { return clamp(offset + r, keys); }
  // Rows that are computed of the block of queries that r begins.
  int64_t rows_of_block(int64_t r) const { return round_up(keys_until(r + kBlock - 1), kGroup); }
  // The first query that sees key j.
  int64_t first_query(int64_t j) const { return j - offset + 1 < 0 ? 0 : j - offset + 1; }

  // scores (keys, queries) = x y^T for keys x and queries y.
  void multiply_scores(Packed<Unit> x, const QueryOperand<T, S>& y, T* scores,
                       bool add = false) const {
    const int64_t unit_row = head.padded_width / kDepth;
    const int64_t count = rows_of_block(columns - kBlock);
    for (int64_t j = 0; j < count; j += kGroup) {
      const int64_t from = first_query(j) / kBlock * kBlock;
      const int64_t step = group_rows<T>(columns - from);
      for (int64_t i = j; i < j + kGroup; i += step) {
        multiply(step, columns - from, head.width_units,
                 {x.along_width + (key + i) * unit_row, unit_row, 1}, y.columns + from, kQueries,
                 scores + i * kQueries + from, kQueries, {add});
      }
    }
  }
  // out (queries, width) = rescale out + x y over the tile's keys, for x (queries, keys) and the
  // rows y of keys or values.
  void add_over_keys(const ScoreOperand<T, S>& x, Packed<Unit> y, T* out,
                     const T* rescale = nullptr) const {
    const int64_t step = group_rows<T>(head.padded_width);
    const Unit* from = y.along_rows + key / kDepth * head.padded_width;
    for (int64_t r = 0; r < columns; r += step) {
      const int64_t depth = (keys_until(r + step - 1) + kDepth - 1) / kDepth;
      multiply(step, head.padded_width, depth, {x.by_keys + r, 1, kQueries}, from,
               head.padded_width, out + r * head.padded_width, head.padded_width,
               {true, rescale == nullptr ? nullptr : rescale + r});
    }
  }
  // out (all keys, width) += x^T y over the tile's queries, for x (queries, keys) and the rows y of
  // queries or of cotangents like them.
  void add_over_queries(const ScoreOperand<T, S>& x, const QueryOperand<T, S>& y, T* out) const {
    const int64_t step = group_rows<T>(head.padded_width);
    const int64_t row = kQueries / kDepth;
    const int64_t end = (queries + kDepth - 1) / kDepth;
    for (int64_t j = 0; j < keys; j += step) {
      const int64_t from = first_query(j) / kDepth;
      multiply(step, head.padded_width, end - from, {x.by_queries + j * row + from, row, 1},
               y.rows.along_rows + from * head.padded_width, head.padded_width,
               out + (key + j) * head.padded_width, head.padded_width, {true});
    }
  }

  // Makes scores of keys that a query does not see so low that their probability is zero.
  void mask(T* scores) const {
    using V = VectorOf<T>;
    V lane;
    for (int i = 0; i < kLanes<T>; ++i) {
      lane[i] = static_cast<T>(i);
    }
    for (int64_t r = 0; r < columns; r += kLanes<T>) {
      const int64_t block = r / kBlock * kBlock;
      const int64_t unmasked = clamp(offset + r, keys);
      for (int64_t j = unmasked; j < rows_of_block(block); ++j) {
        T* at = scores + j * kQueries + r;
        const V from = fill(static_cast<T>(first_query(j) - r));
        store(lane < from || j >= keys ? fill(kMasked<T>) : load(at), at);
      }
    }
  }
  // Calls body(r, rows) for every vector of queries.
  template <class Body>
  void for_query_vectors(Body&& body) const {
    for (int64_t r = 0; r < columns; r += kLanes<T>) {
      body(r, rows_of_block(r / kBlock * kBlock));
    }
  }

 private:
  void multiply(int64_t rows, int64_t width, int64_t depth, Operand<Unit> a, const Unit* b,
                int64_t b_row, T* c, int64_t c_row, Update<T> update) const {
    if (head.prefetcher != nullptr) {
      head.prefetcher->prefetch_some();
    }
    multiply_group<T, Unit>(rows, width, depth, a, b, b_row, c, c_row, update);
  }
};

template <class T, class S, class Body>
inline void for_key_tiles(const Head<T, S>& head, int64_t first, int64_t queries, Body&& body) {
  const int64_t end = head.visible_keys(first + queries - 1);
  for (int64_t key = 0; key < end; key += kKeys) {
    body(Tile<T, S>{head, first, queries, key});
  }
}

template <class T>
inline void clear(T* values, int64_t from, int64_t to) {
  for (int64_t i = from; i < to; ++i) {
    values[i] = T(0);
  }
}

// The log-sum-exp of the tile's queries, in the unit of `power`.
template <class T, class S>
inline void load_log_sums(const Head<T, S>& h, int64_t first, int64_t queries, T* out) {
  for (int64_t r = 0; r < queries; ++r) {
    out[r] = h.a.log_sum[h.at(first + r)] * kScoreUnit<T>;
  }
  clear(out, queries, kQueries);
}

// p of the queries' own keys, from their products q.own_k, which it replaces.
template <class T>
inline void own_probabilities(T unit, const T* log_sum, T* products) {
  for (int64_t r = 0; r < kQueries; r += kLanes<T>) {
    store(power(load(products + r) * unit - load(log_sum + r)), products + r);
  }
}

}  // namespace
