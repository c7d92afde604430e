#include "lab/fact_corpus.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "ebt/core/config_fields.h"
#include "ebt/data/tokenizer/tokenizer.h"
#include "lab/phrasings.h"
#include "lab/word_tokenizer.h"
#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;

const KnowledgeGraph& graph() {
  static const KnowledgeGraph kGraph{GraphConfig{.entities = 300, .relations = 8, .edges = 900}};
  return kGraph;
}

Experts experts_of(ExpertSetting setting, int64_t count, double coverage = 0.2) {
  ExpertConfig config;
  config.setting = setting;
  config.experts = count;
  config.coverage = coverage;
  return {graph(), config};
}

// The sentences of phrasing 0 of a sample as facts; those of two hops have another form.
std::vector<Fact> facts_in(const std::string& sample) {
  static const std::map<std::string, Fact> kAll = [] {
    std::map<std::string, Fact> all;
    for (size_t r = 0; r < graph().relations().size(); ++r) {
      const Relation& relation = graph().relations()[r];
      for (const int32_t head : graph().entities_of(relation.head_type)) {
        for (const int32_t tail : graph().entities_of(relation.tail_type)) {
          all[sentence(0, {.head = graph().entities()[static_cast<size_t>(head)].name,
                           .relation = relation.name,
                           .tail = graph().entities()[static_cast<size_t>(tail)].name})] = {
              head, static_cast<int32_t>(r), tail};
        }
      }
    }
    return all;
  }();
  std::vector<Fact> facts;
  for (size_t begin = 0; begin < sample.size();) {
    const size_t end = sample.find('.', begin) + 1;
    facts.push_back(kAll.at(sample.substr(begin, end - begin)));
    begin = end;
  }
  return facts;
}

TEST(FactCorpus, TellsAllThatAnExpertTakesForTrueOfAnEntity) {
  const Experts experts = experts_of(ExpertSetting::kDenoising, 4);
  const FactCorpus corpus(graph(), experts, {});
  std::set<int32_t> heads;
  std::set<size_t> who;
  for (int64_t number = 0; number < 2000; ++number) {
    std::vector<Fact> facts = facts_in(corpus.sample(number));
    std::sort(facts.begin(), facts.end());
    std::vector<size_t> authors;
    for (size_t i = 0; i < 4; ++i) {
      const auto known = corpus.copies()[i].facts.of(facts[0].head);
      if (std::equal(known.begin(), known.end(), facts.begin(), facts.end())) {
        authors.push_back(i);
      }
    }
    ASSERT_FALSE(authors.empty()) << corpus.sample(number);
    heads.insert(facts[0].head);
    who.insert(authors[0]);
  }
  EXPECT_EQ(who.size(), 4U);
  EXPECT_GT(heads.size(), 200U);
}

