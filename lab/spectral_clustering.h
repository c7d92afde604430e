// Spectral clustering of the edges of a graph.
#pragma once

#include <cstdint>
#include <vector>

namespace ebt {

// Between two nodes; which comes first does not matter.
struct GraphEdge {
  int32_t from = 0;
  int32_t to = 0;
};

struct SpectralOptions {
  int64_t starts = 5;  // of k-means
  uint64_t seed = 0;
};

// The cluster of every edge, from 0, by spectral clustering of the bipartite graph of edges and
// their ends (Dhillon, 2001). Of its incidence matrix B (edges, nodes), scaled by the roots of
// degrees on both sides, B^T B is half of 1 + M, where M = D^-1/2 A D^-1/2 is the normalised
// adjacency of the nodes. So the left singular vector of an edge is, but for a factor, the sum of
// what its ends have in the eigenvector of M, each divided by the root of its degree. The K leading
// eigenvectors embed an edge; the embeddings are scaled to length 1 (Ng, Jordan and Weiss, 2001)
// and divided by k-means.
//
// To A the mean degree is added, spread evenly over all pairs of nodes (Amini et al., 2013): this
// ties a graph of many parts together, and keeps eigenvectors from being spent on the smallest of
// them; edges of small parts share a cluster.
//
// Edges between the same nodes are in one cluster. Permuted edges have permuted clusters, whatever
// the permutation, bit for bit; the number of threads does not matter. 54,500 edges in 20 clusters
// take some seconds. Throws Error when there are fewer edges than clusters or an end is no node, or
// the eigenvectors do not converge.
std::vector<int32_t> cluster_edges(const std::vector<GraphEdge>& edges, int64_t nodes,
                                   int64_t clusters, const SpectralOptions& options);

}  // namespace ebt
