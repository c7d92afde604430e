// Queries on the results of `ebt lab think`, by puzzle, learner, level and way of thinking.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lab/lab.h"
#include "lab/spread.h"

namespace ebt {

// One way of thinking on one level, of one model.
struct ThinkPoint {
  std::string puzzle, learner;
  std::string without;  // the part of the recipe s2 that was left out; empty: none
  int64_t seed = 0;
  int64_t level = 0;
  std::string level_name;
  std::string sizes;     // of the level's examples: "5–8"
  bool trained = false;  // whether the level was in the range of training
  int64_t steps = 0;     // 0: a Transformer++
  int64_t candidates = 1;
  double stop = 0;
  double accuracy = 0, token_accuracy = 0;
  double loss = 0;    // nats per token
  double passes = 0;  // forward passes per token
};

using ThinkFilter = std::function<bool(const ThinkPoint&)>;
// A learner with nothing left out, choosing among no candidates and never stopping early.
ThinkFilter plain(const std::string& learner, int64_t steps);
// Likewise of s2, without a part (or with all, of "").
ThinkFilter without(const std::string& part, int64_t steps);
ThinkFilter of_puzzle(const std::string& puzzle);
ThinkFilter of_level(int64_t level);
// Levels beyond the range of training, and those within.
ThinkFilter beyond();
ThinkFilter within();
ThinkFilter both(ThinkFilter first, ThinkFilter second);

class ThinkFindings {
 public:
  // `grid` are the numbers of steps that were asked for.
  ThinkFindings(const std::vector<LabResult>& results, std::vector<int64_t> grid);

  const std::vector<ThinkPoint>& points() const { return points_; }
  const std::vector<int64_t>& grid() const { return grid_; }  // rising
  int64_t longest() const { return grid_.back(); }
  // The number of the grid that is nearest to how long the learner thought in training.
  int64_t usual(const std::string& learner) const;

  // A model's value is the mean over its points that pass. Over models:
  Spread spread(const ThinkFilter& passes, double ThinkPoint::*value = &ThinkPoint::accuracy) const;
  // First minus second, of every pair of models of the same puzzle and seed, in their order.
  std::vector<double> differences(const ThinkFilter& first, const ThinkFilter& second,
                                  double ThinkPoint::*value = &ThinkPoint::accuracy) const;

 private:
  std::map<std::pair<std::string, int64_t>, double> by_model(const ThinkFilter& passes,
                                                             double ThinkPoint::*value) const;

  std::vector<ThinkPoint> points_;
  std::vector<int64_t> grid_;
};

}  // namespace ebt
