// `ebt lab transcend`: can a model be better than every expert it learned from?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/experts.h"
#include "lab/fact_corpus.h"
#include "lab/knowledge_graph.h"
#include "lab/lab.h"

namespace ebt {

struct TranscendLabConfig {
  std::string deviations = "0.03,0.1,0.3,1,2";
  std::string temperatures = "1,0.7,0.5,0.3,0.1,0";
  std::string settings = "denoising,selection,generalization";
  std::string learners = "transformer_pp,s2";
  std::string expert_grid = "1,5,25,100";
  std::string coverage_grid = "0.1,0.2,0.4";
  std::string alpha_grid = "0,0.5,1";
  std::string phrasing_grid = "1,4";
  std::string two_hop_grid = "100,200,500";
  std::string width_grid = "64,128";
  GraphConfig graph;
  int64_t experts = 100;
  double coverage = 0.2;
  int64_t clusters = 6;
  int64_t seeds = 1;
  int64_t questions = 300;
  int64_t layers = 2;
  int64_t width = 128;
  int64_t context = 64;
  int64_t steps = 1500;
  int64_t batch = 32;
  double learning_rate = 0;
  std::string precision = "auto";

  // The one that takes a minute or two.
  static TranscendLabConfig quick();
  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("deviations", deviations, "linear experts: how far each is from the truth (sigma)");
    visit("temperatures", temperatures, "temperatures that answers are drawn at; 0: the likeliest");
    visit("settings", settings, "worlds of facts: denoising, selection, generalization");
    visit("learners", learners, "who learns the facts: transformer_pp, s1 and s2, which are EBTs");
    visit("expert-grid", expert_grid, "numbers of experts, for denoising and selection");
    visit("coverage-grid", coverage_grid, "shares of the facts that an expert has right");
    visit("alpha-grid", alpha_grid, "how much experts keep to what they know, for selection");
    visit("phrasing-grid", phrasing_grid, "numbers of phrasings of a fact");
    visit("two-hop-grid", two_hop_grid, "numbers of two-hop facts to learn, for generalization");
    visit("width-grid", width_grid, "model widths, multiples of 32");
    graph.visit_fields(visit);
    visit("experts", experts, "experts where their number is not what varies");
    visit("coverage", coverage, "coverage where it does not vary");
    visit("clusters", clusters, "clusters of facts, for selection and generalization");
    visit("seeds", seeds, "models of each kind");
    visit("questions", questions, "facts that each model is asked for");
    visit("layers", layers, "transformer blocks");
    visit("width", width, "model width where it does not vary");
    visit("context", context, "tokens of context S");
    visit("steps", steps, "optimizer steps of every model");
    visit("batch", batch, "rows per optimizer step");
    visit("learning-rate", learning_rate, "peak learning rate; 0 takes the published one");
    visit("precision", precision, "fp32, bf16, or auto");
  }
};

// A model of facts: what it learned from whom.
struct FactRun {
  std::string setting = "denoising";
  std::string learner;
  int64_t experts = 0;
  double coverage = 0;
  double alpha = 1;
  int64_t phrasings = 1;
  int64_t two_hop = 0;
  bool bridge = false;
  int64_t width = 0;
  int64_t seed = 0;

  std::string id() const;
  Json parameters() const;
  static FactRun from(const Json& parameters);
  bool operator==(const FactRun&) const = default;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("setting", setting, "");
    visit("learner", learner, "");
    visit("experts", experts, "");
    visit("coverage", coverage, "");
    visit("alpha", alpha, "");
    visit("phrasings", phrasings, "");
    visit("two-hop", two_hop, "");
    visit("bridge", bridge, "");
    visit("width", width, "");
    visit("seed", seed, "");
  }
};
// One thing varied at a time, in every setting, for every learner and seed.
std::vector<FactRun> fact_runs(const TranscendLabConfig& config);
// The run that others vary one thing of.
FactRun base_run(const TranscendLabConfig& config, const std::string& setting,
                 const std::string& learner, int64_t seed);

// Trains the model of a run in a folder and asks it (fact_learning.cpp). Nothing where it was asked
// to stop.
std::optional<Json> learn_facts(const TranscendLabConfig& config, const FactRun& run,
                                const std::filesystem::path& folder, const JobWatch& watch);

class TranscendLab : public Lab {
 public:
  // Throws Error for an impossible config.
  explicit TranscendLab(TranscendLabConfig config);

  std::string name() const override { return "transcend"; }
  Json config() const override { return fields_to_json(config_); }
  std::vector<Job> jobs() const override;
  std::optional<Json> work(const Job& job, const std::filesystem::path& folder,
                           const std::filesystem::path& lab_folder,
                           const JobWatch& watch) const override;
  LabReport report(const std::vector<LabResult>& results) const override;

 private:
  TranscendLabConfig config_;
};

// What the page says of results of these settings (transcend_report.cpp).
LabReport transcend_report(const TranscendLabConfig& config, const std::vector<LabResult>& results);

}  // namespace ebt
