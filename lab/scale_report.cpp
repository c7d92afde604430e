// The report of `ebt lab scale`.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "ebt/core/log.h"
#include "ebt/report/chart.h"
#include "lab/power_law_intervals.h"
#include "lab/scale_lab.h"
#include "lab/word_list.h"

namespace ebt {
namespace {

constexpr size_t kFewestRuns = 3;

// Runs of both learners along one measure.
struct Series {
  std::string name;   // "data"
  std::string words;  // "training tokens"
  std::vector<ScalePoint> points[2];

  bool can_be_fitted() const {
    return points[0].size() >= kFewestRuns && points[1].size() >= kFewestRuns;
  }
};

class ScaleFindings {
 public:
  ScaleFindings(const ScaleLabConfig& config, const std::vector<LabResult>& results)
      : learners_(read_words(config.learners, "learners")) {
    for (const LabResult& result : results) {
      if (result.result.has_value()) {
        done_[result.job.id] = *result.result;
      }
    }
    const std::vector<ScaleAxis> axes = scale_axes(config);
    for (const ScaleAxis& axis : axes) {
      series_.push_back(along(axis, axis.name, axis.words, axis.measure));
    }
    // What more data costs.
    series_.push_back(along(axes[0], "flops", "floating-point operations", "flops"));
    series_.push_back(along(axes[0], "seconds", "seconds of training", "seconds"));
  }

  const std::vector<std::string>& learners() const { return learners_; }
  const std::vector<Series>& series() const { return series_; }

 private:
  Series along(const ScaleAxis& axis, const std::string& name, const std::string& words,
               const std::string& measure) const {
    Series series{name, words, {}};
    for (const ScaleRun& run : axis.runs) {
      if (const auto result = done_.find(run.id()); result != done_.end()) {
        series.points[run.learner == learners_[0] ? 0 : 1].push_back(
            {result->second[measure].get<double>(), result->second["loss"].get<double>()});
      }
    }
    return series;
  }

