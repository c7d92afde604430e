// One pass of a model over rows that belong to different texts and stand at different places:
// candidates, which attend to cached keys and to themselves, and context tokens, whose keys join
// the cache. Context tokens of a text may follow each other in one pass, and its candidates may see
// them.
//
//   forward         energies of the candidates; keys of the context tokens
//   input_gradient  u = d(sum of energies)/de of the first candidates
//
// Every row's numbers depend on its own text alone, bit for bit.
#pragma once

#include <span>
#include <vector>

#include "ebt/core/arena.h"
#include "ebt/layers/cached_attention.h"
#include "ebt/model/block.h"
#include "ebt/model/key_cache.h"
#include "ebt/model/landscape.h"
#include "ebt/model/row_weights.h"

namespace ebt {

// Where a row stands: in a text's slot of the cache, under a landscape. `index` counts the tokens
// before it, the landscape's own included: for a candidate the number of keys it sees.
struct PassRow {
  int64_t slot = 0;
  int64_t landscape = 0;
  int64_t index = 0;
};

// A context token; token -1 is the landscape's own, which stands first.
struct ContextRow {
  PassRow at;
  int32_t token = 0;
};

// The most rows of a pass.
struct PassRows {
  int64_t candidates = 0;
  int64_t context = 0;
};

template <class T, class S>
class RowPass {
 public:
  // `weights` and `cache` must outlive the pass.
  RowPass(Arena& arena, const TextModelConfig& config, const RowWeights<T, S>& weights,
          const KeyCache<S>& cache, PassRows most);

  // Memory (P, D) for the embedded candidates, which forward overwrites.
  Tensor<T> embedded(int64_t candidates) const { return stream_.slice(0, candidates); }
  // Energies (P) of the candidates that embedded() holds.
  Tensor<const T> forward(std::span<const PassRow> candidates, std::span<const ContextRow> context);
  // u (rows, D) of the first `rows` candidates of the last forward.
  Tensor<const T> input_gradient(int64_t rows);
  // Of a baseline: what its output layer reads (rows, D), for some context rows of the last
  // forward.
  Tensor<const T> outputs(std::span<const int64_t> context_rows);

 private:
  using RowBlock = Block<T, T, CachedAttention<T, S>, TextStyle, StripProjection<T, S>>;
  void place(std::span<const PassRow> candidates, std::span<const ContextRow> context);
  // The first `rows` rows, those that see the same keys together.
  std::vector<int32_t> order_of(int64_t rows) const;
  // Of a block for the first `rows` rows, of which those in `order` pass through all of it.
  typename RowBlock::Params params(int64_t layer, int64_t rows, const std::vector<int32_t>& order);
  // Of a half of a block for the first `rows` rows, of which the first `whole` have a branch.
  HalfModulation<const T> modulation(int64_t layer, int half, int64_t rows, int64_t whole);
  // Of the norm before the head.
  NormParams<T> final_norm(int64_t rows);
  // The rows of the last forward, candidates first.
  int64_t rows() const { return static_cast<int64_t>(rows_.size()); }

  TextModelConfig config_;
  const RowWeights<T, S>& weights_;
  const KeyCache<S>& cache_;
  RotaryTable<T> table_;
  std::vector<LandscapeVectors<T>> landscapes_;
  std::vector<PassRow> rows_;  // of the last forward: candidates, then context
  int64_t candidates_ = 0;
  std::vector<kernels::CachedKeys<S>> keys_;
  Tensor<T> cosine_, sine_;  // (M, head width / 2)
  Tensor<T> modulations_;    // (M, 6 D), where landscapes have modulations of their own
  Tensor<T> stream_;         // (M, D)
  BlockWork<T> work_;        // of M rows
  // Of all blocks: the candidates of one, then those of the next. Its context rows, which nobody
  // asks for later, lie where the next block's candidates will.
  BlockTrace<T, T> all_traces_;
  std::vector<BlockTrace<T, T>> traces_;  // of the last forward
  NormSaved<T, T> final_norm_;
  Tensor<T> energy_;        // (P)
  BlockCotangents<T> bar_;  // of P rows
  Tensor<T> gradient_;      // (P, D)
};

}  // namespace ebt
