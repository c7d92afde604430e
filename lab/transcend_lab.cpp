#include "lab/transcend_lab.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/eval/value_list.h"
#include "lab/linear_experts.h"
#include "lab/word_list.h"

namespace ebt {
namespace {

std::vector<double> temperatures_of(const TranscendLabConfig& config) {
  return read_numbers(config.temperatures, "temperatures", 0);
}

// The smallest check: linear experts, at every deviation.
Json measure_linear(const TranscendLabConfig& config, int64_t seed, const JobWatch& watch) {
  LinearExpertsConfig linear;
  linear.seed = static_cast<uint64_t>(seed);
  const std::vector<double> deviations = read_numbers(config.deviations, "deviations", 0);
  Json rows = Json::array();
  for (size_t i = 0; i < deviations.size(); ++i) {
    watch.on_progress(fmt::format("experts of deviation {}", deviations[i]),
                      static_cast<double>(i) / static_cast<double>(deviations.size()));
    const LinearExpertsResult result =
        measure_linear_experts(linear, deviations[i], temperatures_of(config));
    Json accuracies = Json::array();
    Json half_widths = Json::array();
    Json transcends = Json::array();
    for (size_t t = 0; t < result.temperatures.size(); ++t) {
      accuracies.push_back(result.model[t].mean);
      half_widths.push_back(result.model[t].half_width);
      transcends.push_back(result.transcends(t));
    }
    rows.push_back({{"deviation", deviations[i]},
                    {"best_expert", result.best_expert().mean},
                    {"best_expert_half_width", result.best_expert().half_width},
                    {"temperatures", result.temperatures},
                    {"accuracies", std::move(accuracies)},
                    {"half_widths", std::move(half_widths)},
                    {"transcends", std::move(transcends)}});
  }
  return {{"deviations", std::move(rows)}};
}

}  // namespace

TranscendLabConfig TranscendLabConfig::quick() {
  TranscendLabConfig config;
  config.deviations = "0.03,2";
  config.temperatures = "1,0.1,0";
  config.settings = "denoising";
  config.learners = "transformer_pp";
  config.expert_grid = "1,50";
  config.coverage_grid = "0.3";
  config.phrasing_grid = "1";
  config.width_grid = "64";
  config.graph.entities = 60;
  config.graph.relations = 4;
  config.graph.edges = 100;
  config.experts = 50;
  config.coverage = 0.3;
  config.questions = 60;
  config.layers = 1;
  config.width = 64;
  config.context = 32;
  config.steps = 1200;
  return config;
}

void TranscendLabConfig::check() const {
  EBT_CHECK(seeds >= 1, "--seeds: {} is not at least 1", seeds);
  EBT_CHECK(questions >= 1, "--questions: {} is not at least 1", questions);
  read_numbers(deviations, "deviations", 0);
  read_numbers(temperatures, "temperatures", 0);
  graph.check();
  for (const std::string& learner : read_words(learners, "learners")) {
    learner_config(learner);
  }
  for (const FactRun& run : fact_runs(*this)) {
    EBT_CHECK(run.width > 0 && run.width % kLearnerHeadWidth == 0,
              "--width-grid: {} is not a multiple of {}", run.width, kLearnerHeadWidth);
    EBT_CHECK(run.coverage <= 1, "--coverage-grid: {} is not between 0 and 1", run.coverage);
    EBT_CHECK(run.alpha <= 1, "--alpha-grid: {} is not between 0 and 1", run.alpha);
  }
}

std::string FactRun::id() const {
  std::string name = fmt::format("{}-{}-experts{}-coverage{}-phrasings{}-width{}", setting, learner,
                                 experts, coverage, phrasings, width);
  if (setting == "selection") {
    name += fmt::format("-alpha{}", alpha);
  }
  if (setting == "generalization") {
    name += fmt::format("-twohop{}{}", two_hop, bridge ? "-bridge" : "");
  }
  return name + fmt::format("-seed{}", seed);
}

Json FactRun::parameters() const { return fields_to_json(*this); }

FactRun FactRun::from(const Json& parameters) {
  FactRun run;
  fields_from_json(nlohmann::json::parse(parameters.dump()), "job", run);
  return run;
}

FactRun base_run(const TranscendLabConfig& config, const std::string& setting,
                 const std::string& learner, int64_t seed) {
  FactRun run;
  run.setting = setting;
  run.learner = learner;
  run.width = config.width;
  run.seed = seed;
  if (setting == "generalization") {
    // Everybody knows one cluster, without error.
    run.experts = config.clusters;
    run.coverage = 1;
    run.two_hop = read_whole_numbers(config.two_hop_grid, "two-hop-grid", 1).back();
  } else {
    run.experts = config.experts;
    run.coverage = config.coverage;
  }
  return run;
}

std::vector<FactRun> fact_runs(const TranscendLabConfig& config) {
  std::vector<FactRun> runs;
  if (config.settings.empty()) {
    return runs;
  }
  const auto add = [&](const FactRun& run) {
    if (std::find(runs.begin(), runs.end(), run) == runs.end()) {
      runs.push_back(run);
    }
  };
  for (int64_t seed = 0; seed < config.seeds; ++seed) {
    for (const std::string& setting : read_words(config.settings, "settings")) {
      EBT_CHECK(setting == "denoising" || setting == "selection" || setting == "generalization",
                "--settings: '{}' is none of denoising, selection and generalization", setting);
      for (const std::string& learner : read_words(config.learners, "learners")) {
        const FactRun base = base_run(config, setting, learner, seed);
        const auto vary = [&](auto FactRun::*what, const auto& values) {
          for (const auto value : values) {
            FactRun run = base;
            run.*what = value;
            add(run);
          }
        };
        if (setting == "generalization") {
          for (const bool bridge : {false, true}) {
            for (const int64_t two_hop :
                 read_whole_numbers(config.two_hop_grid, "two-hop-grid", 1)) {
              FactRun run = base;
              run.two_hop = two_hop;
              run.bridge = bridge;
              add(run);
            }
          }
          continue;
        }
        vary(&FactRun::experts, read_whole_numbers(config.expert_grid, "expert-grid", 1));
        if (setting == "selection") {
          vary(&FactRun::alpha, read_numbers(config.alpha_grid, "alpha-grid", 0));
          continue;
        }
        vary(&FactRun::coverage, read_numbers(config.coverage_grid, "coverage-grid", 0));
        vary(&FactRun::phrasings, read_whole_numbers(config.phrasing_grid, "phrasing-grid", 1));
        vary(&FactRun::width, read_whole_numbers(config.width_grid, "width-grid", 1));
      }
    }
  }
  return runs;
}

TranscendLab::TranscendLab(TranscendLabConfig config) : config_(std::move(config)) {
  config_.check();
}

std::vector<Job> TranscendLab::jobs() const {
  std::vector<Job> jobs;
  for (int64_t seed = 0; seed < config_.seeds; ++seed) {
    jobs.push_back({fmt::format("linear-seed{}", seed), {{"setting", "linear"}, {"seed", seed}}});
  }
  for (const FactRun& run : fact_runs(config_)) {
    jobs.push_back({run.id(), run.parameters()});
  }
  return jobs;
}

std::optional<Json> TranscendLab::work(const Job& job, const std::filesystem::path& folder,
                                       const std::filesystem::path& /*lab_folder*/,
                                       const JobWatch& watch) const {
  if (job.parameters["setting"] == "linear") {
    return measure_linear(config_, job.parameters["seed"], watch);
  }
  return learn_facts(config_, FactRun::from(job.parameters), folder, watch);
}

LabReport TranscendLab::report(const std::vector<LabResult>& results) const {
  return transcend_report(config_, results);
}

}  // namespace ebt
