#include "ebt/eval/image_quality.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "ebt/core/error.h"

namespace ebt {
namespace {

constexpr double kBrightest = 255;

void check_same_size(const Image& a, const Image& b) {
  EBT_CHECK(a.height == b.height && a.width == b.width && a.channels == b.channels &&
                a.pixels.size() == b.pixels.size() && !a.pixels.empty(),
            "image quality: {} x {} pixels of {} channels beside {} x {} of {}", a.height, a.width,
            a.channels, b.height, b.width, b.channels);
}

// Weights of a window along an axis of `length` pixels; they sum to 1.
std::vector<double> window_of(int64_t length) {
  constexpr int64_t kWindow = 11;
  constexpr double kDeviation = 1.5;
  const int64_t size = std::min(kWindow, length);
  std::vector<double> window(static_cast<size_t>(size));
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) {
    const double distance = static_cast<double>(i) - static_cast<double>(size - 1) / 2;
    window[static_cast<size_t>(i)] = std::exp(-distance * distance / (2 * kDeviation * kDeviation));
    sum += window[static_cast<size_t>(i)];
  }
  for (double& weight : window) {
    weight /= sum;
  }
  return window;
}

// Weighted means within a window, of two images and of their products.
enum Moment { kA, kB, kAA, kBB, kAB, kMoments };
using Moments = std::array<double, kMoments>;

double similarity(const Moments& mean) {
  constexpr double kC1 = (0.01 * kBrightest) * (0.01 * kBrightest);
  constexpr double kC2 = (0.03 * kBrightest) * (0.03 * kBrightest);
  const double a = mean[kA];
  const double b = mean[kB];
  const double variances = mean[kAA] - a * a + mean[kBB] - b * b;
  const double covariance = mean[kAB] - a * b;
  return (2 * a * b + kC1) * (2 * covariance + kC2) / ((a * a + b * b + kC1) * (variances + kC2));
}

// The sum over all windows whose first row is `top`. Windows are products: rows first, then
// columns.
double similarity_of_row(const Image& image, const Image& reference, int64_t top, int64_t channel,
                         const std::vector<double>& rows, const std::vector<double>& columns) {
  std::vector<Moments> column_means(static_cast<size_t>(image.width), Moments{});
  for (size_t row = 0; row < rows.size(); ++row) {
    const int64_t y = top + static_cast<int64_t>(row);
    for (int64_t x = 0; x < image.width; ++x) {
      const auto at = static_cast<size_t>((y * image.width + x) * image.channels + channel);
      const double a = image.pixels[at];
      const double b = reference.pixels[at];
      Moments& mean = column_means[static_cast<size_t>(x)];
      mean[kA] += rows[row] * a;
      mean[kB] += rows[row] * b;
      mean[kAA] += rows[row] * a * a;
      mean[kBB] += rows[row] * b * b;
      mean[kAB] += rows[row] * a * b;
    }
  }
  double sum = 0;
  for (size_t left = 0; left + columns.size() <= column_means.size(); ++left) {
    Moments mean{};
    for (size_t column = 0; column < columns.size(); ++column) {
      for (size_t moment = 0; moment < kMoments; ++moment) {
        mean[moment] += columns[column] * column_means[left + column][moment];
      }
    }
    sum += similarity(mean);
  }
  return sum;
}

// [0, 1], from [-1, 1].
double unit_value(float pixel) {
  return std::clamp((static_cast<double>(pixel) + 1) / 2, 0.0, 1.0);
}

}  // namespace

double mean_squared_error(const Image& image, const Image& reference) {
  check_same_size(image, reference);
  int64_t sum = 0;
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    const int difference = image.pixels[i] - reference.pixels[i];
    sum += difference * difference;
  }
  return static_cast<double>(sum) / static_cast<double>(image.pixels.size());
}

double psnr_of(double mse) {
  return mse > 0 ? 10 * std::log10(kBrightest * kBrightest / mse)
                 : std::numeric_limits<double>::infinity();
}

double structural_similarity(const Image& image, const Image& reference) {
  check_same_size(image, reference);
  const std::vector<double> rows = window_of(image.height);
  const std::vector<double> columns = window_of(image.width);
  const int64_t tops = image.height - static_cast<int64_t>(rows.size()) + 1;
  const int64_t lefts = image.width - static_cast<int64_t>(columns.size()) + 1;
  // A sum for each row of windows, so that it does not depend on the number of threads.
  std::vector<double> sums(static_cast<size_t>(tops * image.channels));
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < tops * image.channels; ++i) {
    sums[static_cast<size_t>(i)] =
        similarity_of_row(image, reference, i / image.channels, i % image.channels, rows, columns);
  }
  double sum = 0;
  for (const double one : sums) {
    sum += one;
  }
  return sum / static_cast<double>(tops * lefts * image.channels);
}

ImageQuality image_quality(Tensor<const float> planes, Tensor<const float> reference) {
  EBT_CHECK(planes.shape == reference.shape && planes.count() > 0, "image quality: {} beside {}",
            planes.shape.to_string(), reference.shape.to_string());
  const Image image = from_planes(planes);
  const Image clean = from_planes(reference);
  ImageQuality quality;
  quality.mse = mean_squared_error(image, clean);
  quality.psnr = psnr_of(quality.mse);
  quality.ssim = structural_similarity(image, clean);
  double sum = 0;
  for (int64_t i = 0; i < planes.count(); ++i) {
    const double difference = unit_value(planes[i]) - unit_value(reference[i]);
    sum += difference * difference;
  }
  quality.unit_mse = sum / static_cast<double>(planes.count());
  return quality;
}

}  // namespace ebt
