#include "ebt/eval/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ebt/core/error.h"

namespace ebt {
namespace {

std::vector<size_t> rising_order(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return values[a] < values[b]; });
  return order;
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

double pearson_correlation(std::span<const double> x, std::span<const double> y) {
  EBT_CHECK(x.size() == y.size(), "correlation: {} values against {}", x.size(), y.size());
  if (x.empty()) {
    return 0;
  }
  const double mean_x = mean(x);
  const double mean_y = mean(y);
  double xx = 0;
  double yy = 0;
  double xy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  return xx > 0 && yy > 0 ? std::clamp(xy / std::sqrt(xx) / std::sqrt(yy), -1.0, 1.0) : 0;
}

std::vector<double> ranks(std::span<const double> values) {
  const std::vector<size_t> order = rising_order(values);
  std::vector<double> result(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) {
      ++end;
    }
    for (size_t i = begin; i < end; ++i) {
      result[order[i]] = static_cast<double>(begin + 1 + end) / 2;
    }
    begin = end;
  }
  return result;
}

double spearman_correlation(std::span<const double> x, std::span<const double> y) {
  return pearson_correlation(ranks(x), ranks(y));
}

double area_under_roc(std::span<const double> scores, const std::vector<bool>& right) {
  EBT_CHECK(scores.size() == right.size(), "area under ROC: {} scores of {} predictions",
            scores.size(), right.size());
  const std::vector<double> rank = ranks(scores);
  double rank_sum = 0;
  double positives = 0;
  for (size_t i = 0; i < right.size(); ++i) {
    rank_sum += right[i] ? rank[i] : 0;
    positives += right[i] ? 1 : 0;
  }
  const double negatives = static_cast<double>(right.size()) - positives;
  if (positives == 0 || negatives == 0) {
    return 0.5;
  }
  return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}

std::vector<ReliabilityBin> reliability(std::span<const double> confidences,
                                        const std::vector<bool>& right, int64_t bins) {
  EBT_CHECK(confidences.size() == right.size() && bins >= 1,
            "reliability: {} confidences of {} predictions in {} bins", confidences.size(),
            right.size(), bins);
  const std::vector<size_t> order = rising_order(confidences);
  const auto most = static_cast<size_t>(bins);
  std::vector<ReliabilityBin> result;
  for (size_t begin = 0; begin < order.size();) {
    // An equal share of what is left; but after a bin that ties made large, no less than of all.
    const size_t left = most - std::min(result.size(), most - 1);
    const size_t share = std::max<size_t>({(order.size() - begin) / left, order.size() / most, 1});
    size_t end = std::min(begin + share, order.size());
    while (end < order.size() && confidences[order[end]] == confidences[order[end - 1]]) {
      ++end;
    }
    if (order.size() - end < share / 2) {
      end = order.size();
    }
    ReliabilityBin bin;
    for (size_t i = begin; i < end; ++i) {
      bin.confidence += confidences[order[i]];
      bin.accuracy += right[order[i]] ? 1 : 0;
    }
    bin.count = static_cast<int64_t>(end - begin);
    bin.confidence /= static_cast<double>(bin.count);
    bin.accuracy /= static_cast<double>(bin.count);
    result.push_back(bin);
    begin = end;
  }
  return result;
}

double expected_calibration_error(const std::vector<ReliabilityBin>& bins) {
  double error = 0;
  double count = 0;
  for (const ReliabilityBin& bin : bins) {
    error += static_cast<double>(bin.count) * std::abs(bin.confidence - bin.accuracy);
    count += static_cast<double>(bin.count);
  }
  return count > 0 ? error / count : 0;
}

}  // namespace ebt
