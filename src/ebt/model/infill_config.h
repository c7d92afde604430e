// What a model of whole answers ("infill") is: rows of tokens, some known and the others asked for,
// under bidirectional attention.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ebt/data/answers/answer_format.h"
#include "ebt/model/config.h"
#include "ebt/model/thinking_config.h"

namespace ebt {

enum class InfillArchitecture {
  kEbt,          // the energy of a row, which thinking descends
  kFeedForward,  // the same blocks under an output layer, which answers at once
  kLooped,       // the same, fed with its own output for some rounds
};
const EnumNames<InfillArchitecture>& enum_names(InfillArchitecture);

struct InfillModelConfig : BlockConfig {
  InfillArchitecture arch = InfillArchitecture::kEbt;
  int64_t vocab_size = 0;   // V
  int64_t row_length = 0;   // N, tokens of a row
  std::string grid, boxes;  // "RxC" of the row's cells and of the boxes of that grid; may be empty
  // Used instead of the axes of `grid` where not empty. Not stored.
  std::vector<RowAxis> given_axes;

  InfillModelConfig() {
    width = 64;
    heads = 4;
    ffn_multiplier = 2.0;
  }
  // Axes of learned positions. Without any, positions are rotary.
  std::vector<RowAxis> axes() const;
  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit(
        "arch", arch,
        "architecture: ebt, or its rivals feed_forward and looped (the network on its own output)");
    visit("layers", layers, "transformer blocks");
    visit("width", width, "model width D");
    visit("heads", heads, "attention heads; must divide the width into even parts");
    visit("ffn-multiplier", ffn_multiplier, "feed-forward width as a multiple of the model width");
    visit("vocab-size", vocab_size, "number of tokens V; follows from the data");
    visit("row-tokens", row_length, "tokens of a row N; follows from the data");
    visit("row-grid", grid, "rows x columns of the cells of a row; follows from the data");
    visit("row-boxes", boxes, "rows x columns of the boxes of the grid; follows from the data");
    visit("norm-eps", norm_eps, "epsilon of the norms");
    visit("rope-theta", rope_theta, "base of the rotary frequencies, of rows without a grid");
  }
};

// Where a thinking step starts from.
enum class InfillUpdate {
  kMirror,     // z' = z - alpha dE/dp: mirror descent on the simplex
  kPublished,  // z' = p - alpha dE/dp, as published for text
};
const EnumNames<InfillUpdate>& enum_names(InfillUpdate);

// How thinking is trained: the loss is that of the last step. Of a looped transformer, rounds are
// counted as steps are, and energy's settings mean nothing.
struct InfillThinkingConfig : ThinkingSettings {
  InfillUpdate update = InfillUpdate::kMirror;
  double initial_scale = 1.0;     // standard deviation of the initial logits
  double ranking = 0.1;           // weight of the ranking term; 0: none
  double ranking_replaced = 0.4;  // largest share of unknown tokens that a wrong answer replaces

  InfillThinkingConfig() {
    steps_max = 8;
    step_size = 3.0;
    step_size_lr = 1.0;
    detach = false;
    truncate = true;
    learned_steps = 1;
  }
  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("steps-min", steps_min, "fewest thinking steps, drawn per batch");
    visit("steps-max", steps_max, "most thinking steps, drawn per batch");
    visit("update", update, "a step starts from the logits (mirror) or probabilities (published)");
    visit("learned-steps", learned_steps,
          "last steps that are differentiated through, with second derivatives; 0 is all");
    visit("step-size", step_size, "initial step size alpha");
    visit("step-size-learnable", step_size_learnable, "learn alpha");
    visit("step-size-lr", step_size_lr, "alpha's learning rate over the model's; 0: 3 * alpha");
    visit("step-size-spread", step_size_spread, "multiply alpha by U(1/x, x) for every row");
    visit("langevin-noise", langevin_noise, "noise added to the logits before every step");
    visit("initial-scale", initial_scale, "standard deviation of the initial logits");
    visit("ranking", ranking,
          "weight of the ranking term: the truth's energy below that of wrong answers; 0 is off");
    visit("ranking-replaced", ranking_replaced,
          "largest share of unknown tokens that are replaced in a wrong answer");
  }
};

}  // namespace ebt
