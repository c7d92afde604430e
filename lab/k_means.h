// k-means clustering.
#pragma once

#include <cstdint>
#include <vector>

namespace ebt {

struct KMeansOptions {
  int64_t starts = 5;        // the best of so many is taken
  int64_t iterations = 100;  // of each, at most
  uint64_t seed = 0;
};

struct KMeans {
  std::vector<int32_t> clusters;  // (N) of each point, from 0
  double squares = 0;             // distances of all points from their means, squared and summed
};

// k-means++ (Arthur and Vassilvitskii, 2007) and Lloyd's iterations until one gains hardly
// anything, from several starts, of which the one of the least squares is taken. A group that loses
// all its points gets the point that is farthest from its own mean. Clusters are numbered by their
// first points; there are fewer of them where fewer points differ. `points` is (N, D), N at least
// `clusters`, which is at least 1. Does not depend on the number of threads, nor on the sign of a
// coordinate.
KMeans k_means(const std::vector<double>& points, int64_t width, int64_t clusters,
               const KMeansOptions& options);

}  // namespace ebt
