// A pass of thinking about sequences, whatever their candidates are: contexts are read once for the
// whole batch, then predictions are thought about and learned from chunk by chunk, then contexts
// learn from what predictions have left in the cotangents of their keys and values.
//
// Given the context, predictions do not see each other: so only contexts are held for a whole
// batch. Positions before the first and behind the last that carry a loss in some row are not
// thought about, and the latter are not even read: of examples with prompts and padding that is
// most of them.
#pragma once

#include <algorithm>
#include <vector>

#include "ebt/core/work_watch.h"
#include "ebt/model/causal_landscape.h"
#include "ebt/model/engine_options.h"
#include "ebt/think/thinking_pass.h"

namespace ebt {

// The shape of work at hand.
struct CausalWork {
  int64_t batch = 0;
  int64_t context = 0;
  QueryRange range;  // of the positions that are thought about
  bool training = false;

  bool operator==(const CausalWork&) const = default;
};

// The buffers of one shape of work. Extra(arena, work's chunk, ...) is what a modality needs beside
// for a chunk.
template <class Space, class Extra>
struct CausalWorkspace {
  using T = typename Space::Scalar;
  using S = typename Space::Stored;
  using Buffers = PassBuffers<Space, PredictionStream<T, S>>;
  struct ChunkMemory {
    Buffers buffers;
    Extra extra;
  };

  CausalWorkspace(Arena& arena, const SequenceConfig& config, const ThinkingSettings& thinking,
                  const Space& space, const CausalWork& shape, const EngineOptions& options,
                  int64_t chunk_positions)
      : work(shape),
        chunks(cut_into_chunks(
            shape.batch, shape.context, shape.range,
            options.chunk_positions > 0 ? options.chunk_positions : chunk_positions)) {
    const Keep keep = !shape.training     ? Keep::kKeys
                      : options.recompute ? Keep::kStream
                                          : Keep::kAll;
    context_work = ContextWork<T, S>::take(arena, config, shape.batch, shape.range.end, keep);
    const int64_t count = config.type == EbtType::kDefault ? 1 : config.landscapes;
    for (int64_t i = 0; i < count; ++i) {
      contexts.emplace_back(arena, config, shape.batch, shape.range.end, keep, context_work);
    }
    // The smaller chunk comes last: it may lie where the others were.
    const size_t start = arena.used_bytes();
    for (const Chunk& chunk : chunks) {
      if (memory.empty() || (memory.size() == 1 && chunk.count() != chunks.front().count())) {
        arena.rewind(start);
        memory.push_back({Buffers(arena, {config, config.layers, chunk.rows, chunk.queries},
                                  Pooling::kNone, space, chunk.count(), thinking,
                                  config.landscapes * thinking.steps_max, shape.training),
                          Extra(arena, config, thinking, space, chunk, shape.training)});
      }
    }
  }

  ChunkMemory& memory_of(const Chunk& chunk) {
    return memory[chunk.count() == chunks.front().count() ? 0 : 1];
  }
  size_t context_of(int64_t landscape) const {
    return contexts.size() > 1 ? static_cast<size_t>(landscape) : 0;
  }

  CausalWork work;
  std::vector<Chunk> chunks;
  ContextWork<T, S> context_work;
  std::vector<CausalContext<T, S>> contexts;  // one per landscape; one for EbtType::kDefault
  std::vector<ChunkMemory> memory;            // of a whole chunk, and of the last if it is smaller
};

// What a model of sequences lends to a pass.
template <class T, class S>
struct CausalParts {
  const SequenceConfig& config;
  const SequenceOperandViews<T, S>& weights;
  const SequenceWeights<T>& gradients;
  const RotaryTable<T>& rotary;
};

// The part of a Problem (thinking_pass.h) that is the same for all sequences.
template <class Space_>
struct CausalProblem {
  using Space = Space_;
  using T = typename Space::Scalar;
  using S = typename Space::Stored;
  using Stream = PredictionStream<T, S>;

  const CausalParts<T, S>& parts;
  std::vector<CausalContext<T, S>>& contexts;
  const Chunk& chunk;
  const std::vector<int64_t>& landscapes;  // of every thinking step
  Space space;

  CausalLandscape<T, S> landscape(size_t i) const {
    const size_t context = contexts.size() > 1 ? static_cast<size_t>(landscapes[i]) : 0;
    return {parts.config,    parts.weights,     parts.rotary, contexts[context],
            chunk.first_row, chunk.first_query, chunk.queries};
  }
  typename Stream::Params at(size_t i) const { return landscape(i).params(); }
  typename Stream::Grads grads(size_t i) const { return landscape(i).grads(parts.gradients); }
  T learned_alpha() const { return parts.weights.values.step_size[0]; }
  T& alpha_bar() const { return parts.gradients.step_size[0]; }
};

// Reads `input`, calls run_chunk(chunk, its memory) for every chunk, and with `learns` adds the
// contexts' gradients.
template <class Space, class Extra, class RunChunk>
void run_causal_pass(const CausalParts<typename Space::Scalar, typename Space::Stored>& parts,
                     const ContextInput<typename Space::Scalar>& input,
                     const std::vector<int64_t>& landscapes, bool learns,
                     CausalWorkspace<Space, Extra>& workspace, const RunChunk& run_chunk) {
  // A landscape without steps is left alone, and so are its gradients.
  std::vector<size_t> open;
  for (const int64_t landscape : landscapes) {
    const size_t context = workspace.context_of(landscape);
    if (open.empty() || open.back() != context) {
      open.push_back(context);
    }
  }
  const auto for_each_open = [&](double begin, double share, const auto& visit) {
    for (size_t i = 0; i < open.size(); ++i) {
      const double each = share / static_cast<double>(open.size());
      const PartOfWork work(begin + each * static_cast<double>(i), each);
      visit(open[i]);
    }
  };
  // How a pass spends its time, roughly.
  const double reading = 1 / (3 + 4 * static_cast<double>(landscapes.size()));
  const double way_back = learns ? 2 * reading : 0;
  for_each_open(0, reading, [&](size_t context) {
    workspace.contexts[context].forward(parts.weights, parts.rotary, input,
                                        static_cast<int64_t>(context));
  });
  {
    const PartOfWork work(reading, 1 - reading - way_back);
    for (size_t i = 0; i < workspace.chunks.size(); ++i) {
      const Chunk& chunk = workspace.chunks[i];
      run_chunk(chunk, workspace.memory_of(chunk));
      tell_share(static_cast<double>(i + 1) / static_cast<double>(workspace.chunks.size()));
    }
  }
  if (learns) {
    for_each_open(1 - way_back, way_back, [&](size_t context) {
      workspace.contexts[context].vjp(parts.weights, parts.rotary, parts.gradients);
    });
  }
}

}  // namespace ebt
