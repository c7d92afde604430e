#include "lab/fact_corpus.h"

#include <algorithm>
#include <cstddef>
#include <span>

#include "ebt/core/config_check.h"
#include "ebt/core/error.h"
#include "lab/phrasings.h"

namespace ebt {
namespace {

// Of LabPart::kQuestions, beside the one that questions are chosen by.
constexpr uint64_t kExampleStream = 1;

std::vector<TwoHopFact> chosen_examples(const KnowledgeGraph& graph, const Experts& experts,
                                        const FactCorpusConfig& config) {
  if (config.two_hop_examples == 0) {
    return {};
  }
  EBT_CHECK(experts.setting() == ExpertSetting::kGeneralization,
            "--two-hop-examples: experts write two-hop facts for generalization only, not for {}",
            enum_name(experts.setting()));
  std::vector<TwoHopFact> facts = two_hop_facts(graph, experts.clusters()).within;
  // Of clusters that nobody knows nobody writes.
  std::erase_if(facts, [&](const TwoHopFact& fact) {
    const std::vector<Fact>& all = graph.facts().facts();
    const Fact first{fact.head, fact.relation, fact.bridge};
    const auto at = std::lower_bound(all.begin(), all.end(), first) - all.begin();
    return experts.clusters()[static_cast<size_t>(at)] >= experts.count();
  });
  EBT_CHECK(config.two_hop_examples <= static_cast<int64_t>(facts.size()),
            "--two-hop-examples: {} are asked for, but only {} two-hop facts lie within a cluster "
            "that an expert knows",
            config.two_hop_examples, facts.size());
  Draws(config.seed, LabPart::kQuestions, kExampleStream).shuffle(facts);
  facts.resize(static_cast<size_t>(config.two_hop_examples));
  std::sort(facts.begin(), facts.end());
  return facts;
}

}  // namespace

void FactCorpusConfig::check() const {
  check_between("--phrasings", phrasings, 1, kPhrasings);
  check_between("--two-hop-examples", two_hop_examples, 0, int64_t{1} << 31U);
  // Some samples must tell facts.
  EBT_CHECK(two_hop_share >= 0 && two_hop_share < 1, "--two-hop-share: {} is not in [0, 1)",
            two_hop_share);
  check_between("--two-hop-phrasings", two_hop_phrasings, 1, kPhrasings);
}

FactCorpus::FactCorpus(const KnowledgeGraph& graph, const Experts& experts,
                       const FactCorpusConfig& config)
    : graph_(graph),
      config_(config),
      copies_(static_cast<size_t>(experts.count())),
      heads_(copies_.size()) {
  config.check();
  two_hop_examples_ = chosen_examples(graph, experts, config);
#pragma omp parallel for schedule(dynamic)
  for (size_t i = 0; i < copies_.size(); ++i) {
    copies_[i] = experts.copy(static_cast<int64_t>(i));
    heads_[i] = copies_[i].facts.heads();
  }
}

std::string FactCorpus::two_hop_sample(Draws& draws) const {
  const TwoHopFact& fact = draws.pick(two_hop_examples_);
  const auto name = [&](int32_t entity) {
    return std::string_view(graph_.entities()[static_cast<size_t>(entity)].name);
  };
  const auto noun = [&](int32_t relation) {
    return std::string_view(graph_.relations()[static_cast<size_t>(relation)].name);
  };
  return sentence(draws.below(config_.two_hop_phrasings),
                  {.head = name(fact.head),
                   .relation = noun(fact.relation),
                   .tail = name(fact.tail),
                   .second = noun(fact.second),
                   .bridge = config_.bridge ? name(fact.bridge) : std::string_view()});
}

std::string FactCorpus::sample(int64_t number) const {
  Draws draws(config_.seed, LabPart::kFacts, static_cast<uint64_t>(number));
  if (!two_hop_examples_.empty() && draws.uniform() < config_.two_hop_share) {
    return two_hop_sample(draws);
  }
  std::vector<Fact> written;
  while (written.empty()) {
    const auto expert = static_cast<size_t>(draws.below(static_cast<int64_t>(copies_.size())));
    const ExpertCopy& copy = copies_[expert];
    const std::span<const Fact> known = copy.facts.of(draws.pick(heads_[expert]));
    const float* chances = copy.chances.data() + (known.data() - copy.facts.facts().data());
    for (size_t i = 0; i < known.size(); ++i) {
      if (draws.uniform() < static_cast<double>(chances[i])) {
        written.push_back(known[i]);
      }
    }
  }
  draws.shuffle(written);
  std::string text;
  for (const Fact& fact : written) {
    text += sentence(draws.below(config_.phrasings),
                     {.head = graph_.entities()[static_cast<size_t>(fact.head)].name,
                      .relation = graph_.relations()[static_cast<size_t>(fact.relation)].name,
                      .tail = graph_.entities()[static_cast<size_t>(fact.tail)].name});
  }
  return text;
}

}  // namespace ebt
