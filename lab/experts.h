// The experts that a model learns from, whose knowledge of the world is wrong or partial, each in
// its own way (the three settings of "A Taxonomy of Transcendence", arXiv 2508.17669).
#pragma once

#include <cstdint>
#include <vector>

#include "ebt/core/config_fields.h"
#include "lab/fact_table.h"
#include "lab/knowledge_graph.h"

namespace ebt {

enum class ExpertSetting {
  kDenoising,       // everybody errs anywhere
  kSelection,       // everybody errs less in some clusters, and tells more of those
  kGeneralization,  // everybody knows one cluster, without error
};
const EnumNames<ExpertSetting>& enum_names(ExpertSetting);

struct ExpertConfig {
  ExpertSetting setting = ExpertSetting::kDenoising;
  int64_t experts = 100;
  double coverage = 0.2;      // c
  int64_t clusters = 6;       // of facts
  double alpha = 1;           // of selection
  double specialization = 2;  // likewise
  uint64_t seed = 0;

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("setting", setting, "what experts lack: denoising, selection or generalization");
    visit("experts", experts, "experts, of whom a random one writes each sample");
    visit("coverage", coverage, "share of the facts that an expert has right");
    visit("clusters", clusters, "clusters of facts, for selection and generalization");
    visit("alpha", alpha, "how much an expert keeps to what it knows, from 0 to 1, for selection");
    visit("specialization", specialization,
          "how much experts differ in what they know, from 0, for selection");
    visit("expert-seed", seed, "of what experts know");
  }
};

// What an expert takes for the world.
struct ExpertCopy {
  FactTable facts;
  std::vector<float> chances;  // of each: probability that the expert writes it when it comes up
};

// What experts know.
//
// Denoising: a fact is right with probability c, else wrong. In a wrong one head or tail, one as
// likely as the other, is another entity of its type, so that it is no fact of the graph (unless
// a hundred draws are).
//
// Selection: expert i has a fact of cluster j right with probability s_ij, and writes it, right or
// wrong, with probability alpha s_ij + 1 - alpha. Here s_ij = min(1, lambda_i w_ij), where w_ij is
// an exponential variate to the power `specialization` (0: nobody knows more of one cluster than of
// another), and lambda_i is such that sum_j s_ij |C_j| = c |E|.
//
// Generalization: expert i has the facts of cluster i modulo the number of clusters, and no others.
//
// Clusters are those of cluster_edges over the graph. Immutable and thread-safe; the graph must
// live as long.
class Experts {
 public:
  // Throws Error as the config's check() and cluster_edges do.
  Experts(const KnowledgeGraph& graph, const ExpertConfig& config);

  int64_t count() const { return config_.experts; }
  ExpertSetting setting() const { return config_.setting; }
  // Of each of the graph's facts, in their order; all 0 when denoising.
  const std::vector<int32_t>& clusters() const { return clusters_; }
  // s_ij: the probability that an expert has a fact of a cluster right.
  double coverage(int64_t expert, int64_t cluster) const {
    return coverage_[static_cast<size_t>(expert * cluster_count_ + cluster)];
  }
  // Follows from the graph, the config and the expert alone, so it need not be kept. Takes 12 ms
  // for 54,500 facts, and as many times 16 bytes.
  ExpertCopy copy(int64_t expert) const;

 private:
  const KnowledgeGraph& graph_;
  ExpertConfig config_;
  std::vector<int32_t> clusters_;
  int64_t cluster_count_ = 1;
  std::vector<double> coverage_;  // (experts, clusters)
};

// Expected accuracy of an expert that is asked for the tail of every head and relation of the
// graph, once each: it answers with one of those that its copy has, by their chances, and is right
// when the graph has it too. Where it knows none it is wrong.
double expected_accuracy(const KnowledgeGraph& graph, const ExpertCopy& copy);

// The largest of several experts; a model transcends when it is above that.
double best_expected_accuracy(const KnowledgeGraph& graph, const std::vector<ExpertCopy>& copies);

}  // namespace ebt
