// How the attention kernels split their work. For kernel files only (internal linkage).
//
// The unit of work is a head of a sequence. Where there are few of them, it is a tile of queries
// or, in rules that add to cotangents of keys, a group of such tiles with sums of its own, which
// are added in order afterwards. What is a unit depends on shapes alone, so results do not depend
// on the number of threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "ebt/kernels/attention.h"
#include "ebt/kernels/attention_tiles.h"

namespace {

using ebt::kernels::AttentionArguments;
using ebt::kernels::HeadRows;

// From this many heads on, a head is a unit.
inline constexpr int64_t kPlentyOfHeads = 16;

// Hands out parts of one block of memory; over none, only counts.
class Memory {
 public:
  Memory() = default;
  explicit Memory(std::byte* base) : base_(base) {}
  template <class U>
  U* take(int64_t count) {
    std::byte* const part = base_ == nullptr ? nullptr : base_ + used_;
    used_ += round_up(count * static_cast<int64_t>(sizeof(U)), kAlignment);
    return reinterpret_cast<U*>(part);
  }
  int64_t used() const { return used_; }
  static constexpr int64_t kAlignment = 64;

 private:
  std::byte* base_ = nullptr;
  int64_t used_ = 0;
};

// Memory that a thread grows on first use and keeps: kernels run thousands of times a second.
// kShared: what it lends to the others of its team.
enum class Purpose { kOwn, kShared };
template <Purpose purpose>
std::byte* kept_memory(int64_t bytes) {
  constexpr std::align_val_t kAlign{Memory::kAlignment};
  struct Buffer {
    std::byte* data = nullptr;
    int64_t capacity = 0;
    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { ::operator delete[](data, kAlign); }
  };
  static thread_local Buffer buffer;
  if (buffer.capacity < bytes) {
    ::operator delete[](buffer.data, kAlign);
    buffer.data = nullptr;
    buffer.capacity = 0;
    buffer.data = new (kAlign) std::byte[static_cast<size_t>(bytes)];
    buffer.capacity = bytes;
  }
  return buffer.data;
}

// Which operands a rule makes of something that is packed.
struct Layouts {
  bool along_width = false;
  bool along_rows = false;
};
struct Needs {
  Layouts k, v, k_dot, v_dot;
  bool collects = false;  // adds to k_bar and v_bar
  int64_t products = 0;   // of a tile
};

template <class T, class S>
using UnitOf = typename Packing<T, S>::Unit;

template <class T, class S>
Packed<UnitOf<T, S>> take_packed(Memory& memory, Layouts wanted, int64_t rows,
                                 int64_t padded_width) {
  constexpr int64_t kDepth = Packing<T, S>::kDepth;
  using Unit = UnitOf<T, S>;
  Packed<Unit> packed;
  const int64_t count = rows * padded_width / kDepth;
  if (wanted.along_width || (kDepth == 1 && wanted.along_rows)) {
    packed.along_width = memory.take<Unit>(count);
  }
  if (kDepth == 1) {
    packed.along_rows = packed.along_width;
  } else if (wanted.along_rows) {
    packed.along_rows = memory.take<Unit>(count);
  }
  return packed;
}

// The keys of one head, packed, and the sums of their cotangents.
template <class T, class S>
struct HeadKeys {
  Packed<UnitOf<T, S>> k, v, k_dot, v_dot;
  T* k_bar = nullptr;  // (padded keys, padded width)
  T* v_bar = nullptr;

  void take(Memory& memory, const Needs& needs, int64_t keys, int64_t padded_width) {
    k = take_packed<T, S>(memory, needs.k, keys, padded_width);
    v = take_packed<T, S>(memory, needs.v, keys, padded_width);
    k_dot = take_packed<T, S>(memory, needs.k_dot, keys, padded_width);
    v_dot = take_packed<T, S>(memory, needs.v_dot, keys, padded_width);
  }
  void take_sums(Memory& memory, int64_t keys, int64_t padded_width) {
    k_bar = memory.take<T>(keys * padded_width);
    v_bar = memory.take<T>(keys * padded_width);
  }
};

// A tile's queries as operands.
template <class T, class S>
struct QueryOperand {
  Packed<UnitOf<T, S>> rows;
  UnitOf<T, S>* columns = nullptr;  // (width in units, kQueries)

