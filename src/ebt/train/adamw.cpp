#include "ebt/train/adamw.h"

#include <algorithm>
#include <cmath>

namespace ebt {
namespace {

constexpr int64_t kChunkElements = 16384;

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
    for (int64_t begin = entry.offset; begin < end; begin += kChunkElements) {
      chunks_.push_back(
          {begin, std::min(begin + kChunkElements, end), rate_multiplier, weight_decay});
    }
  }
}

template <class T>
double AdamW<T>::gradient_norm(const ParameterBlock<T>& gradients) const {
  const T* const g = gradients.all().data;
  const auto chunk_count = static_cast<int64_t>(chunks_.size());
  std::vector<double> squares(chunks_.size());
#pragma omp parallel for schedule(static)
  for (int64_t c = 0; c < chunk_count; ++c) {
    const Chunk& chunk = chunks_[static_cast<size_t>(c)];
    double sum = 0;
    for (int64_t i = chunk.begin; i < chunk.end; ++i) {
      sum += static_cast<double>(g[i]) * static_cast<double>(g[i]);
    }
    squares[static_cast<size_t>(c)] = sum;
  }
  double total = 0;
  for (const double square : squares) {
    total += square;
  }
  return std::sqrt(total);
}

template <class T>
void AdamW<T>::update(ParameterBlock<T>& weights, const ParameterBlock<T>& gradients,
                      double learning_rate, double gradient_scale) {
  ++update_count_;
  const auto updates = static_cast<double>(update_count_);
  const double correction1 = 1.0 - std::pow(config_.beta1, updates);
  const double correction2 = 1.0 - std::pow(config_.beta2, updates);

  T* const w = weights.all().data;
  T* const m = first_moments_.all().data;
  T* const v = second_moments_.all().data;
  const T* const g = gradients.all().data;
  const T scale = static_cast<T>(gradient_scale);
  const T beta1 = static_cast<T>(config_.beta1);
  const T beta2 = static_cast<T>(config_.beta2);
  const T rest1 = static_cast<T>(1.0 - config_.beta1);
  const T rest2 = static_cast<T>(1.0 - config_.beta2);
  const T epsilon = static_cast<T>(config_.epsilon);
  const T root_correction2 = static_cast<T>(std::sqrt(correction2));

  const auto chunk_count = static_cast<int64_t>(chunks_.size());
#pragma omp parallel for schedule(static)
  for (int64_t c = 0; c < chunk_count; ++c) {
    const Chunk& chunk = chunks_[static_cast<size_t>(c)];
    const double rate = learning_rate * chunk.rate_multiplier;
    const T keep = static_cast<T>(1.0 - rate * chunk.weight_decay);
    const T step = static_cast<T>(rate / correction1);
#pragma omp simd
    for (int64_t i = chunk.begin; i < chunk.end; ++i) {
      const T gradient = scale * g[i];
      m[i] = beta1 * m[i] + rest1 * gradient;
      v[i] = beta2 * v[i] + rest2 * gradient * gradient;
      w[i] = keep * w[i] - step * m[i] / (std::sqrt(v[i]) / root_correction2 + epsilon);
    }
  }
}

double clip_scale(double norm, double clip_norm) {
  return clip_norm > 0 ? std::min(1.0, clip_norm / (norm + 1e-6)) : 1.0;
}

template class AdamW<float>;
template class AdamW<double>;

}  // namespace ebt
