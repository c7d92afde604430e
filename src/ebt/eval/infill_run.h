// How many whole answers a model gets right, for how much thinking.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/data/answers/answer_rows.h"
#include "ebt/think/solver.h"

namespace ebt {

// Whether an answer (N) to a row is right, where others than its own tokens may be.
using AnswerJudge = std::function<bool(Tensor<const int32_t> tokens, Tensor<const uint8_t> known,
                                       Tensor<const int32_t> answer)>;

struct InfillScores {
  int64_t rows = 0;
  int64_t unknown_tokens = 0;
  std::vector<double> solved_by_step;    // share of rows after every step of the first thought
  std::vector<double> accuracy_by_step;  // share of unknown tokens, likewise
  std::vector<double> energy_by_step;    // mean before every step; empty of a model without
  double solved = 0;                     // of the answers that are kept
  double accuracy = 0;
  double any_solved = 0;  // of rows of which any thought is right
  double agreed = 0;      // mean share of restarts that end in the kept answer
  double auroc = 0;       // of the kept answers' cost as a judge between rows: 0.5 is none
  // What is kept after every thought of the search, as a share solved against mean passes a row.
  struct Point {
    double passes = 0;
    double solved = 0;
  };
  std::vector<Point> by_passes;
  double seconds = 0;  // of solving

  Json to_json() const;
  std::string to_csv() const;  // by passes
  std::string to_table() const;
};

// Solves rows of `answers`, at most `wanted` of them, spread evenly (0: all), `batch` at a time.
// `is_right` may be empty: then right is what equals the data. Told the share that is done.
InfillScores measure_answers(InfillModel<float>& model, const AnswerSet& answers,
                             const SolveOptions& options, int64_t wanted, int64_t batch,
                             const AnswerJudge& is_right,
                             const std::function<void(double)>& progress);

}  // namespace ebt
