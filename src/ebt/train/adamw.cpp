#include "ebt/train/adamw.h"

#include <algorithm>
#include <cmath>

namespace ebt {
namespace {

constexpr int64_t kSegmentElements = 16384;

}  // namespace

template <class T>
AdamW<T>::AdamW(const ParameterLayout& layout, const OptimizerConfig& config,
                const std::vector<ParameterGroup>& groups)
    : config_(config), first_moments_(layout), second_moments_(layout) {
  for (const ParameterEntry& entry : layout.entries()) {
    const auto group =
        std::find_if(groups.begin(), groups.end(),
                     [&](const ParameterGroup& candidate) { return candidate.name == entry.name; });
    const bool grouped = group != groups.end();
    const double rate_multiplier = grouped ? group->rate_multiplier : 1.0;
    if (rate_multiplier == 0.0) {
      continue;
    }
    const double weight_decay = entry.weight_decay && !grouped ? config.weight_decay : 0.0;
    const int64_t end = entry.offset + entry.shape.count();
    for (int64_t begin = entry.offset; begin < end; begin += kSegmentElements) {
      segments_.push_back(
          {begin, std::min(begin + kSegmentElements, end), rate_multiplier, weight_decay});
    }
  }
}

template <class T>
double AdamW<T>::gradient_norm(const ParameterBlock<T>& gradients) const {
  double squares = 0;
  kernels::adamw<T>().square_sum(segments_.data(), static_cast<int64_t>(segments_.size()),
                                 gradients.all().data, &squares);
  return std::sqrt(squares);
}

template <class T>
void AdamW<T>::update(ParameterBlock<T>& weights, const ParameterBlock<T>& gradients,
                      double learning_rate, double gradient_scale) {
  ++update_count_;
  const auto updates = static_cast<double>(update_count_);
  const kernels::AdamWStep<T> step{
      .learning_rate = learning_rate,
      .correction1 = 1.0 - std::pow(config_.beta1, updates),
      .root_correction2 = static_cast<T>(std::sqrt(1.0 - std::pow(config_.beta2, updates))),
      .gradient_scale = static_cast<T>(gradient_scale),
      .beta1 = static_cast<T>(config_.beta1),
      .beta2 = static_cast<T>(config_.beta2),
      .rest1 = static_cast<T>(1.0 - config_.beta1),
      .rest2 = static_cast<T>(1.0 - config_.beta2),
      .epsilon = static_cast<T>(config_.epsilon)};
  kernels::adamw<T>().update(step, segments_.data(), static_cast<int64_t>(segments_.size()),
                             gradients.all().data, first_moments_.all().data,
                             second_moments_.all().data, weights.all().data);
}

double clip_scale(double norm, double clip_norm) {
  return clip_norm > 0 ? std::min(1.0, clip_norm / (norm + 1e-6)) : 1.0;
}

template class AdamW<float>;
template class AdamW<double>;

}  // namespace ebt
