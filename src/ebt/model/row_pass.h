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
#include "ebt/kernels/row_attention.h"
#include "ebt/layers/norm.h"
#include "ebt/layers/rotary.h"
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
  RowPass(Arena& arena, const ModelConfig& config, const RowWeights<T, S>& weights,
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
  // What the way down needs of a block.
  struct Trace {
    Tensor<T> input, middle;           // (P, D): the stream as either half reads it
    Tensor<T> qkv;                     // (P, 3 D)
    Tensor<T> attended;                // (P, D)
    Tensor<T> log_sum;                 // (P, heads)
    Tensor<T> pair;                    // (P, 2 F)
    Tensor<T> attention_rms, ffn_rms;  // (P)
  };
  // Neighbouring rows of one landscape, where landscapes have norms and gates of their own.
  struct Run {
    int64_t first, rows, landscape;
  };
  std::vector<Run> runs_of(int64_t rows) const;
  // normed = norm of the stream's first `rows` rows.
  void norm(int64_t rows, int64_t layer, int which);
  typename RmsNorm<T>::Params norm_params(int64_t landscape, int64_t layer, int which) const;
  // The stream += gate (x matrix).
  void add_branch(Tensor<const T> x, const kernels::ColumnStrips<S>& matrix, int64_t layer,
                  int which);
  // branch = gate times the stream's cotangent, or that cotangent itself.
  Tensor<const T> branch_cotangent(Tensor<const T> bar, int64_t layer, int which);
  void norm_back(int64_t layer, int which, const Trace& trace, Tensor<const T> normed_bar,
                 Tensor<T> bar);
  // The first `rows` rows, those that see the same keys together.
  std::vector<int32_t> order_of(int64_t rows) const;
  kernels::RowAttentionArguments<T, S> attention_arguments(int64_t layer,
                                                           const std::vector<int32_t>& order);
  void keep_keys(int64_t layer);
  void place(std::span<const PassRow> candidates, std::span<const ContextRow> context);
  void rotate(Tensor<T> qkv, T direction);
  // The rows of the last forward, candidates first.
  int64_t rows() const { return static_cast<int64_t>(rows_.size()); }

  ModelConfig config_;
  const RowWeights<T, S>& weights_;
  const KeyCache<S>& cache_;
  RotaryTable<T> table_;
  std::vector<LandscapeVectors<T>> landscapes_;
  std::vector<PassRow> rows_;  // of the last forward: candidates, then context
  int64_t candidates_ = 0;
  std::vector<kernels::CachedKeys<S>> seen_;
  Tensor<T> cosine_, sine_;               // (M, head width / 2)
  Tensor<T> stream_, normed_, attended_;  // (M, D)
  Tensor<T> qkv_, log_sum_;               // (M, 3 D), (M, heads)
  Tensor<T> pair_, hidden_, branch_;      // (M, 2 F), (M, F), (M, D)
  Tensor<T> inverse_rms_, energy_;        // (M), (P)
  std::vector<Trace> traces_;
  Tensor<T> final_input_, final_rms_;        // (P, D), (P)
  Tensor<T> gradient_, qkv_bar_, pair_bar_;  // (P, D), (P, 3 D), (P, 2 F)
};

}  // namespace ebt
