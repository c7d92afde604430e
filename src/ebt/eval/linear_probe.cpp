#include "ebt/eval/linear_probe.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "ebt/core/error.h"
#include "ebt/eval/lbfgs.h"
#include "ebt/kernels/gemm.h"

namespace ebt {
namespace {

// Sums over so many rows are taken by one thread, and added in order.
constexpr int64_t kRowChunk = 256;

// Turns a row of logits into the cotangents of its cross-entropy, which is returned.
double cross_entropy_row(float* logits, int64_t classes, int32_t wanted) {
  const double highest = static_cast<double>(*std::max_element(logits, logits + classes));
  double sum = 0;
  for (int64_t k = 0; k < classes; ++k) {
    sum += std::exp(static_cast<double>(logits[k]) - highest);
  }
  const double loss = std::log(sum) + highest - static_cast<double>(logits[wanted]);
  for (int64_t k = 0; k < classes; ++k) {
    const double share = std::exp(static_cast<double>(logits[k]) - highest) / sum;
    logits[k] = static_cast<float>(share - (k == wanted ? 1 : 0));
  }
  return loss;
}

void check(const ProbeData& data, int64_t classes) {
  EBT_CHECK(data.count() > 0 && data.width > 0 &&
                data.features.size() == static_cast<size_t>(data.count() * data.width),
            "linear probe: {} features of width {} for {} images", data.features.size(), data.width,
            data.count());
  for (const int32_t one : data.classes) {
    EBT_CHECK(one >= 0 && one < classes, "linear probe: class {} of {}", one, classes);
  }
}

// (N, classes) = features (N, D) weights^T + biases
void predict(const std::vector<float>& features, const std::vector<float>& weights, int64_t count,
             int64_t width, int64_t classes, std::vector<float>& logits) {
  const float* biases = weights.data() + classes * width;
  for (int64_t i = 0; i < count; ++i) {
    std::copy_n(biases, classes, logits.data() + i * classes);
  }
  kernels::multiply_nt<float>({features.data(), count, width, width},
                              {weights.data(), classes, width, width},
                              {logits.data(), count, classes, classes}, kernels::Write::kAdd);
}

// The mean loss of weights (and biases) on features, and its gradient, with the L2 term.
class ProbeObjective {
 public:
  ProbeObjective(const std::vector<float>& features, const ProbeData& data, int64_t classes,
                 double l2)
      : features_(features),
        data_(data),
        classes_(classes),
        l2_(l2),
        logits_(static_cast<size_t>(data.count() * classes)),
        slopes_(static_cast<size_t>(classes * (data.width + 1))) {}

  double operator()(const std::vector<double>& x, std::vector<double>& gradient) {
    const int64_t count = data_.count();
    const int64_t width = data_.width;
    const std::vector<float> weights(x.begin(), x.end());
    predict(features_, weights, count, width, classes_, logits_);
    std::vector<double> losses(static_cast<size_t>((count + kRowChunk - 1) / kRowChunk));
#pragma omp parallel for schedule(static)
    for (int64_t first = 0; first < count; first += kRowChunk) {
      for (int64_t i = first; i < std::min(first + kRowChunk, count); ++i) {
        losses[static_cast<size_t>(first / kRowChunk)] += cross_entropy_row(
            logits_.data() + i * classes_, classes_, data_.classes[static_cast<size_t>(i)]);
      }
    }
    kernels::multiply_tn<float, float>(
        {logits_.data(), count, classes_, classes_}, {features_.data(), count, width, width},
        {slopes_.data(), classes_, width, width}, kernels::Write::kReplace);
    std::vector<double> bias_slopes(static_cast<size_t>(classes_));
    for (size_t i = 0; i < logits_.size(); ++i) {
      bias_slopes[i % bias_slopes.size()] += static_cast<double>(logits_[i]);
    }
    double loss = 0;
    for (const double one : losses) {
      loss += one;
    }
    double squares = 0;
    const double share = 1 / static_cast<double>(count);
    const auto weight_count = static_cast<size_t>(classes_ * width);
    for (size_t i = 0; i < weight_count; ++i) {
      gradient[i] = share * static_cast<double>(slopes_[i]) + l2_ * x[i];
      squares += x[i] * x[i];
    }
    for (size_t k = 0; k < bias_slopes.size(); ++k) {
      gradient[weight_count + k] = share * bias_slopes[k];
    }
    return share * loss + l2_ / 2 * squares;
  }

