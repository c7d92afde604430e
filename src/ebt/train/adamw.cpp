#include "ebt/train/adamw.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "ebt/dist/tree_sum.h"

namespace ebt {
namespace {

constexpr int64_t kSegmentElements = 16384;

// Of all parameters that learn.
std::vector<kernels::ParameterSegment> cut_into_segments(
    const ParameterLayout& layout, double default_decay,
    const std::vector<ParameterGroup>& groups) {
  std::vector<kernels::ParameterSegment> segments;
  for (const ParameterEntry& entry : layout.entries()) {
    const auto group =
        std::find_if(groups.begin(), groups.end(),
                     [&](const ParameterGroup& candidate) { return candidate.name == entry.name; });
    const bool grouped = group != groups.end();
    const double rate_multiplier = grouped ? group->rate_multiplier : 1.0;
    if (rate_multiplier == 0.0) {
      continue;
    }
    const double weight_decay = entry.weight_decay && !grouped ? default_decay : 0.0;
    const int64_t end = entry.offset + entry.shape.count();
    for (int64_t begin = entry.offset; begin < end; begin += kSegmentElements) {
      segments.push_back(
          {begin, std::min(begin + kSegmentElements, end), rate_multiplier, weight_decay});
    }
  }
  return segments;
}

// Where a layout may be cut: before segments, and at its end. What does not learn lies between
// them.
std::vector<int64_t> cuts_between(const std::vector<kernels::ParameterSegment>& segments,
                                  int64_t elements) {
  std::vector<int64_t> cuts{0};
  for (size_t i = 1; i < segments.size(); ++i) {
    cuts.push_back(segments[i].begin);
  }
  cuts.push_back(elements);
  return cuts;
}

}  // namespace

template <class T>
AdamW<T>::AdamW(const ParameterLayout& layout, const OptimizerConfig& config,
                const std::vector<ParameterGroup>& groups, Group& ranks)
    : layout_(&layout), config_(config), ranks_(&ranks) {
  const auto segments = cut_into_segments(layout, config.weight_decay, groups);
  const std::vector<int64_t> cuts = cuts_between(segments, layout.count());
  std::vector<int64_t> boundaries = choose_cuts(cuts, ranks.size());
  segment_shards_ = Shards(boundaries);
  for (int64_t& boundary : boundaries) {
    boundary = cuts[static_cast<size_t>(boundary)];
  }
  shards_ = Shards(std::move(boundaries));

  const ElementRange shard = shards_.of(ranks.rank());
  for (const kernels::ParameterSegment& segment : segments) {
    if (segment.begin >= shard.begin && segment.end <= shard.end) {
      segments_.push_back({segment.begin - shard.begin, segment.end - shard.begin,
                           segment.rate_multiplier, segment.weight_decay});
    }
  }
  first_moments_.resize(static_cast<size_t>(shard.count()));
  second_moments_.resize(static_cast<size_t>(shard.count()));
}

template <class T>
double AdamW<T>::gradient_norm(const ParameterBlock<T>& gradients) const {
  std::vector<double> squares(static_cast<size_t>(segment_shards_.all().count()));
  kernels::adamw<T>().square_sums(segments_.data(), static_cast<int64_t>(segments_.size()),
                                  gradients.all().data + shards_.of(ranks_->rank()).begin,
                                  squares.data() + segment_shards_.of(ranks_->rank()).begin);
  gather_shards(*ranks_, segment_shards_, squares.data());
  return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
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
  const int64_t first = shards_.of(ranks_->rank()).begin;
  kernels::adamw<T>().update(step, segments_.data(), static_cast<int64_t>(segments_.size()),
                             gradients.all().data + first, first_moments_.data(),
                             second_moments_.data(), weights.all().data + first);
  gather_shards(*ranks_, shards_, weights.all().data);
}

double clip_scale(double norm, double clip_norm) {
  return clip_norm > 0 ? std::min(1.0, clip_norm / (norm + 1e-6)) : 1.0;
}

template class AdamW<float>;
template class AdamW<double>;

}  // namespace ebt
