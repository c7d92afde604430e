#include "lab/spectral_clustering.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include "ebt/core/error.h"
#include "lab/k_means.h"
#include "lab/leading_eigenpairs.h"

namespace ebt {
namespace {

// Of eigenvectors: a hundredth of a radian where eigenvalues differ by a hundredth. Those that
// differ by less mean as much one way as another.
constexpr double kTolerance = 1e-4;

// D^-1/2 (A + tau / N) D^-1/2, where D also counts what was added.
class NormalizedAdjacency {
 public:
  // Edges in order, so that their sums do not depend on the order in which they were given.
  NormalizedAdjacency(const std::vector<GraphEdge>& edges, size_t nodes)
      : starts_(nodes + 1),
        added_(2 * static_cast<double>(edges.size()) / static_cast<double>(nodes)),
        scales_(nodes) {
    for (const GraphEdge& edge : edges) {
      ++starts_[static_cast<size_t>(edge.from) + 1];
      ++starts_[static_cast<size_t>(edge.to) + 1];
    }
    for (size_t i = 0; i < nodes; ++i) {
      scales_[i] = 1 / std::sqrt(static_cast<double>(starts_[i + 1]) + added_);
      starts_[i + 1] += starts_[i];
    }
    neighbours_.resize(2 * edges.size());
    std::vector<size_t> next(starts_.begin(), starts_.end() - 1);
    for (const GraphEdge& edge : edges) {
      neighbours_[next[static_cast<size_t>(edge.from)]++] = edge.to;
      neighbours_[next[static_cast<size_t>(edge.to)]++] = edge.from;
    }
  }

  // One over the root of a node's degree.
  double scale(int32_t node) const { return scales_[static_cast<size_t>(node)]; }

  void multiply(const double* x, double* y) const {
    std::vector<double> scaled(scales_.size());
    double sum = 0;
    for (size_t i = 0; i < scaled.size(); ++i) {
      scaled[i] = scales_[i] * x[i];
      sum += scaled[i];
    }
    const double everywhere = added_ / static_cast<double>(scaled.size()) * sum;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < scaled.size(); ++i) {
      double own = everywhere;
      for (size_t k = starts_[i]; k < starts_[i + 1]; ++k) {
        own += scaled[static_cast<size_t>(neighbours_[k])];
      }
      y[i] = scales_[i] * own;
    }
  }

 private:
  std::vector<size_t> starts_;  // (N + 1) of a node's neighbours
  std::vector<int32_t> neighbours_;
  double added_;  // to every degree
  std::vector<double> scales_;
};

// (edges, K) of length 1.
std::vector<double> embeddings(const std::vector<GraphEdge>& edges,
                               const NormalizedAdjacency& adjacency, const Eigenpairs& pairs) {
  const size_t width = pairs.values.size();
  const size_t nodes = pairs.vectors.size() / width;
  std::vector<double> points(edges.size() * width);
  for (size_t i = 0; i < edges.size(); ++i) {
    double* point = points.data() + i * width;
    double squares = 0;
    for (size_t k = 0; k < width; ++k) {
      const double* vector = pairs.vectors.data() + k * nodes;
      point[k] = adjacency.scale(edges[i].from) * vector[edges[i].from] +
                 adjacency.scale(edges[i].to) * vector[edges[i].to];
      squares += point[k] * point[k];
    }
    // The first eigenvector has one sign everywhere, so no point is 0.
    for (size_t k = 0; k < width; ++k) {
      point[k] /= std::sqrt(squares);
    }
  }
  return points;
}

}  // namespace

std::vector<int32_t> cluster_edges(const std::vector<GraphEdge>& edges, int64_t nodes,
                                   int64_t clusters, const SpectralOptions& options) {
  EBT_CHECK(clusters >= 1 && clusters <= static_cast<int64_t>(edges.size()),
            "spectral clustering: {} edges cannot be divided into {} clusters", edges.size(),
            clusters);
  std::vector<GraphEdge> sorted = edges;
  for (GraphEdge& edge : sorted) {
    EBT_CHECK(std::min(edge.from, edge.to) >= 0 && std::max(edge.from, edge.to) < nodes,
              "spectral clustering: an edge from {} to {} among {} nodes", edge.from, edge.to,
              nodes);
    edge = {std::min(edge.from, edge.to), std::max(edge.from, edge.to)};
  }
  // Edges between the same nodes have one embedding, so their order does not matter.
  std::vector<size_t> order(edges.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(sorted[a].from, sorted[a].to) < std::pair(sorted[b].from, sorted[b].to);
  });
  std::sort(sorted.begin(), sorted.end(), [](const GraphEdge& a, const GraphEdge& b) {
    return std::pair(a.from, a.to) < std::pair(b.from, b.to);
  });

  const NormalizedAdjacency adjacency(sorted, static_cast<size_t>(nodes));
  const Eigenpairs pairs = leading_eigenpairs(
      nodes, [&](const double* x, double* y) { adjacency.multiply(x, y); },
      std::min(clusters, nodes), {.tolerance = kTolerance, .seed = options.seed});
  const auto width = static_cast<int64_t>(pairs.values.size());
  const KMeans found = k_means(embeddings(sorted, adjacency, pairs), width, clusters,
                               {.starts = options.starts, .seed = options.seed});
  std::vector<int32_t> result(edges.size());
  for (size_t i = 0; i < order.size(); ++i) {
    result[order[i]] = found.clusters[i];
  }
  return result;
}

}  // namespace ebt
