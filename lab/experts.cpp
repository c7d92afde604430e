#include "lab/experts.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include "ebt/core/config_check.h"
#include "ebt/core/error.h"
#include "lab/draws.h"
#include "lab/spectral_clustering.h"

namespace ebt {
namespace {

// Beside the streams of copies, which are numbered by their experts.
constexpr uint64_t kCoverageStream = uint64_t{1} << 31U;

std::vector<int32_t> clusters_of(const KnowledgeGraph& graph, const ExpertConfig& config) {
  if (config.setting == ExpertSetting::kDenoising) {
    return std::vector<int32_t>(static_cast<size_t>(graph.fact_count()));
  }
  std::vector<GraphEdge> edges;
  for (const Fact& fact : graph.facts().facts()) {
    edges.push_back({fact.head, fact.tail});
  }
  return cluster_edges(edges, static_cast<int64_t>(graph.entities().size()), config.clusters,
                       {.seed = config.seed});
}

// min(1, lambda w_j) for the lambda at which their sum, weighted by `sizes`, is `budget`: the
// heaviest k are 1, where k is the least for which that leaves none of the others above 1.
std::vector<double> shares_within(const std::vector<double>& weights,
                                  const std::vector<double>& sizes, double budget) {
  std::vector<size_t> order(weights.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return weights[a] > weights[b]; });
  std::vector<double> shares(weights.size(), 1);
  for (size_t full = 0; full < order.size(); ++full) {
    double sum = 0;
    for (size_t i = full; i < order.size(); ++i) {
      sum += weights[order[i]] * sizes[order[i]];
    }
    const double lambda = budget / sum;
    if (lambda * weights[order[full]] <= 1) {
      for (size_t i = full; i < order.size(); ++i) {
        shares[order[i]] = lambda * weights[order[i]];
      }
      break;
    }
    budget -= sizes[order[full]];
  }
  return shares;
}

std::vector<double> selected_coverage(const ExpertConfig& config,
                                      const std::vector<double>& sizes) {
  const double facts = std::accumulate(sizes.begin(), sizes.end(), 0.0);
  std::vector<double> coverage;
  Draws draws(config.seed, LabPart::kExperts, kCoverageStream);
  for (int64_t expert = 0; expert < config.experts; ++expert) {
    std::vector<double> weights;
    for (size_t j = 0; j < sizes.size(); ++j) {
      // Never 0, so that what is to be shared out always can be.
      const double exponential = -std::log(1 - 0x1p-25 - draws.uniform());
      weights.push_back(std::pow(exponential, config.specialization));
    }
    const std::vector<double> shares = shares_within(weights, sizes, config.coverage * facts);
    coverage.insert(coverage.end(), shares.begin(), shares.end());
  }
  return coverage;
}

Fact corrupted(const Fact& fact, const KnowledgeGraph& graph, Draws& draws) {
  constexpr int kAttempts = 100;
  const Relation& relation = graph.relations()[static_cast<size_t>(fact.relation)];
  const bool replaces_head = draws.below(2) == 0;
  const std::vector<int32_t>& others =
      graph.entities_of(replaces_head ? relation.head_type : relation.tail_type);
  const int32_t own = replaces_head ? fact.head : fact.tail;
  Fact wrong = fact;
  for (int attempt = 0; attempt < kAttempts || wrong == fact; ++attempt) {
    const int32_t other = draws.pick(others);
    if (other == own) {
      continue;
    }
    (replaces_head ? wrong.head : wrong.tail) = other;
    if (wrong.head != wrong.tail && !graph.facts().contains(wrong)) {
      break;
    }
  }
  return wrong;
}

}  // namespace

const EnumNames<ExpertSetting>& enum_names(ExpertSetting) {
  static const EnumNames<ExpertSetting> kNames = {
      {"denoising", ExpertSetting::kDenoising},
      {"selection", ExpertSetting::kSelection},
      {"generalization", ExpertSetting::kGeneralization}};
  return kNames;
}

