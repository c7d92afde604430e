// The conclusions that `ebt lab transcend` draws.
#include <fmt/format.h>

#include <algorithm>

#include "ebt/eval/value_list.h"
#include "lab/transcend_findings.h"

namespace ebt {
namespace {

using lab::at_temperature;
using lab::judged;
using lab::member;
using lab::of_two_hop;
using nlohmann::json;

// At the lowest temperature that was measured.
LabAnswer linear_answer(const TranscendFindings& findings, bool large) {
  int64_t above = 0;
  int64_t seeds = 0;
  double model = 0;
  double expert = 0;
  double deviation = 0;
  for (const json& result : findings.linear()) {
    const json& row = large ? result["deviations"].back() : result["deviations"].front();
    const size_t coldest = static_cast<size_t>(
        std::min_element(row["temperatures"].begin(), row["temperatures"].end()) -
        row["temperatures"].begin());
    above += row["transcends"][coldest].get<bool>() ? 1 : 0;
    model += row["accuracies"][coldest].get<double>();
    expert += row["best_expert"].get<double>();
    deviation = row["deviation"];
    ++seeds;
  }
  LabAnswer answer;
  answer.claim = large ? "A linear model is better than its best expert at low temperature, where "
                         "experts err much"
                       : "Where they err little, it is not";
  if (seeds == 0) {
    answer.evidence = "not measured yet";
    return answer;
  }
  const bool all = above == seeds;
  answer.verdict = large ? (all          ? Verdict::kYes
                            : above == 0 ? Verdict::kNo
                                         : Verdict::kUnclear)
                         : (above == 0 ? Verdict::kYes
                            : all      ? Verdict::kNo
                                       : Verdict::kUnclear);
  answer.evidence = fmt::format(
      "σ = {}: accuracy {:.3f}, best expert {:.3f}; above its confidence interval for {} of {} {}",
      deviation, model / static_cast<double>(seeds), expert / static_cast<double>(seeds), above,
      seeds, seeds == 1 ? "seed" : "seeds");
  return answer;
}

// A claim about two accuracies, of a learner in a setting.
LabAnswer compared(const std::string& claim, const Spread& first, const Spread& second,
                   const std::string& words) {
  if (first.count == 0 || second.count == 0) {
    return {claim, Verdict::kNotMeasured, "not measured yet"};
  }
  // Shares of some hundred questions differ by a few hundredths by chance.
  constexpr double kNoticed = 0.05;
  const double difference = first.mean - second.mean;
  return {claim,
          difference > kNoticed    ? Verdict::kYes
          : difference < -kNoticed ? Verdict::kNo
                                   : Verdict::kUnclear,
          fmt::format("{} {} and {}", words, in_words(first), in_words(second))};
}

}  // namespace

std::vector<LabAnswer> transcend_answers(const TranscendLabConfig& config,
                                         const TranscendFindings& findings) {
  std::vector<LabAnswer> answers = {linear_answer(findings, true)};
  if (read_numbers(config.deviations, "deviations", 0).size() > 1) {
    answers.push_back(linear_answer(findings, false));
  }
  for (const std::string& learner : findings.learners()) {
    const std::string words = learner_in_words(learner);
    for (const char* setting : {"denoising", "selection"}) {
      if (!findings.has(setting)) {
        continue;
      }
      const FactRun run = base_run(config, setting, learner, 0);
      const Spread greedy = findings.over_seeds(run, at_temperature(0));
      answers.push_back(
          compared(fmt::format("{}: greedy {} is better than its best expert", setting, words),
                   greedy, findings.over_seeds(run, member("best_expert")), "accuracies"));
      FactRun few = run;
      few.experts = read_whole_numbers(config.expert_grid, "expert-grid", 1).front();
      answers.push_back(compared(fmt::format("{}: {} answers more with {} experts than with {}",
                                             setting, words, run.experts, few.experts),
                                 greedy, findings.over_seeds(few, at_temperature(0)),
                                 "greedy accuracies"));
    }
    if (findings.has("selection")) {
      FactRun none = base_run(config, "selection", learner, 0);
      FactRun all = none;
      const std::vector<double> alphas = read_numbers(config.alpha_grid, "alpha-grid", 0);
      none.alpha = *std::min_element(alphas.begin(), alphas.end());
      all.alpha = *std::max_element(alphas.begin(), alphas.end());
      answers.push_back(compared(
          fmt::format("selection: {} answers more the more experts keep to what they know", words),
          findings.over_seeds(all, at_temperature(0)), findings.over_seeds(none, at_temperature(0)),
          fmt::format("greedy accuracies at α = {} and {}:", all.alpha, none.alpha)));
    }
    if (findings.has("generalization")) {
      FactRun plain = base_run(config, "generalization", learner, 0);
      FactRun few = plain;
      few.two_hop = read_whole_numbers(config.two_hop_grid, "two-hop-grid", 1).front();
      FactRun bridge = plain;
      bridge.bridge = true;
      const Spread accuracy = findings.over_seeds(plain, of_two_hop("greedy"));
      answers.push_back(compared(
          fmt::format("generalization: {} combines facts of different experts", words), accuracy,
          findings.over_seeds(plain, of_two_hop("majority")), "accuracy and majority guess:"));
      answers.push_back(compared(fmt::format("generalization: more two-hop facts help {}", words),
                                 accuracy, findings.over_seeds(few, of_two_hop("greedy")),
                                 "accuracies"));
      answers.push_back(
          compared(fmt::format("generalization: writing the bridge out helps {}", words),
                   findings.over_seeds(bridge, of_two_hop("greedy")), accuracy, "accuracies"));
    }
    if (learner != kTransformerPpLearner && findings.has("denoising")) {
      const FactRun run = base_run(config, "denoising", learner, 0);
      answers.push_back(
          compared(fmt::format("The tail of least energy is right more often than that of highest "
                               "probability ({})",
                               words),
                   findings.over_seeds(run, judged("by_energy")),
                   findings.over_seeds(run, judged("by_probability")), "picked rightly:"));
    }
  }
  return answers;
}

}  // namespace ebt