  void take(Memory& memory, int64_t padded_width) {
    rows = take_packed<T, S>(memory, {true, true}, kQueries, padded_width);
    columns = memory.take<UnitOf<T, S>>(padded_width / Packing<T, S>::kDepth * kQueries);
  }
};

// What a thread needs for a tile of any rule.
template <class T, class S>
struct TileMemory {
  QueryOperand<T, S> q, q_dot, o_bar, delta;
  T* sum;                       // (kQueries, padded width)
  T* scores[4];                 // (kKeys, kQueries)
  WeightTile<T, S> weights[4];  // in numbers, the scores themselves
  T* of_query[8];               // (kQueries): what a rule keeps for every query

  void take(Memory& memory, int64_t padded_width) {
    for (QueryOperand<T, S>* operand : {&q, &q_dot, &o_bar, &delta}) {
      operand->take(memory, padded_width);
    }
    sum = memory.take<T>(kQueries * padded_width);
    for (T*& values : of_query) {
      values = memory.take<T>(kQueries);
    }
    for (int i = 0; i < 4; ++i) {
      scores[i] = memory.take<T>(kKeys * kQueries);
      if constexpr (Packing<T, S>::kDepth == 1) {
        weights[i] = {scores[i], scores[i]};
      } else {
        constexpr int64_t kUnits = kKeys * kQueries / Packing<T, S>::kDepth;
        weights[i] = {memory.take<UnitOf<T, S>>(kUnits), memory.take<UnitOf<T, S>>(kUnits)};
      }
    }
  }
};

// Rows of a head lie far apart, where the processor does not foresee them. While a tile is
// computed, the rows of the next one are called into the cache, a few lines before every small
// product.
class RowsAhead {
 public:
  // Rows [first, end) of x.
  template <class U>
  void add(Rows<U> x, int64_t first, int64_t end, int64_t width) {
    if (x && first < end && count_ < kMost) {
      constexpr auto kSize = static_cast<int64_t>(sizeof(U));
      parts_[count_++] = {reinterpret_cast<const char*>(x[first]), x.stride * kSize, width * kSize,
                          end - first};
      lines_ += (end - first) * (width * kSize / kLine + 1);
    }
  }
  // Spreads what was added over `calls` calls.
  void start(int64_t calls) { lines_per_call_ = lines_ / calls + 1; }
  void some() {
    for (int64_t line = 0; part_ < count_ && line < lines_per_call_;) {
      const Part& part = parts_[part_];
      const char* const at = part.data + row_ * part.stride;
      for (int64_t byte = 0; byte < part.row_bytes; byte += kLine, ++line) {
        __builtin_prefetch(at + byte);
      }
      __builtin_prefetch(at + part.row_bytes - 1);
      if (++row_ == part.rows) {
        row_ = 0;
        ++part_;
      }
    }
  }

 private:
  static constexpr int64_t kLine = 64;
  static constexpr int kMost = 20;
  struct Part {
    const char* data;
    int64_t stride;
    int64_t row_bytes;
    int64_t rows;
  };
  Part parts_[kMost];
  int count_ = 0;
  int part_ = 0;
  int64_t row_ = 0;
  int64_t lines_ = 0;
  int64_t lines_per_call_ = 0;
};

// One head of one sequence.
template <class T, class S>
struct Head {
  using Unit = UnitOf<T, S>;
  static constexpr int64_t kDepth = Packing<T, S>::kDepth;

  const AttentionArguments<T, S>& a;
  int64_t sequence;
  int64_t head;
  RowsAhead* ahead = nullptr;
  int64_t width = a.shape.head_width;
  int64_t padded_width = round_up(width, kBlock);
  int64_t width_units = (width + kDepth - 1) / kDepth;