TEST(FactCorpus, OrdersFactsAtRandom) {
  const FactCorpus corpus(graph(), experts_of(ExpertSetting::kDenoising, 1, 1), {});
  std::map<std::vector<Fact>, std::set<std::vector<Fact>>> orders;  // of a set of facts
  for (int64_t number = 0; number < 3000; ++number) {
    const std::vector<Fact> facts = facts_in(corpus.sample(number));
    std::vector<Fact> sorted = facts;
    std::sort(sorted.begin(), sorted.end());
    if (facts.size() == 3) {
      orders[sorted].insert(facts);
    }
  }
  const auto most = std::max_element(
      orders.begin(), orders.end(),
      [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  EXPECT_EQ(most->second.size(), 6U);
}

TEST(FactCorpus, IsARandomAccessSeries) {
  const Experts experts = experts_of(ExpertSetting::kDenoising, 3);
  const FactCorpus corpus(graph(), experts, {});
  const FactCorpus again(graph(), experts, {});
  EXPECT_EQ(again.sample(4'294'967'295), corpus.sample(4'294'967'295));
  EXPECT_EQ(again.sample(5), corpus.sample(5));
  std::set<std::string> samples;
  for (int64_t number = 0; number < 200; ++number) {
    samples.insert(corpus.sample(number));
  }
  EXPECT_GT(samples.size(), 100U);
  EXPECT_NE(FactCorpus(graph(), experts, {.seed = 1}).sample(5), corpus.sample(5));
}

// Shares of what is written, of clusters that an expert knows and of others.
TEST(FactCorpus, OfSelectionTellsWhatExpertsKeepTo) {
  ExpertConfig config;
  config.setting = ExpertSetting::kSelection;
  config.experts = 20;
  const auto right = [&](double alpha) {
    config.alpha = alpha;
    const Experts experts(graph(), config);
    const FactCorpus corpus(graph(), experts, {});
    double correct = 0;
    double all = 0;
    for (int64_t number = 0; number < 4000; ++number) {
      for (const Fact& fact : facts_in(corpus.sample(number))) {
        correct += graph().facts().contains(fact) ? 1 : 0;
        all += 1;
      }
    }
    return correct / all;
  };
  EXPECT_NEAR(right(0), 0.2, 0.03) << "everything is written";
  EXPECT_GT(right(1), 0.5) << "mostly what is known";
}

TEST(FactCorpus, WordsFactsInSeveralWays) {
  const FactCorpus corpus(graph(), experts_of(ExpertSetting::kDenoising, 2), {.phrasings = 3});
  std::map<std::string, int> begins;
  for (int64_t number = 0; number < 500; ++number) {
    const std::string sample = corpus.sample(number);
    ++begins[sample.substr(0, sample.find(' ', 1))];
  }
  EXPECT_EQ(begins.size(), 3U);
  EXPECT_GT(begins[" The"], 100);
  EXPECT_GT(begins[" For"], 100);
  EXPECT_GT(begins[" As"], 100);
}

TEST(FactCorpus, TellsTwoHopFactsWithinClusters) {
  const Experts experts = experts_of(ExpertSetting::kGeneralization, 6);
  const TwoHopFacts all = two_hop_facts(graph(), experts.clusters());
  for (const bool bridge : {false, true}) {
    const FactCorpus corpus(graph(), experts,
                            {.two_hop_examples = 300, .two_hop_share = 0.25, .bridge = bridge});
    ASSERT_EQ(corpus.two_hop_examples().size(), 300U);
    EXPECT_TRUE(std::includes(all.within.begin(), all.within.end(),
                              corpus.two_hop_examples().begin(), corpus.two_hop_examples().end()));
    std::set<std::string> expected;
    for (const TwoHopFact& fact : corpus.two_hop_examples()) {
      const auto name = [](int32_t i) { return graph().entities()[static_cast<size_t>(i)].name; };
      const auto noun = [](int32_t i) { return graph().relations()[static_cast<size_t>(i)].name; };
      expected.insert(" The " + noun(fact.second) + " of the " + noun(fact.relation) + " of " +
                      name(fact.head) + (bridge ? ", " + name(fact.bridge) + "," : "") + " is " +
                      name(fact.tail) + ".");
    }
    std::set<std::string> told;
    int two_hops = 0;
    for (int64_t number = 0; number < 8000; ++number) {
      const std::string sample = corpus.sample(number);
      if (sample.find(" of the ") == sample.npos) {
        facts_in(sample);  // throws where it is anything else
      } else {
        ASSERT_EQ(expected.count(sample), 1U) << sample;
        told.insert(sample);
        ++two_hops;
      }
    }
    EXPECT_NEAR(two_hops, 2000, 150);
    EXPECT_GT(told.size(), 290U) << "all but some";
  }
}

// A text is as many tokens as it has words and signs, so that a question is answered in one.
TEST(FactCorpus, IsOneTokenAWord) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("tokenizer.json");
  write_word_tokenizer(path, words_of(graph()));
  const auto tokenizer = open_tokenizer(path);
  const Experts experts = experts_of(ExpertSetting::kGeneralization, 6);
  const FactCorpus corpus(graph(), experts,
                          {.phrasings = kPhrasings,
                           .two_hop_examples = 200,
                           .two_hop_phrasings = kPhrasings,
                           .bridge = true});
  const auto expect_words = [&](const std::string& text) {
    const auto signs = std::count_if(text.begin(), text.end(), [](char letter) {
      return letter == ' ' || letter == '.' || letter == ',';
    });
    const std::vector<int32_t> tokens = tokenizer->encode(text);
    EXPECT_EQ(static_cast<int64_t>(tokens.size()), signs) << text;
    EXPECT_EQ(tokenizer->decode(tokens), text);
  };
  for (int64_t number = 0; number < 500; ++number) {
    expect_words(corpus.sample(number));
  }
  for (const Question& question : one_hop_questions(graph())) {
    expect_words(question.prompt);
    ASSERT_EQ(tokenizer->encode(" " + question.answers[0]).size(), 1U);
  }
}

TEST(FactCorpus, RefusesWhatCannotBe) {
  const auto refusal = [&](ExpertSetting setting, const char* field, const nlohmann::json& value) {
    FactCorpusConfig config;
    fields_from_json({{field, value}}, "test", config);
    return error_text([&] { FactCorpus(graph(), experts_of(setting, 6), config); });
  };
  const ExpertSetting any = ExpertSetting::kDenoising;
  EXPECT_EQ(refusal(any, "phrasings", 7), "--phrasings: 7 is not between 1 and 6");
  EXPECT_EQ(refusal(any, "two-hop-examples", -1),
            "--two-hop-examples: -1 is not between 0 and 2147483648");
  EXPECT_EQ(refusal(any, "two-hop-share", 1), "--two-hop-share: 1 is not in [0, 1)");
  EXPECT_EQ(refusal(any, "two-hop-phrasings", 0), "--two-hop-phrasings: 0 is not between 1 and 6");
  EXPECT_EQ(refusal(any, "two-hop-examples", 1),
            "--two-hop-examples: experts write two-hop facts for generalization only, not for "
            "denoising");
  const Experts experts = experts_of(ExpertSetting::kGeneralization, 6);
  const size_t all = two_hop_facts(graph(), experts.clusters()).within.size();
  EXPECT_EQ(refusal(ExpertSetting::kGeneralization, "two-hop-examples", all + 1),
            fmt::format("--two-hop-examples: {} are asked for, but only {} two-hop facts lie "
                        "within a cluster that an expert knows",
                        all + 1, all));
}

}  // namespace
}  // namespace ebt
