// The report of `ebt lab think`.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "ebt/eval/value_list.h"
#include "ebt/report/chart.h"
#include "lab/spread.h"
#include "lab/think_findings.h"
#include "lab/think_lab.h"
#include "lab/word_list.h"

namespace ebt {
namespace {

std::string difference_in_words(const std::vector<double>& differences) {
  const Spread spread(differences);
  return spread.count == 0
             ? "nothing to compare yet"
             : fmt::format("accuracy {:+.3f} (standard error {:.3f}, {} {} of models)", spread.mean,
                           spread.standard_error(), spread.count,
                           spread.count == 1 ? "pair" : "pairs");
}

LabAnswer answer(const std::string& claim, const std::vector<double>& differences,
                 const std::string& more = "") {
  return {claim, verdict_of(differences), difference_in_words(differences) + more};
}

std::string steps_in_words(int64_t steps) {
  return fmt::format("{} {}", steps, steps == 1 ? "step" : "steps");
}

struct Contestant {
  std::string words;
  std::string learner;
  int64_t steps = 0;
};

// Who is compared level by level.
std::vector<Contestant> contestants(const ThinkLabConfig& config, const ThinkFindings& findings) {
  std::vector<Contestant> result;
  for (const std::string& learner : read_words(config.learners, "learners")) {
    if (learner == kTransformerPpLearner) {
      result.push_back({learner_in_words(learner), learner, 0});
      continue;
    }
    const int64_t usual = findings.usual(learner);
    result.push_back(
        {fmt::format("{}, {}", learner_in_words(learner), steps_in_words(usual)), learner, usual});
    if (findings.longest() != usual) {
      result.push_back(
          {fmt::format("{}, {}", learner_in_words(learner), steps_in_words(findings.longest())),
           learner, findings.longest()});
    }
  }
  return result;
}

// The levels of a puzzle, of the results that are there: a point of each.
std::vector<ThinkPoint> levels_of(const ThinkFindings& findings, const std::string& puzzle) {
  std::map<int64_t, ThinkPoint> levels;
  for (const ThinkPoint& point : findings.points()) {
    if (point.puzzle == puzzle) {
      levels.emplace(point.level, point);
    }
  }
  std::vector<ThinkPoint> result;
  result.reserve(levels.size());
  for (const auto& [number, point] : levels) {
    result.push_back(point);
  }
  return result;
}

std::string level_in_words(const ThinkPoint& level) {
  return level.level_name + (level.trained ? "" : " (harder)");
}

ChartOptions accuracy_options(const std::string& title, const std::string& x_label) {
  ChartOptions options;
  options.title = title;
  options.x_label = x_label;
  options.y_label = "accuracy of answers";
  options.zero_y = true;
  return options;
}

LabSection levels_section(const ThinkLabConfig& config, const ThinkFindings& findings,
                          const std::string& puzzle) {
  LabSection section;
  section.name = puzzle + "-levels";
  section.head = fmt::format("{}: harder than in training", puzzle);
  section.note =
      "Share of examples whose whole answer is right, by difficulty; mean and standard deviation "
      "over seeds.";
  const std::vector<ThinkPoint> levels = levels_of(findings, puzzle);
  ChartOptions options = accuracy_options(section.head, "difficulty");
  for (size_t level = 0; level < levels.size(); ++level) {
    options.x_ticks.emplace_back(static_cast<double>(level), levels[level].sizes);
    section.table.rows.push_back({level_in_words(levels[level])});
  }
  section.table.columns = {"level"};
  std::vector<ChartSeries> series;
  for (const Contestant& contestant : contestants(config, findings)) {
    section.table.columns.push_back(contestant.words);
    ChartSeries line{contestant.words, {}, static_cast<int>(series.size())};
    line.dots = true;
    for (size_t level = 0; level < levels.size(); ++level) {
      const Spread spread =
          findings.spread(both(plain(contestant.learner, contestant.steps),
                               both(of_puzzle(puzzle), of_level(static_cast<int64_t>(level)))));
      section.table.rows[level].push_back(in_words(spread));
      if (spread.count > 0) {
        line.points.emplace_back(static_cast<double>(level), spread.mean);
      }
    }
    series.push_back(std::move(line));
  }
  section.chart = line_chart(series, options);
  return section;
}

LabSection steps_section(const ThinkFindings& findings, const std::string& puzzle,
                         const std::string& learner) {
  LabSection section;
  section.name = fmt::format("{}-steps-{}", puzzle, learner);
  section.head = fmt::format("{}: thinking longer, {}", puzzle, learner_in_words(learner));
  section.note = fmt::format(
      "The same models, asked to think for other numbers of steps; in "
      "training it was {}.",
      learner == "s1" ? "one on the last landscape" : "two or three");
  const std::vector<ThinkPoint> levels = levels_of(findings, puzzle);
  section.table.columns = {"steps"};
  for (const int64_t steps : findings.grid()) {
    section.table.rows.push_back({fmt::format("{}", steps)});
  }
  ChartOptions options = accuracy_options(section.head, "thinking steps");
  options.log_x = true;
  std::vector<ChartSeries> series;
  for (size_t level = 0; level < levels.size(); ++level) {
    section.table.columns.push_back(level_in_words(levels[level]));
    ChartSeries line{level_in_words(levels[level]), {}, static_cast<int>(level)};
    line.dots = true;
    for (size_t i = 0; i < findings.grid().size(); ++i) {
      const int64_t steps = findings.grid()[i];
      const Spread spread = findings.spread(both(
          plain(learner, steps), both(of_puzzle(puzzle), of_level(static_cast<int64_t>(level)))));
      section.table.rows[i].push_back(in_words(spread));
      if (spread.count > 0) {
        line.points.emplace_back(static_cast<double>(steps), spread.mean);
      }
    }
    series.push_back(std::move(line));
  }
  section.chart = line_chart(series, options);
  return section;
}

// What choosing among candidates, and stopping, give at the longest thinking.
LabSection choice_section(const ThinkFindings& findings) {
  LabSection section;
  section.name = "choice";
  section.head = "Choosing by energy, and stopping by itself";
  section.note = fmt::format(
      "At most {} steps, mean over puzzles and seeds. Passes are forward "
      "passes per token.",
      findings.longest());
  section.table.columns = {"learner",           "candidates", "stops below",
                           "accuracy in range", "beyond it",  "passes"};
  std::set<std::tuple<std::string, int64_t, double>> ways;
  for (const ThinkPoint& point : findings.points()) {
    if (point.steps == findings.longest() && point.without.empty()) {
      ways.insert({point.learner, point.candidates, point.stop});
    }
  }
  for (const auto& [learner, candidates, stop] : ways) {
    const ThinkFilter way = [&, learner = learner, candidates = candidates,
                             stop = stop](const ThinkPoint& point) {
      return point.learner == learner && point.without.empty() &&
             point.steps == findings.longest() && point.candidates == candidates &&
             point.stop == stop;
    };
    section.table.rows.push_back(
        {learner_in_words(learner), fmt::format("{}", candidates),
         stop > 0 ? fmt::format("{}", stop) : "never",
         in_words(findings.spread(both(way, within()))),
         in_words(findings.spread(both(way, beyond()))),
         fmt::format("{:.2f}", findings.spread(way, &ThinkPoint::passes).mean)});
  }
  return section;
}

LabSection ablation_section(const ThinkLabConfig& config, const ThinkFindings& findings) {
  LabSection section;
  section.name = "ablation";
  section.head = fmt::format("What S2 needs, on {}", config.ablation);
  const int64_t usual = findings.usual("s2");
  section.note = fmt::format(
      "S2 with one part of its recipe left out. Loss in nats per token on levels beyond the range "
      "of training, at {} steps and at {}; thinking longer helps where it falls.",
      usual, findings.longest());
  section.table.columns = {"recipe",
                           "loss, " + steps_in_words(usual),
                           "loss, " + steps_in_words(findings.longest()),
                           "change",
                           "accuracy, " + steps_in_words(usual),
                           "accuracy, " + steps_in_words(findings.longest())};
  std::vector<std::string> parts = {""};
  for (const std::string& part : s2_parts()) {
    parts.push_back(part);
  }
  const ThinkFilter here = both(of_puzzle(config.ablation), beyond());
  for (const std::string& part : parts) {
    const ThinkFilter at_usual = both(without(part, usual), here);
    const ThinkFilter at_longest = both(without(part, findings.longest()), here);
    section.table.rows.push_back(
        {part.empty() ? "all of S2" : "without " + part,
         in_words(findings.spread(at_usual, &ThinkPoint::loss)),
         in_words(findings.spread(at_longest, &ThinkPoint::loss)),
         in_words(Spread(findings.differences(at_longest, at_usual, &ThinkPoint::loss))),
         in_words(findings.spread(at_usual)), in_words(findings.spread(at_longest))});
  }
  return section;
}

LabSection points_section(const ThinkFindings& findings) {
  LabSection section;
  section.name = "points";
  section.head = "Everything that was measured";
  section.folded = true;
  section.table.columns = {"puzzle",         "learner", "without",         "seed", "level",
                           "trained",        "steps",   "candidates",      "stop", "accuracy",
                           "token_accuracy", "loss",    "passes_per_token"};
  for (const ThinkPoint& point : findings.points()) {
    section.table.rows.push_back(
        {point.puzzle, point.learner, point.without, fmt::format("{}", point.seed),
         point.level_name, point.trained ? "yes" : "no", fmt::format("{}", point.steps),
         fmt::format("{}", point.candidates), fmt::format("{}", point.stop),
         fmt::format("{:.4f}", point.accuracy), fmt::format("{:.4f}", point.token_accuracy),
         fmt::format("{:.5f}", point.loss), fmt::format("{:.3f}", point.passes)});
  }
  return section;
}

std::vector<LabAnswer> answers_of(const ThinkLabConfig& config, const ThinkFindings& findings) {
  std::vector<LabAnswer> answers;
  const int64_t longest = findings.longest();
  for (const std::string& learner : read_words(config.learners, "learners")) {
    if (learner == kTransformerPpLearner) {
      continue;
    }
    const std::string words = learner_in_words(learner);
    const ThinkFilter usual = both(plain(learner, findings.usual(learner)), beyond());
    const ThinkFilter thinking = both(plain(learner, longest), beyond());
    answers.push_back(answer(
        fmt::format("{} answers more beyond the range of training when it thinks for {} steps "
                    "instead of {}",
                    words, longest, findings.usual(learner)),
        findings.differences(thinking, usual)));
    answers.push_back(answer(
        fmt::format("{} answers more beyond the range of training than Transformer++", words),
        findings.differences(thinking, both(plain(kTransformerPpLearner, 0), beyond()))));
    for (const int64_t candidates : read_whole_numbers(config.candidates, "candidates-grid", 1)) {
      if (candidates > 1) {
        const ThinkFilter chosen = [=](const ThinkPoint& point) {
          return point.learner == learner && point.without.empty() && !point.trained &&
                 point.steps == longest && point.candidates == candidates;
        };
        answers.push_back(
            answer(fmt::format("The least energy of {} candidates is the better answer ({})",
                               candidates, words),
                   findings.differences(chosen, thinking)));
      }
    }
  }
  if (!config.ablation.empty()) {
    const int64_t usual = findings.usual("s2");
    const ThinkFilter here = both(of_puzzle(config.ablation), beyond());
    const auto gain = [&](const std::string& part) {
      return findings.differences(both(without(part, longest), here),
                                  both(without(part, usual), here), &ThinkPoint::loss);
    };
    const std::vector<double> full = gain("");
    for (const std::string& part : s2_parts()) {
      const std::vector<double> left_out = gain(part);
      std::vector<double> differences;
      for (size_t i = 0; i < std::min(full.size(), left_out.size()); ++i) {
        differences.push_back(left_out[i] - full[i]);
      }
      const Spread spread(differences);
      answers.push_back(
          {fmt::format("Thinking longer lowers the loss beyond the range of training less without "
                       "{} (S2 on {})",
                       part, config.ablation),
           verdict_of(differences),
           differences.empty()
               ? "nothing to compare yet"
               : fmt::format(
                     "from {} to {} steps the loss changes by {} nats, with all parts by {}", usual,
                     longest, in_words(Spread(left_out)), in_words(Spread(full)))});
    }
  }
  return answers;
}

}  // namespace

LabReport think_report(const ThinkLabConfig& config, const std::vector<LabResult>& results) {
  const ThinkFindings findings(results, read_whole_numbers(config.grid, "grid", 1));
  LabReport report;
  report.title = "Does thinking help?";
  report.question =
      "Models learn puzzles of some difficulties and are asked harder ones. Does an energy-based "
      "model that thinks longer than in training answer more of them, and more than a "
      "Transformer++ "
      "of the same size that learned from the same examples?";
  report.answers = answers_of(config, findings);
  for (const std::string& puzzle : read_words(config.puzzles, "puzzles")) {
    report.sections.push_back(levels_section(config, findings, puzzle));
    for (const std::string& learner : read_words(config.learners, "learners")) {
      if (learner != kTransformerPpLearner) {
        report.sections.push_back(steps_section(findings, puzzle, learner));
      }
    }
  }
  report.sections.push_back(choice_section(findings));
  if (!config.ablation.empty()) {
    report.sections.push_back(ablation_section(config, findings));
  }
  report.sections.push_back(points_section(findings));
  return report;
}

}  // namespace ebt