  template <class U>
  Rows<U> rows(const HeadRows<U>& h) const {
    return h.data == nullptr
               ? Rows<U>{}
               : Rows<U>{h.data + sequence * h.rows * h.stride + head * width, h.stride};
  }
  // Position of query t in log_sum and mean_dot.
  int64_t at(int64_t t) const { return (sequence * a.shape.queries + t) * a.shape.heads + head; }
  // Context keys that query t sees.
  int64_t seen(int64_t t) const { return clamp(a.shape.visible + t, a.shape.keys); }
  int64_t seen_keys() const { return seen(a.shape.queries - 1); }
  // Keys that any of the tile's queries sees.
  int64_t seen_by_tile(int64_t tile) const {
    return seen(smaller((tile + 1) * kQueries, a.shape.queries) - 1);
  }

  // Everything that a tile of queries reads and writes, of keys those from `first_key` on.
  void list_rows(int64_t tile, int64_t first_key, RowsAhead& list) const {
    const int64_t first = tile * kQueries;
    const int64_t end = smaller(first + kQueries, a.shape.queries);
    for (const auto& x : {a.k, a.v, a.k_dot, a.v_dot}) {
      list.add(rows(x), first_key, seen_by_tile(tile), width);
    }
    for (const auto& x :
         {a.q, a.own_k, a.own_v, a.o_bar, a.delta, a.q_dot, a.own_k_dot, a.own_v_dot}) {
      list.add(rows(x), first, end, width);
    }
    for (const auto& x : {a.o, a.o_dot, a.q_bar, a.own_k_bar, a.own_v_bar}) {
      list.add(rows(x), first, end, width);
    }
  }

  void pack_keys(const Needs& needs, int64_t key, const HeadKeys<T, S>& keys) const {
    pack_some(rows(a.k), needs.k, key, keys.k);
    pack_some(rows(a.v), needs.v, key, keys.v);
    pack_some(rows(a.k_dot), needs.k_dot, key, keys.k_dot);
    pack_some(rows(a.v_dot), needs.v_dot, key, keys.v_dot);
  }
  // Rows first.. of x as the operand of a tile; rows beyond `count` are zeros.
  void pack_queries(Rows<const S> x, int64_t first, int64_t count, bool collects,
                    QueryOperand<T, S> out) const {
    const int64_t columns = round_up(count, kBlock);
    Packed<Unit> to = out.rows;
    if (kDepth > 1 && !collects) {
      to.along_rows = nullptr;
    }
    pack(Rows<const S>{x[first], x.stride}, count, columns, width, padded_width, to);
    transpose(to.along_width, columns, padded_width / kDepth, out.columns);
  }

  // out = scale_x x + scale_y y, or is added to; y may be absent.
  template <class X>
  void store_row(T scale_x, const X* x, T scale_y, const S* y, S* out) const {
    for_vectors<T>(width, [&](int64_t i, int64_t count) {
      VectorOf<T> value = load_first<T>(x + i, count) * scale_x;
      if (y != nullptr) {
        value += load_first<T>(y + i, count) * scale_y;
      }
      if (a.add) {
        value += load_first<T>(out + i, count);
      }
      store_first<T>(value, out + i, count);
    });
  }
  template <class X>
  void store_row(T scale, const X* x, S* out) const {
    store_row(scale, x, T(0), static_cast<const S*>(nullptr), out);
  }

 private:
  // One tile of keys.
  void pack_some(Rows<const S> x, Layouts wanted, int64_t key, Packed<Unit> out) const {
    if (!wanted.along_width && !wanted.along_rows) {
      return;
    }
    const int64_t offset = key * padded_width / kDepth;
    if (out.along_width != nullptr) {
      out.along_width += offset;
    }
    if (out.along_rows != nullptr) {
      out.along_rows += offset;
    }
    pack(Rows<const S>{x[key], x.stride}, smaller(seen_keys() - key, kKeys), kKeys, width,
         padded_width, out);
  }
};

// One tile: queries first.. by keys key.. of a head.
template <class T, class S>
struct Tile {
  using Unit = UnitOf<T, S>;
  static constexpr int64_t kDepth = Packing<T, S>::kDepth;

