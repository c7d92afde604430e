// The report of `ebt lab transcend`.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "ebt/eval/value_list.h"
#include "ebt/report/chart.h"
#include "lab/transcend_findings.h"

namespace ebt {
namespace {

using lab::at_temperature;
using lab::judged;
using lab::member;
using lab::of_two_hop;
using nlohmann::json;

// A temperature in words of answers: nothing is drawn at 0.
std::string temperature_in_words(double temperature) {
  return temperature == 0 ? "greedy" : fmt::format("temperature {}", temperature);
}

ChartOptions accuracy_options(const std::string& title, const std::string& x_label) {
  ChartOptions options;
  options.title = title;
  options.x_label = x_label;
  options.y_label = "accuracy";
  options.zero_y = true;
  options.whole_x_ticks = false;
  return options;
}

// A section of accuracies along one axis.
struct Curves {
  LabSection section;
  std::vector<ChartSeries> series;
  ChartOptions options;

  Curves(const std::string& name, const std::string& head, const std::string& note,
         const std::string& x_label)
      : options(accuracy_options(head, x_label)) {
    section.name = name;
    section.head = head;
    section.note = note;
    section.table.columns = {"curve", x_label, "accuracy"};
    section.folded = true;
  }
  // Marks the axis where something was measured, on a logarithmic scale where that is far apart.
  void mark(const std::vector<double>& x) {
    constexpr double kFar = 10;
    const auto [least, most] = std::minmax_element(x.begin(), x.end());
    options.log_x = *least > 0 && *most >= kFar * *least;
    for (const double at : x) {
      options.x_ticks.emplace_back(at, fmt::format("{}", at));
    }
  }
  void add(const std::string& label, const std::vector<double>& x,
           const std::function<Spread(double)>& value, bool faint = false) {
    ChartSeries line{label, {}, static_cast<int>(series.size() % 8), faint, !faint};
    for (const double at : x) {
      const Spread spread = value(at);
      if (spread.count > 0 && std::isfinite(spread.mean)) {
        line.points.emplace_back(at, spread.mean);
        section.table.rows.push_back({label, fmt::format("{}", at), in_words(spread)});
      }
    }
    series.push_back(std::move(line));
  }
  LabSection done() {
    const bool empty = std::all_of(series.begin(), series.end(),
                                   [](const ChartSeries& line) { return line.points.empty(); });
    section.chart = empty ? "" : line_chart(series, options);
    return section;
  }
};

std::vector<double> as_numbers(const std::vector<int64_t>& values) {
  return {values.begin(), values.end()};
}

LabSection linear_section(const TranscendLabConfig& config, const TranscendFindings& findings) {
  Curves curves("linear", "Linear experts",
                "Accuracy of the model at each temperature, and of the best of its five experts "
                "(thin lines), which answer with what they hold likeliest; mean over seeds.",
                "temperature");
  const std::vector<double> temperatures = read_numbers(config.temperatures, "temperatures", 0);
  const std::vector<double> deviations = read_numbers(config.deviations, "deviations", 0);
  for (size_t row = 0; row < deviations.size(); ++row) {
    const auto value = [&](size_t temperature) {
      std::vector<double> values;
      for (const json& result : findings.linear()) {
        values.push_back(result["deviations"][row]["accuracies"][temperature].get<double>());
      }
      return Spread(values);
    };
    curves.add(fmt::format("σ = {}", deviations[row]), temperatures, [&](double at) {
      const auto place = std::find(temperatures.begin(), temperatures.end(), at);
      return value(static_cast<size_t>(place - temperatures.begin()));
    });
    const int color = curves.series.back().color;
    curves.add(
        "", {temperatures.front(), temperatures.back()},
        [&](double) {
          std::vector<double> values;
          for (const json& result : findings.linear()) {
            values.push_back(result["deviations"][row]["best_expert"].get<double>());
          }
          return Spread(values);
        },
        true);
    curves.series.back().color = color;
    for (auto line = curves.section.table.rows.rbegin();
         line != curves.section.table.rows.rend() && (*line)[0].empty(); ++line) {
      (*line)[0] = fmt::format("best expert, σ = {}", deviations[row]);
    }
  }
  return curves.done();
}

// Greedy accuracy and that at temperature 1 of every learner, along one thing that varies.
LabSection sweep_section(const TranscendLabConfig& config, const TranscendFindings& findings,
                         const std::string& setting, const std::string& name,
                         const std::string& words, const std::vector<double>& x,
                         const std::function<void(FactRun&, double)>& set) {
  Curves curves(
      fmt::format("{}-{}", setting, name), fmt::format("{}: {}", setting, words),
      "Share of facts that are completed rightly, drawn at temperature 1 and greedily; "
      "thin: the best single expert, and guessing the most frequent tail of the relation.",
      words);
  curves.mark(x);
  const auto run_at = [&](const std::string& learner, double at) {
    FactRun run = base_run(config, setting, learner, 0);
    set(run, at);
    return run;
  };
  for (const std::string& learner : findings.learners()) {
    for (const double temperature : {0.0, 1.0}) {
      curves.add(
          fmt::format("{}, {}", learner_in_words(learner), temperature_in_words(temperature)), x,
          [&](double at) {
            return findings.over_seeds(run_at(learner, at), at_temperature(temperature));
          });
    }
  }
  for (const auto& [label, name] :
       {std::pair("best expert", "best_expert"), std::pair("majority", "majority")}) {
    curves.add(
        label, x,
        [&, of = name](double at) {
          return findings.over_seeds(run_at(findings.learners()[0], at), member(of));
        },
        true);
  }
  return curves.done();
}

LabSection temperature_section(const TranscendLabConfig& config, const TranscendFindings& findings,
                               const std::string& learner) {
  Curves curves("denoising-temperature-" + learner,
                fmt::format("denoising: temperature, {}", learner_in_words(learner)),
                "Share of facts that are completed rightly, for every number of experts.",
                "temperature");
  for (const int64_t experts : read_whole_numbers(config.expert_grid, "expert-grid", 1)) {
    FactRun run = base_run(config, "denoising", learner, 0);
    run.experts = experts;
    curves.add(fmt::format("{} {}", experts, experts == 1 ? "expert" : "experts"),
               read_numbers(config.temperatures, "temperatures", 0),
               [&](double at) { return findings.over_seeds(run, at_temperature(at)); });
  }
  return curves.done();
}

LabSection two_hop_section(const TranscendLabConfig& config, const TranscendFindings& findings) {
  Curves curves("generalization-two-hop", "generalization: two-hop facts across clusters",
                "Greedy accuracy on two-hop facts that no expert could have combined, for numbers "
                "of two-hop facts within clusters in training; with the bridge between both hops "
                "written out, and without. Thin: guessing the most frequent tail of the relation.",
                "two-hop facts in training");
  const std::vector<double> x =
      as_numbers(read_whole_numbers(config.two_hop_grid, "two-hop-grid", 1));
  curves.mark(x);
  const auto run_at = [&](const std::string& learner, double at, bool bridge) {
    FactRun run = base_run(config, "generalization", learner, 0);
    run.two_hop = static_cast<int64_t>(at);
    run.bridge = bridge;
    return run;
  };
  for (const std::string& learner : findings.learners()) {
    for (const bool bridge : {false, true}) {
      curves.add(learner_in_words(learner) + (bridge ? ", bridge written out" : ""), x,
                 [&](double at) {
                   return findings.over_seeds(run_at(learner, at, bridge), of_two_hop("greedy"));
                 });
    }
  }
  curves.add(
      "majority", x,
      [&](double at) {
        return findings.over_seeds(run_at(findings.learners()[0], at, false),
                                   of_two_hop("majority"));
      },
      true);
  return curves.done();
}

LabSection energy_section(const TranscendLabConfig& config, const TranscendFindings& findings) {
  LabSection section;
  section.name = "energy";
  section.head = "Does the energy know who is right?";
  section.note =
      "Of every fact the tails that some expert wrote, right and wrong. Picked: the share of facts "
      "whose tail of least energy, or of highest probability, is right. AUROC: the probability "
      "that "
      "a right tail is held to be better than a wrong one of the same fact, and (pooled) of any "
      "two "
      "facts. The energy is that of the bare tail as the prediction, before any thinking.";
  section.table.columns = {"setting",       "learner",     "picked by energy", "by probability",
                           "AUROC, energy", "probability", "pooled, energy",   "probability"};
  for (const char* setting : {"denoising", "selection"}) {
    for (const std::string& learner : findings.learners()) {
      if (learner == kTransformerPpLearner || !findings.has(setting)) {
        continue;
      }
      const FactRun run = base_run(config, setting, learner, 0);
      std::vector<std::string> row = {setting, learner_in_words(learner)};
      for (const char* what :
           {"by_energy", "by_probability", "auroc_by_energy", "auroc_by_probability",
            "pooled_auroc_by_energy", "pooled_auroc_by_probability"}) {
        row.push_back(in_words(findings.over_seeds(run, judged(what))));
      }
      section.table.rows.push_back(std::move(row));
    }
  }
  return section;
}

// How energies of true facts and of experts' errors are spread, at the base of a setting.
std::optional<LabSection> energies_section(const TranscendLabConfig& config,
                                           const TranscendFindings& findings,
                                           const std::string& setting, const std::string& learner) {
  const json* result = findings.result_of(base_run(config, setting, learner, 0));
  if (result == nullptr || !result->contains("judgement")) {
    return std::nullopt;
  }
  ChartOptions options =
      accuracy_options(fmt::format("{}: energies, {}", setting, learner_in_words(learner)),
                       "energy less the mean of the fact's tails");
  options.y_label = "share with less energy";
  LabSection section;
  section.name = fmt::format("{}-energies-{}", setting, learner);
  section.head = options.title;
  section.note =
      "Of the tails that some expert wrote, the share below every energy: those of true facts and "
      "those of experts' errors. The further apart, the better the energy tells them apart. One "
      "model.";
  section.table.columns = {"share", "energy of true facts", "energy of errors"};
  section.folded = true;
  const std::vector<double> right = (*result)["judgement"]["right_energies"];
  const std::vector<double> wrong = (*result)["judgement"]["wrong_energies"];
  ChartSeries of_right{"true facts", {}, 0};
  ChartSeries of_wrong{"errors", {}, 1};
  for (size_t i = 0; i < right.size(); ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(right.size() - 1);
    of_right.points.emplace_back(right[i], share);
    of_wrong.points.emplace_back(wrong[i], share);
    section.table.rows.push_back({fmt::format("{:.2f}", share), fmt::format("{:.5g}", right[i]),
                                  fmt::format("{:.5g}", wrong[i])});
  }
  section.chart = line_chart({of_right, of_wrong}, options);
  return section;
}

}  // namespace

LabReport transcend_report(const TranscendLabConfig& config,
                           const std::vector<LabResult>& results) {
  const TranscendFindings findings(config, results);
  LabReport report;
  report.title = "Does it transcend?";
  report.question =
      "A model learns from many experts, each of whom errs in its own way or knows only a part. "
      "Can "
      "it be better than the best of them, when, and does the energy of an energy-based model know "
      "which of them is right?";
  report.answers = transcend_answers(config, findings);
  report.sections.push_back(linear_section(config, findings));
  const auto experts = as_numbers(read_whole_numbers(config.expert_grid, "expert-grid", 1));
  const auto set_experts = [](FactRun& run, double value) {
    run.experts = static_cast<int64_t>(value);
  };
  const auto sweep = [&](const std::string& setting, const std::string& name,
                         const std::string& words, const std::vector<double>& x,
                         const std::function<void(FactRun&, double)>& set) {
    report.sections.push_back(sweep_section(config, findings, setting, name, words, x, set));
  };
  if (findings.has("denoising")) {
    sweep("denoising", "experts", "experts", experts, set_experts);
    for (const std::string& learner : findings.learners()) {
      report.sections.push_back(temperature_section(config, findings, learner));
    }
    sweep("denoising", "coverage", "coverage",
          read_numbers(config.coverage_grid, "coverage-grid", 0),
          [](FactRun& run, double value) { run.coverage = value; });
    sweep("denoising", "phrasings", "phrasings",
          as_numbers(read_whole_numbers(config.phrasing_grid, "phrasing-grid", 1)),
          [](FactRun& run, double value) { run.phrasings = static_cast<int64_t>(value); });
    sweep("denoising", "width", "model width",
          as_numbers(read_whole_numbers(config.width_grid, "width-grid", 1)),
          [](FactRun& run, double value) { run.width = static_cast<int64_t>(value); });
  }
  if (findings.has("selection")) {
    sweep("selection", "experts", "experts", experts, set_experts);
    sweep("selection", "alpha", "α", read_numbers(config.alpha_grid, "alpha-grid", 0),
          [](FactRun& run, double value) { run.alpha = value; });
  }
  if (findings.has("generalization")) {
    report.sections.push_back(two_hop_section(config, findings));
  }
  LabSection energies = energy_section(config, findings);
  if (!energies.table.rows.empty()) {
    report.sections.push_back(std::move(energies));
  }
  for (const char* setting : {"denoising", "selection"}) {
    for (const std::string& learner : findings.learners()) {
      if (std::optional<LabSection> spread = energies_section(config, findings, setting, learner)) {
        report.sections.push_back(std::move(*spread));
      }
    }
  }
  return report;
}

}  // namespace ebt
