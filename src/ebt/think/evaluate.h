// How well a model predicts a text, over the whole of it and after every thinking step: what a run
// validates with, on the weights that it trains, all positions of a window at once. Tasks ask a
// Generator instead (task_run.h).
#pragma once

#include <cstdint>
#include <vector>

#include "ebt/data/text/rows.h"
#include "ebt/model/text_model.h"

namespace ebt {

// Totals over a text turned into means: every mean is a sum over all tokens divided once, so that
// it does not depend on how the text was cut into batches, and perplexity is never a mean of
// exponentials.
struct Evaluation {
  int64_t tokens = 0;                // targets that carry loss
  int64_t bytes = 0;                 // bytes that these targets stand for
  std::vector<double> total_nats;    // (K) after every thinking step; one entry for a baseline
  std::vector<double> total_energy;  // (K) before every thinking step; empty for a baseline

  // (K) nats per token after every thinking step.
  std::vector<double> losses() const;
  // (K) mean energy before every thinking step.
  std::vector<double> energies() const;
  // Nats per token after the last step.
  double loss() const;
  // e to the loss: how many equally likely tokens the model hesitates between.
  double perplexity() const;
  // Bits per byte of text after the last step, comparable between tokenizers.
  double bits_per_byte() const;
};

// Evaluates `max_rows` of the rows, spread evenly (0 or more than there are: all of them),
// `batch_rows` at a time. Noise belongs to rows: results do not depend on `batch_rows`.
// Throws Error when the text has no targets.
template <class T>
Evaluation evaluate(TextModel<T>& model, const RowSet& rows, int64_t batch_rows,
                    const PassOptions& options, int64_t max_rows = 0);

}  // namespace ebt