  const Head<T, S>& head;
  int64_t first;
  int64_t queries;
  int64_t key;
  int64_t keys = smaller(head.seen(first + queries - 1) - key, kKeys);
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
  void multiply_scores(Packed<Unit> x, const QueryOperand<T, S>& y, T* scores, bool add) const {
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
  // sum (queries, width) += weights^T y for keys y.
  void spread(const WeightTile<T, S>& weights, Packed<Unit> y, T* sum, const T* factors) const {
    const int64_t step = group_rows<T>(head.padded_width);
    const Unit* from = y.along_rows + key / kDepth * head.padded_width;
    for (int64_t r = 0; r < columns; r += step) {
      const int64_t depth = (keys_until(r + step - 1) + kDepth - 1) / kDepth;
      multiply(step, head.padded_width, depth, {weights.by_keys + r, 1, kQueries}, from,
               head.padded_width, sum + r * head.padded_width, head.padded_width,
               {true, factors == nullptr ? nullptr : factors + r});
    }
  }
  // sum (all keys, width) += weights y for queries y.
  void collect(const WeightTile<T, S>& weights, const QueryOperand<T, S>& y, T* sum) const {
    const int64_t step = group_rows<T>(head.padded_width);
    const int64_t row = kQueries / kDepth;
    const int64_t end = (queries + kDepth - 1) / kDepth;
    for (int64_t j = 0; j < keys; j += step) {
      const int64_t from = first_query(j) / kDepth;
      multiply(step, head.padded_width, end - from, {weights.by_queries + j * row + from, row, 1},
               y.rows.along_rows + from * head.padded_width, head.padded_width,
               sum + (key + j) * head.padded_width, head.padded_width, {true});
    }
  }

  // Sets scores that a query does not see so low that their weight is zero.
  void hide(T* scores) const {
    using V = VectorOf<T>;
    V lane;
    for (int i = 0; i < kLanes<T>; ++i) {
      lane[i] = static_cast<T>(i);
    }
    for (int64_t r = 0; r < columns; r += kLanes<T>) {
      const int64_t block = r / kBlock * kBlock;
      const int64_t fully_seen = clamp(offset + r, keys);
      for (int64_t j = fully_seen; j < rows_of_block(block); ++j) {
        T* at = scores + j * kQueries + r;
        const V from = fill(static_cast<T>(first_query(j) - r));
        store(lane < from || j >= keys ? fill(T(-1e30)) : load(at), at);
      }
    }
  }
  // Calls body(r, rows) for every vector of queries.
  template <class Body>
  void for_queries(Body&& body) const {
    for (int64_t r = 0; r < columns; r += kLanes<T>) {
      body(r, rows_of_block(r / kBlock * kBlock));
    }
  }

 private:
  void multiply(int64_t rows, int64_t width, int64_t depth, Operand<Unit> a, const Unit* b,
                int64_t b_row, T* c, int64_t c_row, Old<T> old) const {
    if (head.ahead != nullptr) {
      head.ahead->some();
    }
    multiply_group<T, Unit>(rows, width, depth, a, b, b_row, c, c_row, old);
  }
};

template <class T, class S, class Body>
inline void for_key_tiles(const Head<T, S>& head, int64_t first, int64_t queries, Body&& body) {
  const int64_t end = head.seen(first + queries - 1);
  for (int64_t key = 0; key < end; key += kKeys) {
    body(Tile<T, S>{head, first, queries, key});
  }
}

// Runs a rule: Rule::needs(a), and Rule::run(head, keys, tile memory, first query, queries) for
// every tile of queries.
template <class Rule, class T, class S>
class Pass {
 public:
  explicit Pass(const AttentionArguments<T, S>& a) : a_(a) {
    query_tiles_ = (a.shape.queries + kQueries - 1) / kQueries;
    heads_ = a.shape.batch * a.shape.heads;
    if (heads_ == 0 || query_tiles_ == 0) {
      return;
    }
    key_tiles_ = (head(0).seen_keys() + kKeys - 1) / kKeys;
    padded_keys_ = key_tiles_ * kKeys;
    if (heads_ >= kPlentyOfHeads || query_tiles_ == 1) {
      run_heads();
    } else {
      run_parts();
    }
  }

