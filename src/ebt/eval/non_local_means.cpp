#include "ebt/eval/non_local_means.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ebt/core/error.h"
#include "ebt/think/tile_grid.h"

namespace ebt {
namespace {

// Rows that one thread filters at a time. Not a function of the number of threads, on which the
// order of sums must not depend.
constexpr int64_t kBandRows = 32;

// Planes (C, H + 2 margin, W + 2 margin) of an image and of its reflection around it.
class PaddedPlanes {
 public:
  PaddedPlanes(Tensor<const float> planes, int64_t margin)
      : margin_(margin), height_(planes.dim(1)), row_(planes.dim(2) + 2 * margin) {
    values_.reserve(static_cast<size_t>(planes.dim(0) * (height_ + 2 * margin) * row_));
    for (int64_t channel = 0; channel < planes.dim(0); ++channel) {
      const Tensor<const float> plane = planes.slice(channel, 1);
      for (int64_t y = -margin; y < height_ + margin; ++y) {
        const float* from = plane.data + reflected(y, height_) * planes.dim(2);
        for (int64_t x = -margin; x < planes.dim(2) + margin; ++x) {
          values_.push_back(from[reflected(x, planes.dim(2))]);
        }
      }
    }
  }

  // Coordinates of the image; from -margin on.
  const float* at(int64_t channel, int64_t y, int64_t x) const {
    const int64_t rows = height_ + 2 * margin_;
    return values_.data() + ((channel * rows + y + margin_) * row_ + x + margin_);
  }

 private:
  int64_t margin_;
  int64_t height_;
  int64_t row_;
  std::vector<float> values_;
};

// exp(-distance) for distances from 0, to 1e-5 of itself, and 1e-14 for all above 32. Without a
// call or a comparison, so that the compiler makes vectors of it: most of the filter's time is
// spent here.
inline float exp_of_negative(float distance) {
  constexpr float kFarthest = 32;
  const float nearer = (distance + kFarthest - std::abs(distance - kFarthest)) / 2;
  const float x = nearer * (-1.0F / 64);  // exp(64 x), from exp(x) near 1
  // The series of exp(x) to its seventh term, from the end: 1 + x (1 + x/2 (1 + x/3 (...))).
  float result = 1;
  for (int term = 7; term >= 1; --term) {
    result = 1 + x * result * (1.0F / static_cast<float>(term));
  }
  for (int doubling = 0; doubling < 6; ++doubling) {
    result *= result;
  }
  return result;
}

// A matrix whose rows are summed over windows of 2 radius + 1 rows and columns.
class BoxSums {
 public:
  // `in` is (rows + 2 radius, columns + 2 radius), `out` (rows, columns).
  BoxSums(int64_t rows, int64_t columns, int64_t radius)
      : rows_(rows),
        columns_(columns),
        side_(2 * radius + 1),
        column_sums_(static_cast<size_t>(columns + 2 * radius)) {}

  void sum(const float* in, float* out) {
    const auto in_columns = static_cast<int64_t>(column_sums_.size());
    for (int64_t y = 0; y < rows_; ++y) {
      std::copy_n(in + y * in_columns, in_columns, column_sums_.begin());
      for (int64_t i = 1; i < side_; ++i) {
        const float* row = in + (y + i) * in_columns;
        for (int64_t x = 0; x < in_columns; ++x) {
          column_sums_[static_cast<size_t>(x)] += row[x];
        }
      }
      float* to = out + y * columns_;
      std::copy_n(column_sums_.begin(), columns_, to);
      for (int64_t i = 1; i < side_; ++i) {
        const float* from = column_sums_.data() + i;
        for (int64_t x = 0; x < columns_; ++x) {
          to[x] += from[x];
        }
      }
    }
  }

 private:
  int64_t rows_, columns_, side_;
  std::vector<float> column_sums_;
};

// The filter on rows [top, top + rows) of an image. Patches that hold a pixel of these have their
// centres up to f outside, and reach f farther.
class BandFilter {
 public:
  BandFilter(const PaddedPlanes& noisy, int64_t channels, int64_t width, int64_t top, int64_t rows,
             double deviation, const NonLocalMeansOptions& options)
      : noisy_(noisy),
        channels_(channels),
        width_(width),
        top_(top),
        rows_(rows),
        f_(options.patch_radius),
        radius_(options.search_radius),
        patch_sums_(rows + 2 * f_, width + 2 * f_, f_),
        pixel_sums_(rows, width, f_),
        squares_(static_cast<size_t>((rows + 4 * f_) * (width + 4 * f_))),
        weights_(static_cast<size_t>((rows + 2 * f_) * (width + 2 * f_))),
        totals_(weights_.size()),
        shares_(static_cast<size_t>(rows * width)),
        sums_(static_cast<size_t>(channels * rows * width)) {
    const auto side = static_cast<double>(2 * f_ + 1);
    const double h = options.strength * deviation;
    scale_ = static_cast<float>(1 / (side * side * static_cast<double>(channels) * h * h));
    offset_ = static_cast<float>(2 * deviation * deviation / (h * h));
  }

