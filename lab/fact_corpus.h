// The training text that experts write: an endless series of samples.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/draws.h"
#include "lab/experts.h"
#include "lab/knowledge_graph.h"
#include "lab/questions.h"

namespace ebt {

struct FactCorpusConfig {
  int64_t phrasings = 1;
  int64_t two_hop_examples = 0;
  double two_hop_share = 0.5;
  int64_t two_hop_phrasings = 1;
  bool bridge = false;
  uint64_t seed = 0;

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("phrasings", phrasings, "ways to word a fact, one at random each time");
    visit("two-hop-examples", two_hop_examples,
          "different two-hop facts to learn from, for generalization");
    visit("two-hop-share", two_hop_share, "share of the samples that are one of these");
    visit("two-hop-phrasings", two_hop_phrasings, "ways to word a two-hop fact");
    visit("bridge", bridge, "name the entity in the middle of a two-hop fact before its end");
    visit("corpus-seed", seed, "of what is written");
  }
};

// A sample is one line of text without its end, of sentences that all begin with a space, and
// follows from the config and its number alone. Mostly a random expert picks one of the entities
// that its copy has facts about, each as likely, and writes these in random order, each by its
// chance; where it would write none, another expert and entity are drawn. A share of the samples,
// where two-hop examples are asked for, is one of those: a random one of so many, which are drawn
// from all two-hop facts within a cluster.
//
// Holds the copies of all experts: 16 bytes for each fact of each (87 MB for 100 experts of 54,500
// facts). Immutable and thread-safe; the graph must live as long.
class FactCorpus {
 public:
  // Throws Error as the config's check() does, when experts of another setting than generalization
  // are to write two-hop facts, and when there are fewer of these than are asked for.
  FactCorpus(const KnowledgeGraph& graph, const Experts& experts, const FactCorpusConfig& config);

  // `number` is from 0, below 2^32.
  std::string sample(int64_t number) const;

  const std::vector<ExpertCopy>& copies() const { return copies_; }
  // In order; what two_hop_questions must not ask.
  const std::vector<TwoHopFact>& two_hop_examples() const { return two_hop_examples_; }

 private:
  std::string two_hop_sample(Draws& draws) const;

  const KnowledgeGraph& graph_;
  FactCorpusConfig config_;
  std::vector<ExpertCopy> copies_;
  std::vector<std::vector<int32_t>> heads_;  // of each copy
  std::vector<TwoHopFact> two_hop_examples_;
};

}  // namespace ebt
