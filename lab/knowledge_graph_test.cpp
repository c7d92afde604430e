#include "lab/knowledge_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "ebt/core/config_fields.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

GraphConfig published_size() {
  GraphConfig config;
  config.types = 8;
  config.entities = 25'000;
  config.relations = 39;
  config.edges = 54'500;
  config.communities = 20;
  return config;
}

const Entity& entity(const KnowledgeGraph& graph, int32_t number) {
  return graph.entities()[static_cast<size_t>(number)];
}

void expect_typed_and_unique(const KnowledgeGraph& graph) {
  for (size_t i = 0; i < graph.facts().facts().size(); ++i) {
    const Fact& fact = graph.facts().facts()[i];
    const Relation& relation = graph.relations()[static_cast<size_t>(fact.relation)];
    ASSERT_EQ(entity(graph, fact.head).type, relation.head_type);
    ASSERT_EQ(entity(graph, fact.tail).type, relation.tail_type);
    ASSERT_NE(fact.head, fact.tail);
    ASSERT_TRUE(i == 0 || graph.facts().facts()[i - 1] < fact);
  }
}

TEST(KnowledgeGraph, HasWhatWasAskedFor) {
  const KnowledgeGraph graph{GraphConfig{.entities = 300, .relations = 8, .edges = 900}};
  EXPECT_EQ(graph.entities().size(), 300U);
  EXPECT_EQ(graph.relations().size(), 8U);
  EXPECT_EQ(graph.fact_count(), 900);
  expect_typed_and_unique(graph);
  std::set<std::string> names;
  size_t listed = 0;
  for (int64_t type = 0; type < 4; ++type) {
    for (const int32_t number : graph.entities_of(type)) {
      EXPECT_EQ(entity(graph, number).type, type);
      names.insert(entity(graph, number).name);
      ++listed;
    }
  }
  EXPECT_EQ(names.size(), 300U);
  EXPECT_EQ(listed, 300U);
}

TEST(KnowledgeGraph, ReachesThePublishedSize) {
  const KnowledgeGraph graph(published_size());
  EXPECT_EQ(graph.entities().size(), 25'000U);
  EXPECT_EQ(graph.relations().size(), 39U);
  EXPECT_EQ(graph.fact_count(), 54'500);
  expect_typed_and_unique(graph);
}

TEST(KnowledgeGraph, GivesMostHeadsOneTailAndSomeTwo) {
  const KnowledgeGraph graph(published_size());
  std::map<size_t, int> heads;  // by how many tails they have
  for (const int32_t head : graph.facts().heads()) {
    for (int32_t relation = 0; relation < 39; ++relation) {
      ++heads[graph.facts().of(head, relation).size()];
    }
  }
  EXPECT_EQ(heads.rbegin()->first, 2U);
  EXPECT_NEAR(heads[2], 0.15 * heads[1] / 0.85, 0.01 * heads[1]);
}

// A tail of another community is drawn with probability 0.1, and one in 20 of those is of the own.
TEST(KnowledgeGraph, RelatesMostlyWithinCommunities) {
  const auto share_outside = [](const GraphConfig& config) {
    const KnowledgeGraph graph(config);
    int64_t outside = 0;
    for (const Fact& fact : graph.facts().facts()) {
      outside += entity(graph, fact.head).community != entity(graph, fact.tail).community ? 1 : 0;
    }
    return static_cast<double>(outside) / static_cast<double>(graph.fact_count());
  };
  GraphConfig config = published_size();
  EXPECT_NEAR(share_outside(config), 0.1 * 19 / 20, 0.01);
  config.mixing = 0;
  EXPECT_LT(share_outside(config), 1e-3);
  config.mixing = 1;
  EXPECT_NEAR(share_outside(config), 19.0 / 20, 0.01);
}

TEST(KnowledgeGraph, HasTailsThatAreWellKnown) {
  const KnowledgeGraph graph(published_size());
  std::map<int32_t, int> seen;
  for (const Fact& fact : graph.facts().facts()) {
    ++seen[fact.tail];
  }
  std::vector<int> counts;
  for (const auto& [tail, count] : seen) {
    counts.push_back(count);
  }
  std::sort(counts.begin(), counts.end());
  EXPECT_GT(counts.back(), 20 * counts[counts.size() / 2]);
}

TEST(KnowledgeGraph, FollowsFromItsSeed) {
  GraphConfig config;
  const KnowledgeGraph graph(config);
  EXPECT_EQ(KnowledgeGraph(config).facts().facts(), graph.facts().facts());
  EXPECT_EQ(KnowledgeGraph(config).entities()[7].name, graph.entities()[7].name);
  config.seed = 1;
  EXPECT_NE(KnowledgeGraph(config).facts().facts(), graph.facts().facts());
  EXPECT_NE(KnowledgeGraph(config).entities()[7].name, graph.entities()[7].name);
}

TEST(KnowledgeGraph, FillsEveryPlaceTwiceAtMost) {
  GraphConfig config;
  config.types = 1;
  config.entities = 3;
  config.relations = 2;
  config.edges = 12;
  config.communities = 3;
  const KnowledgeGraph graph(config);
  expect_typed_and_unique(graph);
  for (int32_t head = 0; head < 3; ++head) {
    for (int32_t relation = 0; relation < 2; ++relation) {
      EXPECT_EQ(graph.facts().of(head, relation).size(), 2U);
    }
  }
}

TEST(KnowledgeGraph, RefusesWhatCannotBe) {
  const auto refusal = [&](const char* field, const nlohmann::json& value) {
    GraphConfig config;
    fields_from_json({{field, value}}, "test", config);
    return error_text([&] { KnowledgeGraph{config}; });
  };
  EXPECT_EQ(refusal("types", 9), "--types: 9 is not between 1 and 8");
  EXPECT_EQ(refusal("entities", 11), "--entities: 11 is not between 12 and 100000");
  EXPECT_EQ(refusal("relations", 25),
            "--relations: 25 is not between 1 and 24, which is how many 4 types have");
  EXPECT_EQ(refusal("edges", 0),
            "--edges: 0 is not between 1 and 596, which is two for every head and relation");
  EXPECT_EQ(refusal("edges", 100'000),
            "--edges: 100000 is not between 1 and 596, which is two for every head and relation");
  EXPECT_EQ(refusal("communities", 0), "--communities: 0 is not between 1 and 150");
  EXPECT_EQ(refusal("mixing", 1.5), "--mixing: 1.5 is not between 0 and 1");
}

}  // namespace
}  // namespace ebt
