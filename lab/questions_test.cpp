#include "lab/questions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace ebt {
namespace {

const KnowledgeGraph& graph() {
  static const KnowledgeGraph kGraph{GraphConfig{.entities = 300, .relations = 8, .edges = 900}};
  return kGraph;
}

const std::string& name(int32_t entity) {
  return graph().entities()[static_cast<size_t>(entity)].name;
}
const std::string& noun(int32_t relation) {
  return graph().relations()[static_cast<size_t>(relation)].name;
}

// The clusters of facts by their heads' communities.
std::vector<int32_t> communities() {
  std::vector<int32_t> clusters;
  for (const Fact& fact : graph().facts().facts()) {
    clusters.push_back(
        static_cast<int32_t>(graph().entities()[static_cast<size_t>(fact.head)].community));
  }
  return clusters;
}

TEST(Questions, AskForEveryHeadAndRelation) {
  const std::vector<Question> questions = one_hop_questions(graph());
  size_t tails = 0;
  std::set<std::string> prompts;
  for (const Question& question : questions) {
    EXPECT_EQ(question.prompt,
              " The " + noun(question.relation) + " of " + name(question.head) + " is");
    prompts.insert(question.prompt);
    ASSERT_EQ(question.tails.size(), question.answers.size());
    for (size_t i = 0; i < question.tails.size(); ++i) {
      EXPECT_TRUE(graph().facts().contains({question.head, question.relation, question.tails[i]}));
      EXPECT_EQ(question.answers[i], name(question.tails[i]));
    }
    tails += question.tails.size();
  }
  EXPECT_EQ(prompts.size(), questions.size());
  EXPECT_EQ(tails, 900U);
}

TEST(Questions, AcceptEveryRightTail) {
  Question question;
  question.answers = {"Oriel", "Talard"};
  EXPECT_TRUE(question.accepts(" Talard. The"));
  EXPECT_TRUE(question.accepts(" Menstead, is Oriel."));
  EXPECT_FALSE(question.accepts(" Oriel, is Menstead."));
  EXPECT_FALSE(question.accepts(""));
}

TEST(TwoHopFacts, AreAllPairsOfFactsThatMeet) {
  const std::vector<int32_t> clusters = communities();
  const TwoHopFacts facts = two_hop_facts(graph(), clusters);
  size_t expected_within = 0;
  size_t expected_across = 0;
  const std::vector<Fact>& all = graph().facts().facts();
  for (size_t i = 0; i < all.size(); ++i) {
    for (size_t k = 0; k < all.size(); ++k) {
      if (all[i].tail == all[k].head && all[k].tail != all[i].head) {
        const TwoHopFact both{all[i].head, all[i].relation, all[k].relation, all[i].tail,
                              all[k].tail};
        const bool within = clusters[i] == clusters[k];
        const auto& list = within ? facts.within : facts.across;
        ++(within ? expected_within : expected_across);
        ASSERT_TRUE(std::binary_search(list.begin(), list.end(), both));
      }
    }
  }
  EXPECT_EQ(facts.within.size(), expected_within);
  EXPECT_EQ(facts.across.size(), expected_across);
  EXPECT_GT(expected_within, expected_across);
  EXPECT_GT(expected_across, 50U);
}

TEST(TwoHopQuestions, AskAcrossClustersWhatNoClusterKnows) {
  const TwoHopFacts facts = two_hop_facts(graph(), communities());
  const std::vector<Question> questions =
      two_hop_questions(graph(), facts.across, facts.within, false);
  ASSERT_GT(questions.size(), 30U);
  for (const Question& question : questions) {
    EXPECT_EQ(question.prompt, " The " + noun(question.second) + " of the " +
                                   noun(question.relation) + " of " + name(question.head) + " is");
    EXPECT_FALSE(question.tails.empty());
    for (const TwoHopFact& known : facts.within) {
      ASSERT_FALSE(known.head == question.head && known.relation == question.relation &&
                   known.second == question.second);
    }
  }
  std::set<std::string> prompts;
  for (const Question& question : two_hop_questions(graph(), facts.across, {}, true)) {
    prompts.insert(question.prompt);
    EXPECT_TRUE(question.prompt.ends_with(" of " + name(question.head) + ","));
  }
  EXPECT_GT(prompts.size(), questions.size()) << "some are answered within a cluster as well";
}

TEST(TwoHopQuestions, HaveEveryTailOfEveryBridge) {
  const TwoHopFacts facts = two_hop_facts(graph(), communities());
  size_t several = 0;
  for (const Question& question : two_hop_questions(graph(), facts.within, {}, false)) {
    std::set<int32_t> expected;
    for (const auto* list : {&facts.within, &facts.across}) {
      for (const TwoHopFact& fact : *list) {
        if (fact.head == question.head && fact.relation == question.relation &&
            fact.second == question.second) {
          expected.insert(fact.tail);
        }
      }
    }
    ASSERT_EQ(std::set<int32_t>(question.tails.begin(), question.tails.end()), expected);
    ASSERT_EQ(question.answers.size(), expected.size());
    several += expected.size() > 1 ? 1 : 0;
  }
  EXPECT_GT(several, 20U);
}

TEST(Questions, AreChosenByASeed) {
  const std::vector<Question> all = one_hop_questions(graph());
  const auto prompts = [&](int64_t count, uint64_t seed) {
    std::vector<std::string> texts;
    for (const Question& question : some_questions(all, count, seed)) {
      texts.push_back(question.prompt);
    }
    return texts;
  };
  const std::vector<std::string> chosen = prompts(50, 1);
  EXPECT_EQ(chosen.size(), 50U);
  EXPECT_EQ(std::set<std::string>(chosen.begin(), chosen.end()).size(), 50U);
  EXPECT_EQ(prompts(50, 1), chosen);
  EXPECT_NE(prompts(50, 2), chosen);
  EXPECT_EQ(prompts(5000, 1).size(), all.size());
}

TEST(MajorityGuess, IsWhatExpertsWriteMostOften) {
  GraphConfig small;
  small.types = 1;
  small.entities = 6;
  small.relations = 2;
  small.edges = 4;
  const KnowledgeGraph world(small);
  const std::vector<ExpertCopy> copies = {
      {FactTable({{0, 0, 1}, {2, 0, 1}, {3, 0, 4}}), {0.3F, 0.3F, 0.5F}},
      {FactTable({{5, 0, 4}, {1, 0, 3}}), {0.2F, 0.1F}}};  // heads 1 and 5, in order
  EXPECT_EQ(majority_tails(world, copies), (std::vector<int32_t>{1, Question::kNone}));
  std::vector<Question> questions(4);
  questions[0].tails = {1, 3};
  questions[1].tails = {4};
  questions[2].tails = {1};
  questions[2].relation = 1;
  questions[3].tails = {1};
  questions[3].relation = 1;
  questions[3].second = 0;
  EXPECT_EQ(majority_accuracy(questions, {1, Question::kNone}), 0.5) << "the first and the last";
  EXPECT_EQ(majority_accuracy({}, {}), 0);
}

TEST(MajorityGuess, IsRightMoreOftenThanAnyGuess) {
  ExpertConfig config;
  config.experts = 10;
  config.coverage = 1;
  const Experts experts(graph(), config);
  const std::vector<Question> questions = one_hop_questions(graph());
  const double accuracy =
      majority_accuracy(questions, majority_tails(graph(), {experts.copy(0), experts.copy(1)}));
  EXPECT_GT(accuracy, 0.03);
  EXPECT_LT(accuracy, 0.3);
}

TEST(DirectEdge, GuessesAmongTailsOfTheRightType) {
  const TwoHopFacts facts = two_hop_facts(graph(), communities());
  const std::vector<Question> questions = two_hop_questions(graph(), facts.within, {}, false);
  double expected = 0;
  for (const Question& question : questions) {
    const int64_t type = graph().relations()[static_cast<size_t>(question.second)].tail_type;
    double right = 0;
    double all = 0;
    for (const Fact& fact : graph().facts().facts()) {
      if (fact.head == question.head &&
          graph().entities()[static_cast<size_t>(fact.tail)].type == type) {
        all += 1;
        right += std::count(question.tails.begin(), question.tails.end(), fact.tail) > 0 ? 1 : 0;
      }
    }
    expected += all > 0 ? right / all / static_cast<double>(questions.size()) : 0;
  }
  EXPECT_NEAR(direct_edge_accuracy(graph(), questions), expected, 1e-12);
  EXPECT_GT(expected, 0);
  EXPECT_LT(expected, 0.5);
  EXPECT_EQ(direct_edge_accuracy(graph(), {}), 0);
}

}  // namespace
}  // namespace ebt