 private:
  Head<T, S> head(int64_t index) const {
    return {a_, index / a_.shape.heads, index % a_.shape.heads};
  }

  void run_heads() const {
    std::atomic<int64_t> first_free{0};
#pragma omp parallel
    {
      HeadKeys<T, S> keys;
      TileMemory<T, S> memory;
      const int64_t padded_width = head(0).padded_width;
      const auto take = [&](Memory from) {
        keys.take(from, needs_, padded_keys_, padded_width);
        if (needs_.collects) {
          keys.take_sums(from, padded_keys_, padded_width);
        }
        memory.take(from, padded_width);
        return from.used();
      };
      take(Memory(kept_memory<Purpose::kOwn>(take(Memory()))));
      // A thread knows its next head, to call for its rows in time.
      int64_t index = first_free++;
      while (index < heads_) {
        const int64_t next = first_free++;
        run_head(index, next, keys, memory);
        index = next;
      }
    }
  }

  void run_head(int64_t index, int64_t next, const HeadKeys<T, S>& keys,
                TileMemory<T, S>& memory) const {
    Head<T, S> h = head(index);
    int64_t packed = 0;
    clear_sums(keys);
    for (int64_t tile = 0; tile < query_tiles_; ++tile) {
      for (; packed < h.seen_by_tile(tile); packed += kKeys) {
        h.pack_keys(needs_, packed, keys);
      }
      RowsAhead ahead;
      if (tile + 1 < query_tiles_) {
        h.list_rows(tile + 1, packed, ahead);
      } else {
        if (next < heads_) {
          head(next).list_rows(0, 0, ahead);
        }
        for (int64_t t = 0; needs_.collects && t < smaller(key_tiles_, kTilesAhead); ++t) {
          list_cotangents(h, t, ahead);
        }
      }
      run_tile(h, tile, keys, ahead, memory);
    }
    for (int64_t t = 0; needs_.collects && t < key_tiles_; ++t) {
      add_cotangents(h, t, 1, &keys);
    }
  }

  void run_parts() const {
    // Groups take every groups-th tile, which balances them.
    const int64_t groups = needs_.collects
                               ? smaller((kPlentyOfHeads + heads_ - 1) / heads_, query_tiles_)
                               : query_tiles_;
    const int64_t padded_width = head(0).padded_width;
    HeadKeys<T, S> keys[kPlentyOfHeads];
    HeadKeys<T, S> sums[2 * kPlentyOfHeads];  // of a head's groups, in a row
    const auto take = [&](Memory memory) {
      for (int64_t index = 0; index < heads_; ++index) {
        keys[index].take(memory, needs_, padded_keys_, padded_width);
        for (int64_t group = 0; needs_.collects && group < groups; ++group) {
          sums[index * groups + group].take_sums(memory, padded_keys_, padded_width);
        }
      }
      return memory.used();
    };
    take(Memory(kept_memory<Purpose::kShared>(take(Memory()))));
    std::atomic<int64_t> first_free{0};
#pragma omp parallel
    {
#pragma omp for schedule(static)
      for (int64_t unit = 0; unit < heads_ * key_tiles_; ++unit) {
        const int64_t index = unit / key_tiles_;
        head(index).pack_keys(needs_, unit % key_tiles_ * kKeys, keys[index]);
      }
      Memory measure;
      TileMemory<T, S> memory;
      memory.take(measure, padded_width);
      Memory own(kept_memory<Purpose::kOwn>(measure.used()));
      memory.take(own, padded_width);
      // Later tiles see more keys: a head's last ones go first, so that what is left at the end is
      // small. Tiles of one head follow each other, as they share its packed keys.
      int64_t unit = first_free++;
      while (unit < heads_ * groups) {
        const int64_t next = first_free++;
        run_group(unit, next, groups, keys, sums, memory);
        unit = next;
      }
#pragma omp barrier
      if (needs_.collects) {
#pragma omp for schedule(static)
        for (int64_t unit = 0; unit < heads_ * key_tiles_; ++unit) {
          const int64_t index = unit / key_tiles_;
          add_cotangents(head(index), unit % key_tiles_, groups, sums + index * groups);
        }
      }
    }
  }

