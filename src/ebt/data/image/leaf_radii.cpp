#include "ebt/data/image/leaf_radii.h"

#include <cmath>
#include <numbers>

namespace ebt {

LeafRadii::LeafRadii(double low, double high, double height, double width)
    : low_(low), high_(high), logarithm_(std::log(high / low)) {
  weights_ = {height * width * (1 / (low * low) - 1 / (high * high)) / 2,
              2 * (height + width) * (1 / low - 1 / high), 4 * logarithm_};
}

uint64_t LeafRadii::count(double cover) const {
  // A disc covers pi r^2: over all radii pi times the logarithm, in the units of the weights.
  const double sum = weights_[0] + weights_[1] + weights_[2];
  return static_cast<uint64_t>(std::ceil(cover * sum / (std::numbers::pi * logarithm_)));
}

double LeafRadii::at(double which, double u) const {
  const double ratio = low_ / high_;
  which *= weights_[0] + weights_[1] + weights_[2];
  if (which < weights_[0]) {
    return low_ / std::sqrt(1 - u * (1 - ratio * ratio));
  }
  if (which < weights_[0] + weights_[1]) {
    return low_ / (1 - u * (1 - ratio));
  }
  return low_ * std::exp(u * logarithm_);
}

}  // namespace ebt
