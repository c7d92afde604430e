#include "lab/k_means.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <utility>

#include "lab/draws.h"

namespace ebt {
namespace {

// So many points are one thread's at a time.
constexpr size_t kChunk = 1024;
// An iteration that gains a smaller share of the squares is the last: what follows moves points
// that lie between two groups to and fro.
constexpr double kLeastGain = 1e-4;

// One start.
class Run {
 public:
  Run(const std::vector<double>& points, size_t width, size_t clusters, Draws draws)
      : points_(points),
        width_(width),
        clusters_(clusters),
        count_(points.size() / width),
        draws_(draws),
        means_(clusters * width),
        of_(count_, -1),
        distances_(count_) {}

  KMeans result(int64_t iterations) {
    choose_means();
    bool changed = assign();
    double squares = sum_of_squares();
    for (int64_t i = 0; i < iterations && changed; ++i) {
      move_means();
      changed = assign();
      const double before = squares;
      squares = sum_of_squares();
      if (squares > (1 - kLeastGain) * before) {
        break;
      }
    }
    return {std::move(of_), squares};
  }

 private:
  const double* point(size_t i) const { return points_.data() + i * width_; }
  double squared_distance(const double* a, const double* b) const {
    double sum = 0;
    for (size_t d = 0; d < width_; ++d) {
      sum += (a[d] - b[d]) * (a[d] - b[d]);
    }
    return sum;
  }

  double sum_of_squares() const {
    return std::accumulate(distances_.begin(), distances_.end(), 0.0);
  }

  // k-means++: every further mean is a point, drawn by its squared distance from the nearest of
  // the earlier ones.
  void choose_means() {
    std::vector<double> nearest(count_, std::numeric_limits<double>::infinity());
    auto chosen = static_cast<size_t>(draws_.below(static_cast<int64_t>(count_)));
    for (size_t k = 0; k < clusters_; ++k) {
      if (k > 0) {
        chosen = drawn_by(nearest);
      }
      std::copy_n(point(chosen), width_, means_.begin() + static_cast<int64_t>(k * width_));
#pragma omp parallel for schedule(static)
      for (size_t i = 0; i < count_; ++i) {
        nearest[i] = std::min(nearest[i], squared_distance(point(i), point(chosen)));
      }
    }
  }

  // A point, by its weight; any where all weights are 0.
  size_t drawn_by(const std::vector<double>& weights) {
    double rest = draws_.uniform() * std::accumulate(weights.begin(), weights.end(), 0.0);
    size_t last = 0;  // of those that have a weight
    for (size_t i = 0; i < count_; ++i) {
      if (weights[i] > 0) {
        rest -= weights[i];
        last = i;
        if (rest < 0) {
          break;
        }
      }
    }
    return last;
  }

  // Gives every point to its nearest mean, the lowest of equals; whether any changed. Means lie
  // beside each other for every coordinate, so that the inner loop is one of vectors.
  bool assign() {
    std::vector<double> columns(means_.size());  // (D, K)
    for (size_t k = 0; k < clusters_; ++k) {
      for (size_t d = 0; d < width_; ++d) {
        columns[d * clusters_ + k] = means_[k * width_ + d];
      }
    }
    bool changed = false;
#pragma omp parallel for schedule(static) reduction(|| : changed)
    for (size_t first = 0; first < count_; first += kChunk) {
      std::vector<double> squares(clusters_);
      for (size_t i = first; i < std::min(first + kChunk, count_); ++i) {
        std::fill(squares.begin(), squares.end(), 0);
        for (size_t d = 0; d < width_; ++d) {
          const double coordinate = point(i)[d];
          const double* column = columns.data() + d * clusters_;
          for (size_t k = 0; k < clusters_; ++k) {
            squares[k] += (coordinate - column[k]) * (coordinate - column[k]);
          }
        }
        const auto nearest = std::min_element(squares.begin(), squares.end());
        const auto cluster = static_cast<int32_t>(nearest - squares.begin());
        changed = changed || cluster != of_[i];
        of_[i] = cluster;
        distances_[i] = *nearest;
      }
    }
    return changed;
  }

  void move_means() {
    std::fill(means_.begin(), means_.end(), 0);
    std::vector<int64_t> sizes(clusters_);
    for (size_t i = 0; i < count_; ++i) {
      const auto k = static_cast<size_t>(of_[i]);
      ++sizes[k];
      for (size_t d = 0; d < width_; ++d) {
        means_[k * width_ + d] += point(i)[d];
      }
    }
    for (size_t k = 0; k < clusters_; ++k) {
      double* mean = means_.data() + k * width_;
      if (sizes[k] == 0) {
        const auto farthest = static_cast<size_t>(
            std::max_element(distances_.begin(), distances_.end()) - distances_.begin());
        std::copy_n(point(farthest), width_, mean);
        distances_[farthest] = 0;  // the next empty group gets another
        continue;
      }
      for (size_t d = 0; d < width_; ++d) {
        mean[d] /= static_cast<double>(sizes[k]);
      }
    }
  }

  const std::vector<double>& points_;
  size_t width_;
  size_t clusters_;
  size_t count_;
  Draws draws_;
  std::vector<double> means_;  // (K, D)
  std::vector<int32_t> of_;
  std::vector<double> distances_;  // squared, from the own mean
};

void number_by_first_points(std::vector<int32_t>& clusters, size_t count) {
  std::vector<int32_t> numbers(count, -1);
  int32_t next = 0;
  for (int32_t& cluster : clusters) {
    int32_t& number = numbers[static_cast<size_t>(cluster)];
    if (number < 0) {
      number = next++;
    }
    cluster = number;
  }
}

}  // namespace

KMeans k_means(const std::vector<double>& points, int64_t width, int64_t clusters,
               const KMeansOptions& options) {
  KMeans best;
  for (int64_t start = 0; start < options.starts; ++start) {
    Run run(points, static_cast<size_t>(width), static_cast<size_t>(clusters),
            Draws(options.seed, LabPart::kClusters, static_cast<uint64_t>(start)));
    KMeans found = run.result(options.iterations);
    if (start == 0 || found.squares < best.squares) {
      best = std::move(found);
    }
  }
  number_by_first_points(best.clusters, static_cast<size_t>(clusters));
  return best;
}

}  // namespace ebt
