#include "ebt/eval/isotonic.h"

#include <algorithm>

namespace ebt {
namespace {

// The weighted mean of two observations.
Observation pooled(const Observation& a, const Observation& b) {
  const double weight = a.weight + b.weight;
  const double share = b.weight / weight;
  return {a.x + (b.x - a.x) * share, a.value + (b.value - a.value) * share, weight};
}

std::vector<Observation> without_ties(std::vector<Observation> observations) {
  std::stable_sort(observations.begin(), observations.end(),
                   [](const Observation& a, const Observation& b) { return a.x < b.x; });
  std::vector<Observation> result;
  for (const Observation& one : observations) {
    if (!result.empty() && result.back().x == one.x) {
      result.back() = pooled(result.back(), one);
    } else {
      result.push_back(one);
    }
  }
  return result;
}

}  // namespace

std::vector<Observation> isotonic_regression(std::vector<Observation> observations) {
  std::vector<Observation> distinct = without_ties(std::move(observations));
  struct Block {
    Observation mean;
    size_t count;  // of distinct observations
  };
  std::vector<Block> blocks;
  for (const Observation& one : distinct) {
    Block block = {one, 1};
    while (!blocks.empty() && blocks.back().mean.value >= block.mean.value) {
      block = {pooled(blocks.back().mean, block.mean), block.count + blocks.back().count};
      blocks.pop_back();
    }
    blocks.push_back(block);
  }
  auto next = distinct.begin();
  for (const Block& block : blocks) {
    for (size_t i = 0; i < block.count; ++i) {
      (next++)->value = block.mean.value;
    }
  }
  return distinct;
}

std::vector<Observation> isotonic_knots(const std::vector<Observation>& fitted, int64_t knots) {
  double total = 0;
  for (const Observation& one : fitted) {
    total += one.weight;
  }
  const double share = total / static_cast<double>(knots);
  std::vector<Observation> result;
  bool is_open = false;  // the last knot still takes observations
  for (const Observation& one : fitted) {
    if (is_open) {
      result.back() = pooled(result.back(), one);
    } else {
      result.push_back(one);
    }
    is_open = result.back().weight < share || static_cast<int64_t>(result.size()) == knots;
  }
  // What is left at the end can be little.
  if (result.size() > 1 && result.back().weight < share / 2) {
    const Observation rest = result.back();
    result.pop_back();
    result.back() = pooled(result.back(), rest);
  }
  // Rounding of the means must not undo what the regression guarantees.
  for (size_t i = 1; i < result.size(); ++i) {
    result[i].value = std::max(result[i].value, result[i - 1].value);
  }
  return result;
}

}  // namespace ebt
