// `ebt lab think`: does thinking help with what is harder than anything in training?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/lab.h"
#include "lab/puzzle.h"

namespace ebt {

struct ThinkLabConfig {
  std::string puzzles = "addition,sorting,brackets,sudoku,maze";
  std::string learners = "transformer_pp,s1,s2";
  std::string ablation = "brackets";
  int64_t seeds = 3;
  int64_t examples = 20'000;
  int64_t tests = 100;
  int64_t layers = 2;
  int64_t width = 128;
  int64_t heads = 2;
  int64_t steps = 1000;
  int64_t batch = 32;
  double learning_rate = 0;
  std::string grid = "1,2,3,4,6,8";
  std::string candidates = "1,4";
  std::string stops = "0,0.01,0.1";
  int64_t board = 4;
  int64_t symbols = 10;
  int64_t kinds = 4;
  std::string precision = "auto";

  // The one that takes a minute or two.
  static ThinkLabConfig quick();
  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("puzzles", puzzles, "what is learned: addition, sorting, brackets, sudoku, maze");
    visit("learners", learners, "who learns: transformer_pp, s1 and s2, which are EBTs");
    visit("ablation", ablation, "puzzle on which s2 is also trained without each of its parts");
    visit("seeds", seeds, "models of each kind, whose spread is told");
    visit("examples", examples,
          "training examples of a puzzle, equally many of each trained level");
    visit("tests", tests, "examples of each level, trained and harder, to measure on");
    visit("layers", layers, "transformer blocks");
    visit("width", width, "model width D");
    visit("heads", heads, "attention heads");
    visit("steps", steps, "optimizer steps of every model");
    visit("batch", batch, "examples per optimizer step");
    visit("learning-rate", learning_rate, "peak learning rate; 0 takes the published one");
    visit("grid", grid, "numbers of thinking steps to measure");
    visit("candidates-grid", candidates, "numbers of candidates to choose from by energy");
    visit("stop-grid", stops, "changes of the energy below which thinking stops; 0: never");
    visit("board", board, "cells along a side of a sudoku: 4, 6 or 9");
    visit("symbols", symbols, "different symbols to sort");
    visit("kinds", kinds, "kinds of brackets");
    visit("precision", precision, "fp32, bf16, or auto");
  }
};

class ThinkLab : public Lab {
 public:
  // Throws Error for an impossible config.
  explicit ThinkLab(ThinkLabConfig config);

  std::string name() const override { return "think"; }
  Json config() const override { return fields_to_json(config_); }
  std::vector<Job> jobs() const override;
  std::optional<Json> work(const Job& job, const std::filesystem::path& folder,
                           const std::filesystem::path& lab_folder,
                           const JobWatch& watch) const override;
  LabReport report(const std::vector<LabResult>& results) const override;

 private:
  ThinkLabConfig config_;
};

// Parts of the S2 recipe that can be left out, as jobs name them.
std::vector<std::string> s2_parts();
// Leaves one out. Throws Error for any other name.
void leave_out(const std::string& part, TextThinkingConfig& thinking);

// What the page says of results of these settings (think_report.cpp).
LabReport think_report(const ThinkLabConfig& config, const std::vector<LabResult>& results);

}  // namespace ebt