void ExpertConfig::check() const {
  check_between("--experts", experts, 1, 10'000);
  EBT_CHECK(coverage > 0 && coverage <= 1, "--coverage: {} is not above 0 and at most 1", coverage);
  check_between("--clusters", clusters, 1, 1000);
  check_closed_share("--alpha", alpha);
  EBT_CHECK(specialization >= 0 && specialization <= 8,
            "--specialization: {} is not between 0 and 8", specialization);
}

Experts::Experts(const KnowledgeGraph& graph, const ExpertConfig& config)
    : graph_(graph), config_(config) {
  config.check();
  clusters_ = clusters_of(graph, config);
  cluster_count_ = *std::max_element(clusters_.begin(), clusters_.end()) + 1;
  std::vector<double> sizes(static_cast<size_t>(cluster_count_));
  for (const int32_t cluster : clusters_) {
    ++sizes[static_cast<size_t>(cluster)];
  }
  switch (config.setting) {
    case ExpertSetting::kDenoising:
      coverage_.assign(static_cast<size_t>(config.experts), config.coverage);
      break;
    case ExpertSetting::kSelection:
      coverage_ = selected_coverage(config, sizes);
      break;
    case ExpertSetting::kGeneralization:
      for (int64_t i = 0; i < config.experts * cluster_count_; ++i) {
        const int64_t own = i / cluster_count_ % cluster_count_;
        coverage_.push_back(i % cluster_count_ == own ? 1 : 0);
      }
      break;
  }
}

ExpertCopy Experts::copy(int64_t expert) const {
  Draws draws(config_.seed, LabPart::kExperts, static_cast<uint64_t>(expert));
  const double alpha = config_.setting == ExpertSetting::kSelection ? config_.alpha : 0;
  std::vector<std::pair<Fact, float>> known;
  for (size_t i = 0; i < clusters_.size(); ++i) {
    const double right = coverage(expert, clusters_[i]);
    if (config_.setting == ExpertSetting::kGeneralization && right == 0) {
      continue;
    }
    const Fact& fact = graph_.facts().facts()[i];
    known.emplace_back(draws.uniform() < right ? fact : corrupted(fact, graph_, draws),
                       static_cast<float>(alpha * right + 1 - alpha));
  }
  std::sort(known.begin(), known.end());
  ExpertCopy copy;
  std::vector<Fact> facts;
  for (const auto& [fact, chance] : known) {
    facts.push_back(fact);
    copy.chances.push_back(chance);
  }
  copy.facts = FactTable(std::move(facts));
  return copy;
}

double expected_accuracy(const KnowledgeGraph& graph, const ExpertCopy& copy) {
  const std::vector<Fact>& facts = graph.facts().facts();
  double right = 0;
  int64_t queries = 0;
  for (size_t i = 0; i < facts.size(); ++i) {
    if (i > 0 && facts[i - 1].head == facts[i].head && facts[i - 1].relation == facts[i].relation) {
      continue;
    }
    ++queries;
    double all = 0;
    double correct = 0;
    for (const Fact& answer : copy.facts.of(facts[i].head, facts[i].relation)) {
      const auto chance = static_cast<double>(
          copy.chances[static_cast<size_t>(&answer - copy.facts.facts().data())]);
      all += chance;
      correct += graph.facts().contains(answer) ? chance : 0;
    }
    right += all > 0 ? correct / all : 0;
  }
  return right / static_cast<double>(queries);
}

double best_expected_accuracy(const KnowledgeGraph& graph, const std::vector<ExpertCopy>& copies) {
  double best = 0;
#pragma omp parallel for schedule(dynamic) reduction(max : best)
  for (const ExpertCopy& copy : copies) {
    best = std::max(best, expected_accuracy(graph, copy));
  }
  return best;
}

}  // namespace ebt
