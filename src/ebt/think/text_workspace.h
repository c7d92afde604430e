// The buffers of a text EBT.
//
// Given the context, predictions do not see each other: so they are thought about and learned from
// in chunks of positions, one chunk after the other in the same memory, and only contexts are held
// for a whole batch. No tensor of all positions by the vocabulary exists. Positions before the
// first and behind the last that some row has a target for are not thought about, and the latter
// are not even read: of examples with prompts and padding that is most of them.
#pragma once

#include <algorithm>
#include <optional>
#include <type_traits>
#include <vector>

#include "ebt/think/text_thinking.h"

namespace ebt {

// Positions of a row.
struct QueryRange {
  int64_t begin = 0;
  int64_t end = 0;

  int64_t count() const { return end - begin; }
  bool operator==(const QueryRange&) const = default;
};

// The least range that holds every target of (batch, context); empty where there is none.
QueryRange range_of_targets(Tensor<const int32_t> targets);

// The same part of some rows of a batch.
struct Chunk {
  int64_t first_row, rows;
  int64_t first_query, queries;
  int64_t queries_in_row;

  int64_t count() const { return rows * queries; }
  // Calls visit(first, at, n) for all positions of the chunk: n that follow each other in the batch
  // from `first` on, and in the chunk from `at` on.
  template <class Visit>
  void for_each_run(const Visit& visit) const {
    const bool whole = queries == queries_in_row;
    const int64_t runs = whole ? 1 : rows;
    const int64_t length = whole ? count() : queries;
    for (int64_t run = 0; run < runs; ++run) {
      visit((first_row + run) * queries_in_row + first_query, run * length, length);
    }
  }
};

// Cuts a range of the `context` positions of every row into chunks of about `positions`, none
// larger than those of the whole context: all of one shape but the last, or the last of every row.
std::vector<Chunk> cut_into_chunks(int64_t batch, int64_t context, QueryRange range,
                                   int64_t positions);

// Positions per chunk that keep products large and logits in the cache of a core or near it.
inline int64_t default_chunk_positions(int64_t vocab) { return vocab > 8192 ? 256 : 512; }

// The buffers of one shape of chunk; N = rows * queries.
template <class T, class S>
struct ChunkSpace {
  std::vector<TextStep<T, S>> steps;  // one, or one per thinking step where all are kept
  std::vector<Tensor<T>> slopes;      // (N, V) per kept step: derivative of the loss by its logits
  Tensor<T> initial;                  // (N, V) logits before the first step
  Tensor<T> noisy;                    // (N, V) logits with Langevin noise
  Tensor<T> work;                     // (N, V), where steps are kept
  Tensor<S> slope_by_gradient;        // (N, V) derivative of the loss by a step's g
  Tensor<T> step_size, bound, row_loss, energy_bar;  // (N)
  Tensor<T> tangent, embedding_bar;                  // (B, Q, D)
  Tensor<int32_t> targets;                           // (N)
  SweepSpace<T, S> sweep;
  std::optional<TextStep<T, S>> truth;  // the contrastive term's stream

  ChunkSpace(Arena& arena, const ModelConfig& model, const ThinkingConfig& thinking,
             const Chunk& chunk, bool training) {
    const int64_t b = chunk.rows;
    const int64_t q = chunk.queries;
    const bool keep_all = training && gradient_crosses_steps(thinking);
    const bool keep_gradient = keep_all || thinking.clamp_gradient > 0;
    const Shape logits{b * q, model.vocab_size};
    for (int64_t i = 0; i < (keep_all ? model.landscapes * thinking.steps_max : 1); ++i) {
      steps.emplace_back(arena, model, b, q, training, keep_gradient);
      if (training) {
        slopes.push_back(arena.take<T>(logits));
      }
    }
    initial = keep_all ? arena.take<T>(logits) : steps.front().next;
    step_size = arena.take<T>({b * q});
    bound = thinking.clamp_gradient > 0 ? arena.take<T>({b * q}) : Tensor<T>{};
    row_loss = arena.take<T>({b * q});
    targets = arena.take<int32_t>({b * q});
    if (!training) {
      return;
    }
    noisy = thinking.langevin_noise > 0 ? arena.take<T>(logits) : Tensor<T>{};
    work = keep_all ? arena.take<T>(logits) : Tensor<T>{};
    if constexpr (std::is_same_v<T, S>) {
      slope_by_gradient = keep_all ? work : slopes.front();
    } else {
      slope_by_gradient = arena.take<S>(logits);
    }
    energy_bar = arena.take<T>({b, q});
    tangent = arena.take<T>({b, q, model.width});
    embedding_bar = arena.take<T>(tangent.shape);
    sweep = SweepSpace<T, S>::take(arena, model, b, q);
    if (thinking.contrastive > 0) {
      truth.emplace(arena, model, b, q, false, false);
    }
  }
};

// The buffers of one shape of work. Laid out anew, in the same memory, when the shape changes.
template <class T, class S>
struct TextWorkspace {
  int64_t batch, context;
  QueryRange range;
  bool training;
  std::vector<Chunk> chunks;
  Tensor<int32_t> tokens;  // (B, range.end) that are read
  ContextWork<T, S> context_work;
  std::vector<TextContext<T, S>> contexts;  // one per landscape; one for EbtType::kDefault
  std::vector<ChunkSpace<T, S>> spaces;     // of a whole chunk, and of the last if it is smaller

  bool fits(int64_t b, int64_t s, QueryRange queries, bool train) const {
    return batch == b && context == s && range == queries && training == train;
  }
  // Those of (batch, context) inputs that are read.
  Tensor<const int32_t> tokens_of(Tensor<const int32_t> inputs) {
    for (int64_t row = 0; row < batch; ++row) {
      std::copy_n(inputs.data + row * context, range.end, tokens.data + row * range.end);
    }
    return tokens;
  }
  // The buffers for a chunk, its targets in place.
  ChunkSpace<T, S>& space(const Chunk& chunk, Tensor<const int32_t> all_targets) {
    ChunkSpace<T, S>& result = spaces[chunk.count() == chunks.front().count() ? 0 : 1];
    chunk.for_each_run([&](int64_t first, int64_t at, int64_t n) {
      std::copy_n(all_targets.data + first, n, result.targets.data + at);
    });
    return result;
  }
  size_t context_of(int64_t landscape) const {
    return contexts.size() > 1 ? static_cast<size_t>(landscape) : 0;
  }

  TextWorkspace(Arena& arena, const ModelConfig& model, const ThinkingConfig& thinking, int64_t b,
                int64_t s, QueryRange queries, bool train, Keep keep, int64_t chunk_positions)
      : batch(b),
        context(s),
        range(queries),
        training(train),
        chunks(cut_into_chunks(b, s, queries, chunk_positions)),
        tokens(arena.take<int32_t>({b, queries.end})),
        context_work(ContextWork<T, S>::take(arena, model, b, queries.end, keep)) {
    const int64_t count = model.type == EbtType::kDefault ? 1 : model.landscapes;
    for (int64_t i = 0; i < count; ++i) {
      contexts.emplace_back(arena, model, b, queries.end, keep, context_work);
    }
    // The smaller chunk comes last: it may lie where the others were.
    const size_t start = arena.used_bytes();
    for (const Chunk& chunk : chunks) {
      if (spaces.empty() || (spaces.size() == 1 && chunk.count() != chunks.front().count())) {
        arena.rewind(start);
        spaces.emplace_back(arena, model, thinking, chunk, train);
      }
    }
  }
};

}  // namespace ebt
