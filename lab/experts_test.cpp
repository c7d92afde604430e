#include "lab/experts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

#include "tests/support/error_text.h"
#include "tests/support/numeric.h"

namespace ebt {
namespace {

using testing::error_text;

const KnowledgeGraph& graph() {
  static const KnowledgeGraph kGraph{GraphConfig{.entities = 300, .relations = 8, .edges = 900}};
  return kGraph;
}

ExpertConfig config_of(ExpertSetting setting, int64_t experts) {
  ExpertConfig config;
  config.setting = setting;
  config.experts = experts;
  return config;
}

double share_right(const ExpertCopy& copy) {
  double right = 0;
  for (const Fact& fact : copy.facts.facts()) {
    right += graph().facts().contains(fact) ? 1 : 0;
  }
  return right / static_cast<double>(graph().fact_count());
}

TEST(Experts, WhoDenoiseHaveTheirShareOfFactsRight) {
  for (const double coverage : {0.2, 0.7}) {
    ExpertConfig config = config_of(ExpertSetting::kDenoising, 50);
    config.coverage = coverage;
    const Experts experts(graph(), config);
    double mean = 0;
    for (int64_t expert = 0; expert < 50; ++expert) {
      const ExpertCopy copy = experts.copy(expert);
      EXPECT_EQ(copy.facts.facts().size(), 900U);
      EXPECT_EQ(copy.chances, std::vector<float>(900, 1.0F));
      mean += share_right(copy) / 50;
    }
    EXPECT_NEAR(mean, coverage, 4 * std::sqrt(0.25 / (50 * 900)));
  }
}

// How many of the pairs of one list are in the other, each as often as it is in both.
size_t common(std::vector<std::pair<int32_t, int32_t>> a,
              std::vector<std::pair<int32_t, int32_t>> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  std::vector<std::pair<int32_t, int32_t>> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both.size();
}

// Of 900 facts 720 are wrong, half of them in their heads. Those have a relation of another head,
// unless that happens to be one whose own fact went elsewhere; likewise tails.
TEST(Experts, ErrInOneEndWithinItsType) {
  const Experts experts(graph(), config_of(ExpertSetting::kDenoising, 1));
  const ExpertCopy copy = experts.copy(0);
  std::vector<std::pair<int32_t, int32_t>> heads[2];
  std::vector<std::pair<int32_t, int32_t>> tails[2];
  for (const Fact& fact : graph().facts().facts()) {
    heads[0].emplace_back(fact.head, fact.relation);
    tails[0].emplace_back(fact.relation, fact.tail);
  }
  int wrong = 0;
  for (const Fact& fact : copy.facts.facts()) {
    heads[1].emplace_back(fact.head, fact.relation);
    tails[1].emplace_back(fact.relation, fact.tail);
    const Relation& relation = graph().relations()[static_cast<size_t>(fact.relation)];
    EXPECT_EQ(graph().entities()[static_cast<size_t>(fact.head)].type, relation.head_type);
    EXPECT_EQ(graph().entities()[static_cast<size_t>(fact.tail)].type, relation.tail_type);
    EXPECT_NE(fact.head, fact.tail);
    wrong += graph().facts().contains(fact) ? 0 : 1;
  }
  EXPECT_NEAR(wrong, 720, 60);
  for (const auto& ends : {heads, tails}) {
    EXPECT_GE(common(ends[0], ends[1]), 500U);
    EXPECT_LE(common(ends[0], ends[1]), 800U);
  }
}

// Errors of two experts are independent: 0.2 * 0.2 of the facts are right in both.
TEST(Experts, ErrOnTheirOwn) {
  const Experts experts(graph(), config_of(ExpertSetting::kDenoising, 20));
  int both = 0;
  for (int64_t expert = 0; expert < 20; expert += 2) {
    const ExpertCopy one = experts.copy(expert);
    const ExpertCopy other = experts.copy(expert + 1);
    for (const Fact& fact : graph().facts().facts()) {
      both += one.facts.contains(fact) && other.facts.contains(fact) ? 1 : 0;
    }
  }
  EXPECT_NEAR(both / 9000.0, 0.04, 0.01);
}

TEST(Experts, KeepTheirCopies) {
  ExpertConfig config = config_of(ExpertSetting::kDenoising, 5);
  const ExpertCopy copy = Experts(graph(), config).copy(3);
  config.experts = 9;
  EXPECT_EQ(Experts(graph(), config).copy(3).facts.facts(), copy.facts.facts());
  EXPECT_NE(Experts(graph(), config).copy(4).facts.facts(), copy.facts.facts());
  config.seed = 1;
  EXPECT_NE(Experts(graph(), config).copy(3).facts.facts(), copy.facts.facts());
}

// The number of facts of each cluster that an expert's copy has.
std::map<int32_t, int> right_by_cluster(const Experts& experts, const ExpertCopy& copy) {
  std::map<int32_t, int> counts;
  for (size_t i = 0; i < experts.clusters().size(); ++i) {
    counts[experts.clusters()[i]] += copy.facts.contains(graph().facts().facts()[i]) ? 1 : 0;
  }
  return counts;
}

TEST(Experts, WhoSelectKnowSomeClustersBetter) {
  ExpertConfig config = config_of(ExpertSetting::kSelection, 40);
  config.coverage = 0.3;
  const Experts experts(graph(), config);
  std::map<int32_t, double> sizes;
  for (const int32_t cluster : experts.clusters()) {
    ++sizes[cluster];
  }
  ASSERT_EQ(sizes.size(), 6U);
  int full = 0;
  for (int64_t expert = 0; expert < 40; ++expert) {
    double covered = 0;
    const std::map<int32_t, int> right = right_by_cluster(experts, experts.copy(expert));
    for (const auto& [cluster, size] : sizes) {
      const double share = experts.coverage(expert, cluster);
      EXPECT_GE(share, 0);
      EXPECT_LE(share, 1);
      covered += share * size;
      full += share == 1 ? 1 : 0;
      EXPECT_NEAR(right.at(cluster), share * size, 5 * std::sqrt(size / 4) + 1e-9);
    }
    EXPECT_NEAR(covered, 0.3 * 900, 1e-6) << "what experts know is as much, if not the same";
  }
  EXPECT_GT(full, 10) << "specialists know all of something";
}

TEST(Experts, WhoSelectWriteByWhatTheyKnow) {
  ExpertConfig config = config_of(ExpertSetting::kSelection, 3);
  for (const double alpha : {0.0, 0.6, 1.0}) {
    config.alpha = alpha;
    const Experts experts(graph(), config);
    const ExpertCopy copy = experts.copy(1);
    double sum = 0;
    for (const float chance : copy.chances) {
      sum += static_cast<double>(chance);
    }
    EXPECT_NEAR(sum, 900 * (alpha * 0.2 + 1 - alpha), 1e-3) << alpha;
  }
}

TEST(Experts, WithoutSpecialtiesKnowAllClustersAlike) {
  ExpertConfig config = config_of(ExpertSetting::kSelection, 2);
  config.specialization = 0;
  const Experts experts(graph(), config);
  for (int64_t cluster = 0; cluster < 6; ++cluster) {
    EXPECT_NEAR(experts.coverage(1, cluster), 0.2, 1e-12);
  }
}

TEST(Experts, WhoGeneralizeKnowOneClusterWithoutError) {
  const Experts experts(graph(), config_of(ExpertSetting::kGeneralization, 8));
  for (const int64_t expert : {0, 5, 7}) {
    const ExpertCopy copy = experts.copy(expert);
    std::vector<Fact> expected;
    for (size_t i = 0; i < experts.clusters().size(); ++i) {
      if (experts.clusters()[i] == expert % 6) {
        expected.push_back(graph().facts().facts()[i]);
      }
    }
    EXPECT_EQ(copy.facts.facts(), expected);
    EXPECT_EQ(copy.chances, std::vector<float>(expected.size(), 1.0F));
  }
}

TEST(Experts, AreAsAccurateAsTheirCopies) {
  GraphConfig small;
  small.types = 1;
  small.entities = 10;
  small.relations = 1;
  small.edges = 4;
  small.communities = 1;
  const KnowledgeGraph world(small);
  const std::vector<Fact>& facts = world.facts().facts();
  const auto accuracy = [&](std::vector<Fact> known, std::vector<float> chances) {
    return expected_accuracy(world, {FactTable(std::move(known)), std::move(chances)});
  };
  ASSERT_EQ(world.facts().heads().size(), 4U) << "four questions with an answer each";
  EXPECT_EQ(accuracy(facts, {1, 1, 1, 1}), 1);
  EXPECT_EQ(accuracy({facts[2]}, {1}), 0.25);
  EXPECT_EQ(accuracy({}, {}), 0);
  Fact wrong = facts[0];
  wrong.tail = wrong.tail == 9 ? 8 : wrong.tail + 1;
  const bool first = facts[0] < wrong;
  EXPECT_FLOAT_EQ(
      static_cast<float>(accuracy({facts[0], wrong}, first ? std::vector<float>{0.3F, 0.9F}
                                                           : std::vector<float>{0.9F, 0.3F})),
      0.25F * 0.25F)
      << "by chances";
}

TEST(Experts, OfAllTheBestIsLittleBetterThanTheirCoverage) {
  const Experts experts(graph(), config_of(ExpertSetting::kDenoising, 30));
  std::vector<ExpertCopy> copies;
  double best = 0;
  for (int64_t expert = 0; expert < experts.count(); ++expert) {
    copies.push_back(experts.copy(expert));
    best = std::max(best, expected_accuracy(graph(), copies.back()));
  }
  EXPECT_EQ(best_expected_accuracy(graph(), copies), best);
  EXPECT_GT(best, 0.15);
  EXPECT_LT(best, 0.25);
}

TEST(Experts, RefuseWhatCannotBe) {
  const auto refusal = [&](const char* field, const nlohmann::json& value) {
    ExpertConfig config = config_of(ExpertSetting::kSelection, 2);
    return error_text([&] {
      fields_from_json({{field, value}}, "test", config);
      Experts(graph(), config);
    });
  };
  EXPECT_EQ(
      refusal("setting", "guessing"),
      "test: \"setting\" must be one of denoising, selection, generalization, not \"guessing\"");
  EXPECT_EQ(refusal("experts", 0), "--experts: 0 is not between 1 and 10000");
  EXPECT_EQ(refusal("coverage", 0), "--coverage: 0 is not above 0 and at most 1");
  EXPECT_EQ(refusal("clusters", 0), "--clusters: 0 is not between 1 and 1000");
  EXPECT_EQ(refusal("clusters", 901),
            "spectral clustering: 900 edges cannot be divided into 901 clusters");
  EXPECT_EQ(refusal("alpha", -0.1), "--alpha: -0.1 is not between 0 and 1");
  EXPECT_EQ(refusal("specialization", 9), "--specialization: 9 is not between 0 and 8");
}

}  // namespace
}  // namespace ebt