  // One group of a head's tiles; `next` is what the thread does afterwards.
  void run_group(int64_t unit, int64_t next, int64_t groups, const HeadKeys<T, S>* keys,
                 const HeadKeys<T, S>* sums, TileMemory<T, S>& memory) const {
    const auto first_tile = [&](int64_t u) { return groups - 1 - u % groups; };
    Head<T, S> h = head(unit / groups);
    HeadKeys<T, S> with = keys[unit / groups];
    if (needs_.collects) {
      const HeadKeys<T, S>& own = sums[unit / groups * groups + first_tile(unit)];
      with.k_bar = own.k_bar;
      with.v_bar = own.v_bar;
    }
    clear_sums(with);
    for (int64_t tile = first_tile(unit); tile < query_tiles_; tile += groups) {
      RowsAhead ahead;
      if (tile + groups < query_tiles_) {
        h.list_rows(tile + groups, a_.shape.keys, ahead);
      } else if (next < heads_ * groups) {
        head(next / groups).list_rows(first_tile(next), a_.shape.keys, ahead);
      }
      run_tile(h, tile, with, ahead, memory);
    }
  }

  void clear_sums(const HeadKeys<T, S>& keys) const {
    if (needs_.collects) {
      const int64_t count = padded_keys_ * head(0).padded_width;
      std::fill_n(keys.k_bar, count, T(0));
      std::fill_n(keys.v_bar, count, T(0));
    }
  }
  void run_tile(Head<T, S>& h, int64_t tile, const HeadKeys<T, S>& keys, RowsAhead& ahead,
                TileMemory<T, S>& memory) const {
    // A tile on the diagonal has fewer small products than the others: three quarters are few
    // enough for the first.
    ahead.start(needs_.products * h.seen_by_tile(tile) / group_rows<T>(kKeys) * 3 / 4 + 1);
    h.ahead = &ahead;
    const int64_t first = tile * kQueries;
    Rule::run(h, keys, memory, first, smaller(a_.shape.queries - first, kQueries));
  }

  void list_cotangents(const Head<T, S>& h, int64_t key_tile, RowsAhead& list) const {
    const int64_t end = smaller(h.seen_keys(), (key_tile + 1) * kKeys);
    list.add(h.rows(a_.k_bar), key_tile * kKeys, end, h.width);
    list.add(h.rows(a_.v_bar), key_tile * kKeys, end, h.width);
  }
  // Adds the sums of one tile of keys to the cotangents, in order.
  void add_cotangents(const Head<T, S>& h, int64_t key_tile, int64_t groups,
                      const HeadKeys<T, S>* sums) const {
    const int64_t end = smaller(h.seen_keys(), (key_tile + 1) * kKeys);
    for (int64_t group = 0; group < groups; ++group) {
      for (int64_t j = key_tile * kKeys; j < end; ++j) {
        add_scaled(h.width, T(1), sums[group].k_bar + j * h.padded_width, h.rows(a_.k_bar)[j]);
        add_scaled(h.width, T(1), sums[group].v_bar + j * h.padded_width, h.rows(a_.v_bar)[j]);
      }
    }
  }

  const AttentionArguments<T, S>& a_;
  Needs needs_ = Rule::needs(a_);
  int64_t heads_ = 0;
  int64_t query_tiles_ = 0;
  int64_t key_tiles_ = 0;
  int64_t padded_keys_ = 0;
  static constexpr int64_t kTilesAhead = 4;  // of cotangents that are called for
};

}  // namespace
