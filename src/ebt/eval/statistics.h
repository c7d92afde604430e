// Correlations, the area under a ROC curve, and reliability of probabilities.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ebt {

// Pearson's correlation, -1 to 1; 0 where either does not vary. The spans are equally long.
double pearson_correlation(std::span<const double> x, std::span<const double> y);

// Spearman's: that of the ranks, equal values sharing the mean of their ranks.
double spearman_correlation(std::span<const double> x, std::span<const double> y);

// Ranks from 1; equal values share the mean of their ranks.
std::vector<double> ranks(std::span<const double> values);

// The probability that a right one scores higher than a wrong one, ties counting half: the area
// under the curve of a detector of being right. 0.5 where all are right, or all wrong.
double area_under_roc(std::span<const double> scores, const std::vector<bool>& right);

// Predictions of about the same confidence.
struct ReliabilityBin {
  int64_t count = 0;
  double confidence = 0;  // mean probability of being right, as claimed
  double accuracy = 0;    // share that was right
};

// At most `bins` bins of nearly as many predictions each, by rising confidence. Equal confidences
// share a bin, so that the bins do not depend on the order of the predictions.
std::vector<ReliabilityBin> reliability(std::span<const double> confidences,
                                        const std::vector<bool>& right, int64_t bins);

// Expected calibration error: the mean over predictions of |confidence - accuracy| of their bins.
double expected_calibration_error(const std::vector<ReliabilityBin>& bins);

}  // namespace ebt
