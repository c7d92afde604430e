// Floating-point operations of training on text, known before anything is run: the x of plots of
// scale.
//
// What is counted is every product of matrices that the engine makes, a multiplication and an
// addition for each of its terms, and what attention multiplies within its tiles, for the keys that
// a query sees and no others. Norms, softmaxes, gates, the optimizer and drawing numbers are not.
// With
//   B rows (those of the replay buffer among them), S tokens, L blocks, D width, V vocabulary,
//   n weights of a block's projections (BlockShape), k those of its keys and values alone,
//   T = S + 1 tokens of a context for time_embed, else S,
//   c contexts: one for each landscape, or one in all for type default,
//   K thinking steps, s of them swept: all, or the last alone if truncated,
//   g swept steps that also pass the gradient on to the step before, h = 1 with the contrastive
//   term, else 0, and r = 1 where blocks of the context are computed again, else 0
// the operations of a training step of an energy model are
//   context       2 B T c (3 + r) ((L - 1) n + k)       its last block only makes keys and values
//   prediction    2 B S L n (2 K + 4 s + 3 h)
//   vocabulary    2 B S V D (2 K + 3 s + g + 2 h)
//   attention     2 D B c (L - 1) (7 + 2 r) T (T + 1) / 2
//                 + 2 D B L ((5 K + 12 s + 7 h) (S (S + 1) / 2 + S (T - S))
//                            + (7 K + 17 s + 7 h) S)    a prediction's own key
//   other         2 B S D (2 K + s + 5 h)               the energy head
//                 + 6 (6 L + 2) D^2 c                   adaLN alone, for each gradient pass
// and of Transformer++
//   context       2 B S L n (3 + r)
//   vocabulary    6 B S V D                                the output layer
//   attention     2 D B L (7 + 2 r) S (S + 1) / 2
// Attention multiplies 2 times forward, 3 times for an inner gradient, 5 times back, 3 times for
// tangents and 9 times for the second order; scores are computed anew each time. K may be drawn
// anew for every training step: then these are expected values.
#pragma once

#include <cstdint>

#include "ebt/train/text_train_config.h"

namespace ebt {

struct TrainingFlops {
  double context = 0;     // matrices of the blocks of contexts; of all blocks of Transformer++
  double prediction = 0;  // matrices of the blocks of predictions
  double vocabulary = 0;
  double attention = 0;
  double other = 0;

  // What `bench` counts as matrix products: all but attention.
  double gemm() const { return context + prediction + vocabulary + other; }
  double total() const { return gemm() + attention; }
  void add(const TrainingFlops& more, double times);
};

// Of one training step. The replay buffer lends its share of the batch from the second step on.
// The config is a resolved one.
TrainingFlops training_step_flops(const TextTrainConfig& config, bool is_first_step = false);

// Of the first `steps` training steps.
TrainingFlops training_flops(const TextTrainConfig& config, int64_t steps);

}  // namespace ebt