  std::vector<std::string> learners_;
  std::map<std::string, nlohmann::json> done_;
  std::vector<Series> series_;
};

PowerLawComparison compare(const Series& series) {
  // The learner that thinks comes second in the defaults: its slope over the baseline's.
  return compare_power_laws(series.points[1], series.points[0], IrreducibleLoss::kNone, {});
}

std::string in_words(const Interval& interval) {
  return fmt::format("{:.3g} to {:.3g}", interval.low, interval.high);
}

std::string amount_in_words(const Series& series, double x) {
  return series.name == "seconds" ? format_duration(x)
                                  : fmt::format("{} {}", format_count(x), series.words);
}

std::string crossing_in_words(const Series& series, const Crossing& crossing) {
  if (!crossing.x.has_value()) {
    return fmt::format(
        "they do not meet within a thousand times the runs ({:.0f} % of resamples do)",
        100 * crossing.share);
  }
  const std::string at = amount_in_words(series, *crossing.x);
  return crossing.interval.has_value()
             ? fmt::format("they meet at {} ({} to {})", at, format_count(crossing.interval->low),
                           format_count(crossing.interval->high))
             : fmt::format("they meet at {} (in only {:.0f} % of resamples)", at,
                           100 * crossing.share);
}

// The runs, and the fitted law over their range.
ChartSeries runs_of(const std::vector<ScalePoint>& points, int color) {
  ChartSeries series{"", {}, color};
  series.cloud = true;
  for (const ScalePoint& point : points) {
    series.points.emplace_back(point.x, point.loss);
  }
  return series;
}
ChartSeries law_of(const std::vector<ScalePoint>& points, const PowerLaw& law,
                   const std::string& label, int color) {
  constexpr int kPieces = 20;
  const auto [least, most] =
      std::minmax_element(points.begin(), points.end(),
                          [](const ScalePoint& a, const ScalePoint& b) { return a.x < b.x; });
  ChartSeries series{label, {}, color};
  for (int i = 0; i <= kPieces; ++i) {
    const double x = least->x * std::pow(most->x / least->x, static_cast<double>(i) / kPieces);
    series.points.emplace_back(x, law.at(x));
  }
  return series;
}

LabSection axis_section(const ScaleFindings& findings, const Series& series) {
  LabSection section;
  section.name = series.name;
  section.head = fmt::format("Loss against {}", series.words);
  section.note = "Nats per token on the text kept out of training; lines are fitted power laws.";
  section.table.columns = {"learner", series.words, "loss"};
  for (size_t i = 0; i < 2; ++i) {
    for (const ScalePoint& point : series.points[i]) {
      section.table.rows.push_back({learner_in_words(findings.learners()[i]),
                                    fmt::format("{:.6g}", point.x),
                                    fmt::format("{:.4f}", point.loss)});
    }
  }
  section.folded = true;
  ChartOptions options;
  options.title = section.head;
  options.x_label = series.words;
  options.y_label = "nats per token";
  options.log_x = true;
  options.log_y = true;
  std::vector<ChartSeries> lines;
  for (size_t i = 0; i < 2; ++i) {
    const int color = static_cast<int>(i);
    if (series.points[i].empty()) {
      continue;
    }
    lines.push_back(runs_of(series.points[i], color));
    if (series.can_be_fitted()) {
      lines.push_back(law_of(series.points[i],
                             fit_power_law(series.points[i], IrreducibleLoss::kNone),
                             learner_in_words(findings.learners()[i]), color));
    }
  }
  if (!lines.empty()) {
    section.chart = line_chart(lines, options);
  }
  return section;
}

LabSection slopes_section(const ScaleFindings& findings) {
  const std::string first = learner_in_words(findings.learners()[1]);
  const std::string second = learner_in_words(findings.learners()[0]);
  LabSection section;
  section.name = "slopes";
  section.head = "Slopes";
  section.note =
      "Loss falls as x to the minus slope. Intervals are 95 %, from 10,000 resamples of the "
      "residuals. A crossing is where the fitted laws meet.";
  section.table.columns = {
      "x",     "slope of " + first, "interval", "slope of " + second, "interval",
      "ratio", "interval",          "crossing"};
  for (const Series& series : findings.series()) {
    if (!series.can_be_fitted()) {
      section.table.rows.push_back({series.words, "—", "—", "—", "—", "—", "—", "—"});
      continue;
    }
    const PowerLawComparison comparison = compare(series);
    section.table.rows.push_back(
        {series.words, fmt::format("{:.4f}", comparison.first.law.b), in_words(comparison.first.b),
         fmt::format("{:.4f}", comparison.second.law.b), in_words(comparison.second.b),
         fmt::format("{:.2f}", comparison.slope_ratio), in_words(comparison.slope_ratio_interval),
         crossing_in_words(series, comparison.crossing)});
  }
  return section;
}

std::vector<LabAnswer> answers_of(const ScaleFindings& findings) {
  const std::string first = learner_in_words(findings.learners()[1]);
  const std::string second = learner_in_words(findings.learners()[0]);
  std::vector<LabAnswer> answers;
  for (const Series& series : findings.series()) {
    const std::string claim =
        fmt::format("{} gains more from more {} than {}", first, series.words, second);
    if (!series.can_be_fitted()) {
      answers.push_back({claim, Verdict::kNotMeasured, "too few runs are done"});
      continue;
    }
    const PowerLawComparison comparison = compare(series);
    const Interval& ratio = comparison.slope_ratio_interval;
    const Verdict verdict = ratio.low > 1    ? Verdict::kYes
                            : ratio.high < 1 ? Verdict::kNo
                                             : Verdict::kUnclear;
    answers.push_back(
        {claim, verdict,
         fmt::format("slopes {:.4f} and {:.4f}, ratio {:.2f} ({}); {}", comparison.first.law.b,
                     comparison.second.law.b, comparison.slope_ratio, in_words(ratio),
                     crossing_in_words(series, comparison.crossing))});
  }
  return answers;
}

}  // namespace

LabReport scale_report(const ScaleLabConfig& config, const std::vector<LabResult>& results) {
  const ScaleFindings findings(config, results);
  LabReport report;
  report.title = "Does it scale?";
  report.question = fmt::format(
      "How fast does the loss of {} and of {} fall with data, batch, parameters and depth, and is "
      "there a size at which the one that is behind gets ahead?",
      learner_in_words(findings.learners()[1]), learner_in_words(findings.learners()[0]));
  report.answers = answers_of(findings);
  report.sections.push_back(slopes_section(findings));
  for (const Series& series : findings.series()) {
    report.sections.push_back(axis_section(findings, series));
  }
  return report;
}

}  // namespace ebt
