// How well a model predicts a text, over the whole of it and after every thinking step: what a run
// validates with, on the weights that it trains, all positions of a window at once. Tasks ask a
// Generator instead (task_run.h).
#pragma once

#include <cstdint>

#include "ebt/data/text/rows.h"
#include "ebt/model/text_model.h"

namespace ebt {

// Nats summed over the tokens of a text. Means are sums over all tokens divided once, so that they
// do not depend on how the text was cut into batches, and perplexity is never a mean of
// exponentials.
struct TextLosses : LossSums {
  int64_t bytes = 0;  // that the targets stand for

  // Nats per token after the last step.
  double loss() const;
  // e to the loss: how many equally likely tokens the model hesitates between.
  double perplexity() const;
  // Per byte of text after the last step, comparable between tokenizers.
  double nats_per_byte() const;
  double bits_per_byte() const;
};

// Evaluates `max_rows` of the rows, spread evenly (0 or more than there are: all of them),
// `batch_rows` at a time. Noise belongs to rows: results do not depend on `batch_rows`.
// Throws Error when the text has no targets.
template <class T>
TextLosses evaluate(TextModel<T>& model, const RowSet& rows, int64_t batch_rows,
                    const PassOptions& options, int64_t max_rows = 0);

}  // namespace ebt
