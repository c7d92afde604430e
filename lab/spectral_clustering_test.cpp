#include "lab/spectral_clustering.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "lab/draws.h"
#include "lab/knowledge_graph.h"
#include "tests/support/error_text.h"
#include "tests/support/numeric.h"

namespace ebt {
namespace {

using testing::error_text;

// Edges at random: with probability `mixing` between any two nodes, else within one of `groups`
// groups, to which nodes belong in turn.
std::vector<GraphEdge> planted(int64_t nodes, int64_t edges, int64_t groups, double mixing) {
  Draws draws(11, LabPart::kGraph, 1);
  std::vector<GraphEdge> result;
  while (static_cast<int64_t>(result.size()) < edges) {
    const int64_t from = draws.below(nodes);
    const int64_t to = draws.uniform() < mixing
                           ? draws.below(nodes)
                           : draws.below(nodes / groups) * groups + from % groups;
    if (from != to) {
      result.push_back({static_cast<int32_t>(from), static_cast<int32_t>(to)});
    }
  }
  return result;
}

// Share of the edges within groups that are in the cluster that most edges of their group are in,
// where no two groups may have the same cluster.
double share_found(const std::vector<GraphEdge>& edges, const std::vector<int32_t>& clusters,
                   int32_t groups) {
  std::map<int32_t, std::map<int32_t, int>> counts;  // of a group, by cluster
  int within = 0;
  for (size_t i = 0; i < edges.size(); ++i) {
    if (edges[i].from % groups == edges[i].to % groups) {
      ++counts[edges[i].from % groups][clusters[i]];
      ++within;
    }
  }
  int found = 0;
  std::set<int32_t> taken;
  for (const auto& [group, by_cluster] : counts) {
    const auto most =
        std::max_element(by_cluster.begin(), by_cluster.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    found += taken.insert(most->first).second ? most->second : 0;
  }
  return static_cast<double>(found) / within;
}

TEST(SpectralClustering, FindsGroupsThatWerePlanted) {
  const std::vector<GraphEdge> clear = planted(600, 3000, 6, 0.1);
  EXPECT_GT(share_found(clear, cluster_edges(clear, 600, 6, {}), 6), 0.97);
  const std::vector<GraphEdge> none = planted(600, 3000, 6, 1);
  EXPECT_LT(share_found(none, cluster_edges(none, 600, 6, {}), 6), 0.4) << "there is nothing";
}

TEST(SpectralClustering, SeparatesPartsThatNothingTies) {
  std::vector<GraphEdge> edges;
  for (int32_t part = 0; part < 40; ++part) {  // cliques, all alike: one multiple eigenvalue
    for (int32_t from = 0; from < 6; ++from) {
      for (int32_t to = 0; to < from; ++to) {
        edges.push_back({from * 40 + part, to * 40 + part});
      }
    }
  }
  EXPECT_EQ(share_found(edges, cluster_edges(edges, 240, 40, {}), 40), 1);
}

TEST(SpectralClustering, IsNotDistractedByScatteredEdges) {
  std::vector<GraphEdge> edges = planted(400, 3000, 4, 0.05);
  for (int32_t i = 0; i < 100; ++i) {
    edges.push_back({400 + 2 * i, 401 + 2 * i});  // a part of its own each
  }
  std::vector<int32_t> clusters = cluster_edges(edges, 700, 5, {});
  const std::set<int32_t> scattered(clusters.begin() + 3000, clusters.end());
  EXPECT_EQ(scattered.size(), 1U);
  clusters.resize(3000);
  edges.resize(3000);
  EXPECT_GT(share_found(edges, clusters, 4), 0.97);
}

TEST(SpectralClustering, OfAGraphFindsItsCommunities) {
  const KnowledgeGraph graph{GraphConfig{.entities = 300, .relations = 8, .edges = 900}};
  std::vector<GraphEdge> edges;
  std::vector<int64_t> communities;
  std::map<std::pair<int32_t, int64_t>, int> counts;
  for (const Fact& fact : graph.facts().facts()) {
    edges.push_back({fact.head, fact.tail});
    communities.push_back(graph.entities()[static_cast<size_t>(fact.head)].community);
  }
  const std::vector<int32_t> clusters =
      cluster_edges(edges, static_cast<int64_t>(graph.entities().size()), 6, {});
  for (size_t i = 0; i < edges.size(); ++i) {
    ++counts[{clusters[i], communities[i]}];
  }
  std::map<int32_t, int> most;
  for (const auto& [pair, count] : counts) {
    most[pair.first] = std::max(most[pair.first], count);
  }
  int agreeing = 0;
  for (const auto& [cluster, count] : most) {
    agreeing += count;
  }
  EXPECT_GT(agreeing, 0.85 * 900);
}

TEST(SpectralClustering, PermutesWithTheEdges) {
  const std::vector<GraphEdge> edges = planted(200, 500, 4, 0.3);
  const std::vector<int32_t> clusters = cluster_edges(edges, 200, 7, {});
  EXPECT_EQ(std::set<int32_t>(clusters.begin(), clusters.end()).size(), 7U);
  std::vector<size_t> order(edges.size());
  for (size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  Draws draws(12, LabPart::kGraph, 2);
  draws.shuffle(order);
  std::vector<GraphEdge> permuted;
  std::vector<int32_t> expected;
  for (size_t i = 0; i < order.size(); ++i) {
    const GraphEdge edge = edges[order[i]];
    permuted.push_back(i % 2 == 0 ? edge : GraphEdge{edge.to, edge.from});
    expected.push_back(clusters[order[i]]);
  }
  EXPECT_EQ(cluster_edges(permuted, 200, 7, {}), expected);
}

TEST(SpectralClustering, TakesAsManyClustersAsEdges) {
  EXPECT_EQ(cluster_edges({{0, 1}, {4, 2}, {3, 5}}, 6, 3, {}).size(), 3U);
  EXPECT_EQ(cluster_edges({{0, 1}, {0, 1}, {1, 0}}, 2, 3, {}), (std::vector<int32_t>{0, 0, 0}));
  EXPECT_EQ(cluster_edges({{0, 1}, {2, 1}}, 3, 1, {}), (std::vector<int32_t>{0, 0}));
}

TEST(SpectralClustering, DoesNotDependOnThreads) {
  const std::vector<GraphEdge> edges = planted(300, 1500, 5, 0.2);
  testing::expect_same_for_any_threads([&] { return cluster_edges(edges, 300, 5, {}); });
}

TEST(SpectralClustering, RefusesWhatCannotBe) {
  EXPECT_EQ(error_text([] {
              cluster_edges({{0, 1}}, 2, 2, {});
            }),
            "spectral clustering: 1 edges cannot be divided into 2 clusters");
  EXPECT_EQ(error_text([] {
              cluster_edges({{0, 1}}, 2, 0, {});
            }),
            "spectral clustering: 1 edges cannot be divided into 0 clusters");
  EXPECT_EQ(error_text([] {
              cluster_edges({{0, 2}}, 2, 1, {});
            }),
            "spectral clustering: an edge from 0 to 2 among 2 nodes");
}

}  // namespace
}  // namespace ebt