  // Writes the rows to `result` (C, H, W).
  void run(Tensor<float> result) {
    for_every_offset([&](int64_t dy, int64_t dx) {
      weigh(dy, dx);
      for (size_t i = 0; i < weights_.size(); ++i) {
        totals_[i] += weights_[i];
      }
    });
    const auto side = static_cast<float>(2 * f_ + 1);
    for (float& total : totals_) {
      total = 1 / (total * side * side);
    }
    for_every_offset([&](int64_t dy, int64_t dx) {
      weigh(dy, dx);
      for (size_t i = 0; i < weights_.size(); ++i) {
        weights_[i] *= totals_[i];
      }
      pixel_sums_.sum(weights_.data(), shares_.data());
      for (int64_t channel = 0; channel < channels_; ++channel) {
        for (int64_t y = 0; y < rows_; ++y) {
          const float* from = noisy_.at(channel, top_ + y + dy, dx);
          const float* share = shares_.data() + y * width_;
          float* to = sums_.data() + (channel * rows_ + y) * width_;
          for (int64_t x = 0; x < width_; ++x) {
            to[x] += share[x] * from[x];
          }
        }
      }
    });
    for (int64_t channel = 0; channel < channels_; ++channel) {
      std::copy_n(sums_.begin() + channel * rows_ * width_, rows_ * width_,
                  result.data + (channel * result.dim(1) + top_) * width_);
    }
  }

 private:
  template <class Visit>
  void for_every_offset(Visit&& visit) {
    for (int64_t dy = -radius_; dy <= radius_; ++dy) {
      for (int64_t dx = -radius_; dx <= radius_; ++dx) {
        visit(dy, dx);
      }
    }
  }

  // The weights of all patches with those that lie (dy, dx) away.
  void weigh(int64_t dy, int64_t dx) {
    const int64_t columns = width_ + 4 * f_;
    std::fill(squares_.begin(), squares_.end(), 0.0F);
    for (int64_t channel = 0; channel < channels_; ++channel) {
      for (int64_t y = 0; y < rows_ + 4 * f_; ++y) {
        const float* here = noisy_.at(channel, top_ + y - 2 * f_, -2 * f_);
        const float* there = noisy_.at(channel, top_ + y - 2 * f_ + dy, dx - 2 * f_);
        float* square = squares_.data() + y * columns;
        for (int64_t x = 0; x < columns; ++x) {
          const float difference = here[x] - there[x];
          square[x] += difference * difference;
        }
      }
    }
    patch_sums_.sum(squares_.data(), weights_.data());
    const float scale = scale_;
    const float offset = offset_;
    for (float& weight : weights_) {
      const float distance = weight * scale - offset;
      weight = exp_of_negative((distance + std::abs(distance)) / 2);
    }
  }

  const PaddedPlanes& noisy_;
  int64_t channels_, width_, top_, rows_;
  int64_t f_, radius_;
  float scale_ = 0;
  float offset_ = 0;
  BoxSums patch_sums_, pixel_sums_;
  std::vector<float> squares_;  // (rows + 4f, W + 4f) of differences, over all channels
  std::vector<float> weights_;  // (rows + 2f, W + 2f) of patches, by their centres
  std::vector<float> totals_;   // likewise: the sum of their weights, then what they are divided by
  std::vector<float> shares_;   // (rows, W) what an offset gives to every pixel
  std::vector<float> sums_;     // (C, rows, W)
};

struct Setting {
  double up_to;
  NonLocalMeansOptions options;
};
constexpr Setting kColour[] = {{25, {1, 10, 0.55}}, {55, {2, 17, 0.40}}, {100, {3, 17, 0.35}}};
constexpr Setting kGrey[] = {{15, {1, 10, 0.40}},
                             {30, {2, 10, 0.40}},
                             {45, {3, 17, 0.35}},
                             {75, {4, 17, 0.35}},
                             {100, {5, 17, 0.30}}};

template <size_t N>
NonLocalMeansOptions setting_of(const Setting (&settings)[N], double sigma) {
  for (const Setting& setting : settings) {
    if (sigma <= setting.up_to) {
      return setting.options;
    }
  }
  return settings[N - 1].options;
}

}  // namespace

NonLocalMeansOptions NonLocalMeansOptions::for_noise(double sigma, int64_t channels) {
  return channels == 1 ? setting_of(kGrey, sigma) : setting_of(kColour, sigma);
}

void non_local_means(Tensor<const float> noisy, double deviation,
                     const NonLocalMeansOptions& options, Tensor<float> result) {
  EBT_CHECK(noisy.shape == result.shape && noisy.shape.rank() == 3 && noisy.count() > 0,
            "non-local means: {} into {}", noisy.shape.to_string(), result.shape.to_string());
  EBT_CHECK(deviation > 0, "non-local means: a deviation of {} is not above 0", deviation);
  const int64_t height = noisy.dim(1);
  const PaddedPlanes padded(noisy, options.search_radius + 2 * options.patch_radius);
#pragma omp parallel for schedule(dynamic)
  for (int64_t top = 0; top < height; top += kBandRows) {
    BandFilter(padded, noisy.dim(0), noisy.dim(2), top, std::min(kBandRows, height - top),
               deviation, options)
        .run(result);
  }
}

}  // namespace ebt
