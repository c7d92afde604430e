// One head of the attention kernels: its buffers, its rows as packed operands, and their
// prefetching. For kernel files only (internal linkage).
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "ebt/kernels/attention.h"
#include "ebt/kernels/cpu/attention_tiles.h"

namespace {

using ebt::kernels::AttentionArguments;
using ebt::kernels::HeadRows;

// Allocates parts of one block of memory, one behind the other; without a block it only counts.
class BumpAllocator {
 public:
  BumpAllocator() = default;
  explicit BumpAllocator(std::byte* base) : base_(base) {}
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
enum class Sharing { kOwn, kShared };
template <Sharing sharing>
std::byte* thread_memory(int64_t bytes) {
  constexpr std::align_val_t kAlign{BumpAllocator::kAlignment};
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

// The layouts (Packed) that a rule needs of an operand.
struct Layouts {
  bool along_width = false;
  bool along_rows = false;
};
struct Requirements {
  Layouts k, v, k_dot, v_dot;
  bool key_cotangents = false;  // the rule adds to k_bar and v_bar
  int64_t products = 0;         // of a tile
};

template <class T, class S>
using UnitOf = typename Packing<T, S>::Unit;

template <class T, class S>
Packed<UnitOf<T, S>> take_packed(BumpAllocator& memory, Layouts wanted, int64_t rows,
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

// The keys and values of one head, packed, and accumulators of their cotangents.
template <class T, class S>
struct HeadKeys {
  Packed<UnitOf<T, S>> k, v, k_dot, v_dot;
  T* k_bar = nullptr;  // (padded keys, padded width)
  T* v_bar = nullptr;

  void take(BumpAllocator& memory, const Requirements& requirements, int64_t keys,
            int64_t padded_width) {
    k = take_packed<T, S>(memory, requirements.k, keys, padded_width);
    v = take_packed<T, S>(memory, requirements.v, keys, padded_width);
    k_dot = take_packed<T, S>(memory, requirements.k_dot, keys, padded_width);
    v_dot = take_packed<T, S>(memory, requirements.v_dot, keys, padded_width);
  }
  void take_cotangents(BumpAllocator& memory, int64_t keys, int64_t padded_width) {
    k_bar = memory.take<T>(keys * padded_width);
    v_bar = memory.take<T>(keys * padded_width);
  }
};

// A tile's queries as operands.
template <class T, class S>
struct QueryOperand {
  Packed<UnitOf<T, S>> rows;
  UnitOf<T, S>* columns = nullptr;  // (width in units, kQueries)

  void take(BumpAllocator& memory, int64_t padded_width) {
    rows = take_packed<T, S>(memory, {true, true}, kQueries, padded_width);
    columns = memory.take<UnitOf<T, S>>(padded_width / Packing<T, S>::kDepth * kQueries);
  }
};

// A thread's buffers for one tile of any rule.
template <class T, class S>
struct TileBuffers {
  QueryOperand<T, S> q, q_dot, o_bar, delta;
  T* accumulator;                  // (kQueries, padded width): of o, o_dot or q_bar
  T* scores[4];                    // (kKeys, kQueries): S and what is computed like it
  ScoreOperand<T, S> operands[4];  // what is computed of the scores; in numbers, in their place
  T* row_stats[8];                 // (kQueries): what a rule keeps for every query

  void take(BumpAllocator& memory, int64_t padded_width) {
    for (QueryOperand<T, S>* operand : {&q, &q_dot, &o_bar, &delta}) {
      operand->take(memory, padded_width);
    }
    accumulator = memory.take<T>(kQueries * padded_width);
    for (T*& values : row_stats) {
      values = memory.take<T>(kQueries);
    }
    for (int i = 0; i < 4; ++i) {
      scores[i] = memory.take<T>(kKeys * kQueries);
      if constexpr (Packing<T, S>::kDepth == 1) {
        operands[i] = {scores[i], scores[i]};
      } else {
        constexpr int64_t kUnits = kKeys * kQueries / Packing<T, S>::kDepth;
        operands[i] = {memory.take<UnitOf<T, S>>(kUnits), memory.take<UnitOf<T, S>>(kUnits)};
      }
    }
  }
};

// Prefetches rows. Those of a head lie far apart, where the processor does not foresee them: while
// a tile is computed, the rows of the next one are fetched into the cache, a few lines before every
// small product.
class RowPrefetcher {
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
  // Divides what was added among `calls` calls of prefetch_some().
  void start(int64_t calls) { lines_per_call_ = lines_ / calls + 1; }
  void prefetch_some() {
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
  RowPrefetcher* prefetcher = nullptr;
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
  // Context keys that the mask leaves query t.
  int64_t visible_keys(int64_t t) const { return clamp(a.shape.visible + t, a.shape.keys); }
  int64_t visible_to_head() const { return visible_keys(a.shape.queries - 1); }
  // Keys that the mask leaves any of the tile's queries.
  int64_t visible_to_tile(int64_t tile) const {
    return visible_keys(smaller((tile + 1) * kQueries, a.shape.queries) - 1);
  }

  // Everything that a tile of queries reads and writes, of keys those from `first_key` on.
  void add_rows_of_tile(int64_t tile, int64_t first_key, RowPrefetcher& prefetcher) const {
    const int64_t first = tile * kQueries;
    const int64_t end = smaller(first + kQueries, a.shape.queries);
    for (const auto& x : {a.k, a.v, a.k_dot, a.v_dot}) {
      prefetcher.add(rows(x), first_key, visible_to_tile(tile), width);
    }
    for (const auto& x :
         {a.q, a.own_k, a.own_v, a.o_bar, a.delta, a.q_dot, a.own_k_dot, a.own_v_dot}) {
      prefetcher.add(rows(x), first, end, width);
    }
    for (const auto& x : {a.o, a.o_dot, a.q_bar, a.own_k_bar, a.own_v_bar}) {
      prefetcher.add(rows(x), first, end, width);
    }
  }

  void pack_keys(const Requirements& requirements, int64_t key, const HeadKeys<T, S>& keys) const {
    pack_some(rows(a.k), requirements.k, key, keys.k);
    pack_some(rows(a.v), requirements.v, key, keys.v);
    pack_some(rows(a.k_dot), requirements.k_dot, key, keys.k_dot);
    pack_some(rows(a.v_dot), requirements.v_dot, key, keys.v_dot);
  }
  // Rows first.. of x as the operand of a tile; rows beyond `count` are zeros.
  void pack_queries(Rows<const S> x, int64_t first, int64_t count, bool key_cotangents,
                    QueryOperand<T, S> out) const {
    const int64_t columns = round_up(count, kBlock);
    Packed<Unit> to = out.rows;
    if (kDepth > 1 && !key_cotangents) {
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
    pack(Rows<const S>{x[key], x.stride}, smaller(visible_to_head() - key, kKeys), kKeys, width,
         padded_width, out);
  }
};

}  // namespace
