// The division of an attention rule among threads. For kernel files only (internal linkage).
//
// The unit of work is a head of a sequence. Where there are few of them, it is a tile of queries
// or, in rules that add to cotangents of keys, a group of such tiles with accumulators of its own,
// which are added in order afterwards. What is a unit depends on shapes alone, so results do not
// depend on the number of threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "ebt/core/work_watch.h"
#include "ebt/kernels/cpu/attention_head.h"

namespace {

using ebt::kernels::kPlentyOfHeads;

// Runs a rule: Rule::requirements(a), and Rule::run(head, keys, buffers, first query, queries) for
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
    key_tiles_ = (head(0).visible_to_head() + kKeys - 1) / kKeys;
    padded_keys_ = key_tiles_ * kKeys;
    if (heads_ >= kPlentyOfHeads || query_tiles_ == 1) {
      run_by_heads();
    } else {
      run_by_query_tiles();
    }
  }

 private:
  Head<T, S> head(int64_t index) const {
    return {a_, index / a_.shape.heads, index % a_.shape.heads};
  }

  void run_by_heads() const {
    std::atomic<int64_t> first_free{0};
#pragma omp parallel
    {
      HeadKeys<T, S> keys;
      TileBuffers<T, S> buffers;
      const int64_t padded_width = head(0).padded_width;
      const auto take = [&](BumpAllocator from) {
        keys.take(from, requirements_, padded_keys_, padded_width);
        if (requirements_.key_cotangents) {
          keys.take_cotangents(from, padded_keys_, padded_width);
        }
        buffers.take(from, padded_width);
        return from.used();
      };
      take(BumpAllocator(thread_memory<Sharing::kOwn>(take(BumpAllocator()))));
      // A thread knows its next head, to prefetch its rows in time.
      int64_t index = first_free++;
      while (index < heads_) {
        const int64_t next = first_free++;
        run_head(index, next, keys, buffers);
        index = next;
      }
    }
  }

  void run_head(int64_t index, int64_t next, const HeadKeys<T, S>& keys,
                TileBuffers<T, S>& buffers) const {
    Head<T, S> h = head(index);
    int64_t packed = 0;
    clear_sums(keys);
    for (int64_t tile = 0; tile < query_tiles_; ++tile) {
      for (; packed < h.visible_to_tile(tile); packed += kKeys) {
        h.pack_keys(requirements_, packed, keys);
      }
      RowPrefetcher prefetcher;
      if (tile + 1 < query_tiles_) {
        h.add_rows_of_tile(tile + 1, packed, prefetcher);
      } else {
        if (next < heads_) {
          head(next).add_rows_of_tile(0, 0, prefetcher);
        }
        for (int64_t t = 0;
             requirements_.key_cotangents && t < smaller(key_tiles_, kPrefetchedTiles); ++t) {
          add_cotangent_rows(h, t, prefetcher);
        }
      }
      run_tile(h, tile, keys, prefetcher, buffers);
    }
    for (int64_t t = 0; requirements_.key_cotangents && t < key_tiles_; ++t) {
      add_cotangents(h, t, 1, &keys);
    }
  }

  void run_by_query_tiles() const {
    // Groups take every groups-th tile, which balances them.
    const int64_t groups = requirements_.key_cotangents
                               ? smaller((kPlentyOfHeads + heads_ - 1) / heads_, query_tiles_)
                               : query_tiles_;
    const int64_t padded_width = head(0).padded_width;
    HeadKeys<T, S> keys[kPlentyOfHeads];
    HeadKeys<T, S> sums[2 * kPlentyOfHeads];  // of a head's groups, in a row
    const auto take = [&](BumpAllocator memory) {
      for (int64_t index = 0; index < heads_; ++index) {
        keys[index].take(memory, requirements_, padded_keys_, padded_width);
        for (int64_t group = 0; requirements_.key_cotangents && group < groups; ++group) {
          sums[index * groups + group].take_cotangents(memory, padded_keys_, padded_width);
        }
      }
      return memory.used();
    };
    take(BumpAllocator(thread_memory<Sharing::kShared>(take(BumpAllocator()))));
    std::atomic<int64_t> first_free{0};
#pragma omp parallel
    {
#pragma omp for schedule(static)
      for (int64_t unit = 0; unit < heads_ * key_tiles_; ++unit) {
        const int64_t index = unit / key_tiles_;
        head(index).pack_keys(requirements_, unit % key_tiles_ * kKeys, keys[index]);
      }
      BumpAllocator measure;
      TileBuffers<T, S> buffers;
      buffers.take(measure, padded_width);
      BumpAllocator own(thread_memory<Sharing::kOwn>(measure.used()));
      buffers.take(own, padded_width);
      // Later tiles see more keys: a head's last ones go first, so that what is left at the end is
      // small. Tiles of one head follow each other, as they share its packed keys.
      int64_t unit = first_free++;
      while (unit < heads_ * groups) {
        const int64_t next = first_free++;
        run_group(unit, next, groups, keys, sums, buffers);
        unit = next;
      }
#pragma omp barrier
      if (requirements_.key_cotangents) {
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
                 const HeadKeys<T, S>* sums, TileBuffers<T, S>& buffers) const {
    const auto first_tile = [&](int64_t u) { return groups - 1 - u % groups; };
    Head<T, S> h = head(unit / groups);
    HeadKeys<T, S> with = keys[unit / groups];
    if (requirements_.key_cotangents) {
      const HeadKeys<T, S>& own = sums[unit / groups * groups + first_tile(unit)];
      with.k_bar = own.k_bar;
      with.v_bar = own.v_bar;
    }
    clear_sums(with);
    for (int64_t tile = first_tile(unit); tile < query_tiles_; tile += groups) {
      RowPrefetcher prefetcher;
      if (tile + groups < query_tiles_) {
        h.add_rows_of_tile(tile + groups, a_.shape.keys, prefetcher);
      } else if (next < heads_ * groups) {
        head(next / groups).add_rows_of_tile(first_tile(next), a_.shape.keys, prefetcher);
      }
      run_tile(h, tile, with, prefetcher, buffers);
    }
  }

  void clear_sums(const HeadKeys<T, S>& keys) const {
    if (requirements_.key_cotangents) {
      const int64_t count = padded_keys_ * head(0).padded_width;
      std::fill_n(keys.k_bar, count, T(0));
      std::fill_n(keys.v_bar, count, T(0));
    }
  }
  void run_tile(Head<T, S>& h, int64_t tile, const HeadKeys<T, S>& keys, RowPrefetcher& prefetcher,
                TileBuffers<T, S>& buffers) const {
    // With long contexts a pass takes minutes: one that is to end leaves its results undefined.
    if (watch_ != nullptr && watch_->wants_stop()) {
      return;
    }
    // A tile on the diagonal has fewer small products than the others: three quarters are few
    // enough for the first.
    prefetcher.start(
        requirements_.products * h.visible_to_tile(tile) / group_rows<T>(kKeys) * 3 / 4 + 1);
    h.prefetcher = &prefetcher;
    const int64_t first = tile * kQueries;
    Rule::run(h, keys, buffers, first, smaller(a_.shape.queries - first, kQueries));
  }

  void add_cotangent_rows(const Head<T, S>& h, int64_t key_tile, RowPrefetcher& prefetcher) const {
    const int64_t end = smaller(h.visible_to_head(), (key_tile + 1) * kKeys);
    prefetcher.add(h.rows(a_.stored_k_bar), key_tile * kKeys, end, h.width);
    prefetcher.add(h.rows(a_.stored_v_bar), key_tile * kKeys, end, h.width);
    prefetcher.add(h.rows(a_.k_bar), key_tile * kKeys, end, h.width);
    prefetcher.add(h.rows(a_.v_bar), key_tile * kKeys, end, h.width);
  }
  // Adds the sums of one tile of keys to the cotangents, in order.
  void add_cotangents(const Head<T, S>& h, int64_t key_tile, int64_t groups,
                      const HeadKeys<T, S>* sums) const {
    const int64_t end = smaller(h.visible_to_head(), (key_tile + 1) * kKeys);
    if (a_.stored_k_bar.data != nullptr) {
      store_cotangents(h, key_tile * kKeys, end, groups, sums);
      return;
    }
    for (int64_t group = 0; group < groups; ++group) {
      for (int64_t j = key_tile * kKeys; j < end; ++j) {
        add_scaled(h.width, T(1), sums[group].k_bar + j * h.padded_width, h.rows(a_.k_bar)[j]);
        add_scaled(h.width, T(1), sums[group].v_bar + j * h.padded_width, h.rows(a_.v_bar)[j]);
      }
    }
  }

  // The same where the sums are all there is. The first group's sums become those of all.
  void store_cotangents(const Head<T, S>& h, int64_t first, int64_t end, int64_t groups,
                        const HeadKeys<T, S>* sums) const {
    for (int64_t j = first; j < end; ++j) {
      const int64_t at = j * h.padded_width;
      for (int64_t group = 1; group < groups; ++group) {
        add_scaled(h.width, T(1), sums[group].k_bar + at, sums[0].k_bar + at);
        add_scaled(h.width, T(1), sums[group].v_bar + at, sums[0].v_bar + at);
      }
      h.store_row(T(1), sums[0].k_bar + at, h.rows(a_.stored_k_bar)[j]);
      h.store_row(T(1), sums[0].v_bar + at, h.rows(a_.stored_v_bar)[j]);
    }
  }

  const AttentionArguments<T, S>& a_;
  const ebt::WorkWatch* watch_ = ebt::work_watch();
  Requirements requirements_ = Rule::requirements(a_);
  int64_t heads_ = 0;
  int64_t query_tiles_ = 0;
  int64_t key_tiles_ = 0;
  int64_t padded_keys_ = 0;
  static constexpr int64_t kPrefetchedTiles = 4;  // of cotangents
};

}  // namespace
