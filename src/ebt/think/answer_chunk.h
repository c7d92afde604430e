// Some rows of a batch as models of whole answers compute them: what is given of them, what is
// asked for, and how much of that is right.
#pragma once

#include "ebt/core/work_watch.h"
#include "ebt/kernels/rows.h"
#include "ebt/layers/cross_entropy.h"
#include "ebt/layers/target_sums.h"
#include "ebt/model/answer_features.h"
#include "ebt/model/engine_options.h"
#include "ebt/model/infill_landscape.h"
#include "ebt/model/infill_model.h"
#include "ebt/think/chunk.h"

namespace ebt {

// The memory of n rows.
template <class T>
struct AnswerChunk {
  AnswerChunk(Arena& arena, const InfillModelConfig& model, int64_t n)
      : features(arena, model, n),
        targets(arena.take<int32_t>({n * model.row_length})),
        given(arena.take<int32_t>(targets.shape)),
        leading(arena.take<int32_t>(targets.shape)),
        asked(arena.take<T>(targets.shape)),
        token_value(arena.take<T>(targets.shape)),
        rows(n) {}

  // Takes rows in: tokens and marks (n, N).
  void place(Tensor<const int32_t> tokens, Tensor<const uint8_t> known,
             const InfillWeights<const T>& weights) {
    for (int64_t i = 0; i < tokens.count(); ++i) {
      const bool is_given = known.data[i] != 0;
      given[i] = is_given ? tokens.data[i] : -1;
      targets[i] = is_given ? -1 : tokens.data[i];
      asked[i] = is_given ? T(0) : T(1);
    }
    features.forward(known, weights);
  }

  // Adds what is right in logits (n N, V) after `step` to sums, and returns the sum of their
  // losses. slope, unless absent, becomes its derivative times `scale`.
  double measure(size_t step, Tensor<const T> logits, T scale, Tensor<T> slope, InfillSums& sums) {
    CrossEntropy<T>::loss_and_gradient({targets}, logits, scale, token_value, slope);
    kernels::rows<T>().argmax(logits.dim(0), logits.dim(1), logits.data, leading.data);
    const int64_t length = targets.count() / rows;
    for (int64_t row = 0; row < rows; ++row) {
      bool all = true;
      for (int64_t at = row * length; at < (row + 1) * length; ++at) {
        const bool right = leading[at] == targets[at];
        sums.right_tokens[step] += right ? 1 : 0;  // no token is -1
        all = all && (right || targets[at] < 0);
      }
      sums.right_rows[step] += all ? 1 : 0;
    }
    return sum_over_targets<T>(token_value, targets);
  }

  AnswerFeatures<T> features;
  Tensor<int32_t> targets;  // (n N): tokens that are asked for, -1 where given
  Tensor<int32_t> given;    // (n N): tokens that are given, -1 where asked for
  Tensor<int32_t> leading;  // (n N): the most probable tokens
  Tensor<T> asked;          // (n N): 1 where asked for, else 0
  Tensor<T> token_value;    // (n N): losses of tokens; free for other use between measurements
  int64_t rows;             // n
};

// Calls visit(chunk) for the chunks of rows, which must be as long as the model's.
template <class Visit>
void for_each_answer_chunk(const InfillModelConfig& config, const EngineOptions& options,
                           const InfillRows& rows, const Visit& visit) {
  const int64_t count = rows.tokens.dim(0);
  EBT_CHECK(rows.tokens.dim(1) == config.row_length && rows.known.shape == rows.tokens.shape,
            "infill: rows of {} tokens and marks of {}, but the model's rows have {}",
            rows.tokens.dim(1), rows.known.shape.to_string(), config.row_length);
  for (const Chunk& chunk : cut_rows_into_chunks(count, rows_per_chunk(config, count, options))) {
    visit(chunk);
    tell_share(static_cast<double>(chunk.first_row + chunk.rows) / static_cast<double>(count));
  }
}

}  // namespace ebt