 private:
  const std::vector<float>& features_;  // scaled
  const ProbeData& data_;
  int64_t classes_;
  double l2_;
  std::vector<float> logits_;
  std::vector<float> slopes_;
};

}  // namespace

LinearProbe::LinearProbe(const ProbeData& data, int64_t classes, const ProbeOptions& options,
                         const ProbeProgress& on_iteration)
    : width_(data.width),
      classes_(classes),
      mean_(static_cast<size_t>(data.width)),
      scale_(static_cast<size_t>(data.width)) {
  check(data, classes);
  const auto width = static_cast<size_t>(width_);
  std::vector<double> squares(width);
  for (size_t i = 0; i < data.features.size(); ++i) {
    mean_[i % width] += static_cast<double>(data.features[i]);
  }
  for (double& mean : mean_) {
    mean /= static_cast<double>(data.count());
    EBT_CHECK(std::isfinite(mean), "linear probe: a feature is not finite");
  }
  for (size_t i = 0; i < data.features.size(); ++i) {
    const double distance = static_cast<double>(data.features[i]) - mean_[i % width];
    squares[i % width] += distance * distance;
  }
  for (size_t i = 0; i < width; ++i) {
    const double deviation = std::sqrt(squares[i] / static_cast<double>(data.count()));
    scale_[i] = deviation > 1e-9 * std::abs(mean_[i]) ? 1 / deviation : 0;
  }
  const std::vector<float> features = scaled(data);
  ProbeObjective objective(features, data, classes, options.l2);
  const Minimum minimum =
      minimize([&](const std::vector<double>& x,
                   std::vector<double>& gradient) { return objective(x, gradient); },
               std::vector<double>(static_cast<size_t>(classes * (width_ + 1))),
               {.iterations = options.iterations, .gradient_share = 1e-4}, on_iteration);
  weights_.assign(minimum.x.begin(), minimum.x.end());
  iterations_ = minimum.iterations;
  objective_ = minimum.value;
}

std::vector<float> LinearProbe::scaled(const ProbeData& data) const {
  std::vector<float> features(data.features.size());
  const auto width = static_cast<size_t>(width_);
  for (size_t i = 0; i < features.size(); ++i) {
    features[i] = static_cast<float>((static_cast<double>(data.features[i]) - mean_[i % width]) *
                                     scale_[i % width]);
  }
  return features;
}

std::vector<float> LinearProbe::logits(const ProbeData& data) const {
  check(data, classes_);
  EBT_CHECK(data.width == width_, "linear probe: features of width {}, fitted to width {}",
            data.width, width_);
  std::vector<float> logits(static_cast<size_t>(data.count() * classes_));
  predict(scaled(data), weights_, data.count(), width_, classes_, logits);
  return logits;
}

LinearProbe::Score LinearProbe::score(const ProbeData& data) const {
  std::vector<float> rows = logits(data);
  Score score;
  for (int64_t i = 0; i < data.count(); ++i) {
    float* row = rows.data() + i * classes_;
    const int32_t wanted = data.classes[static_cast<size_t>(i)];
    int64_t before = 0;  // classes that are likelier, or as likely and lower
    for (int64_t k = 0; k < classes_; ++k) {
      before += row[k] > row[wanted] || (row[k] == row[wanted] && k < wanted) ? 1 : 0;
    }
    score.top1 += before < 1 ? 1 : 0;
    score.top5 += before < 5 ? 1 : 0;
    score.loss += cross_entropy_row(row, classes_, wanted);
  }
  const auto count = static_cast<double>(data.count());
  return {score.top1 / count, score.top5 / count, score.loss / count};
}

}  // namespace ebt
