#include "ebt/report/html_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ebt/report/chart.h"
#include "ebt/report/markup.h"
#include "ebt/report/page.h"

namespace ebt {
namespace {

constexpr const char* kPickedStyle =
    "#picked{min-height:1.6em;margin:.6rem 0 0;font-variant-numeric:tabular-nums}\n";

// Shows the tooltip of the token that was touched, for screens without a pointer.
constexpr const char* kPageScript = R"js(
const picked=document.getElementById("picked");
document.querySelector(".sample").addEventListener("click",
  event=>{const token=event.target.closest("[title]");if(token)picked.textContent=token.title});
)js";

// At most `wanted` points, each the mean of its neighbours: the noise of single batches hides the
// course of a long run.
std::vector<std::pair<double, double>> thinned(const std::vector<TrainingPoint>& training,
                                               size_t wanted) {
  const size_t group = std::max<size_t>(1, (training.size() + wanted - 1) / wanted);
  std::vector<std::pair<double, double>> points;
  for (size_t first = 0; first < training.size(); first += group) {
    const size_t end = std::min(first + group, training.size());
    double step = 0;
    double loss = 0;
    for (size_t i = first; i < end; ++i) {
      step += static_cast<double>(training[i].step);
      loss += training[i].loss;
    }
    const auto count = static_cast<double>(end - first);
    points.emplace_back(step / count, loss / count);
  }
  return points;
}

std::string learning_section(const ReportData& report) {
  if (report.history.training.empty()) {
    return "";
  }
  std::vector<ChartSeries> series = {
      {"training", thinned(report.history.training, 150), 4, true, false}};
  const size_t steps =
      report.history.validation.empty() ? 0 : report.history.validation.back().losses.size();
  for (size_t step = 0; step < steps; ++step) {
    const bool last = step + 1 == steps;
    ChartSeries one{steps == 1 ? "validation" : fmt::format("after step {}", step + 1),
                    {},
                    last ? 0 : 1 + static_cast<int>(step % 3),
                    !last,
                    true};
    for (const ValidationPoint& point : report.history.validation) {
      if (step < point.losses.size()) {
        one.points.emplace_back(static_cast<double>(point.step), point.losses[step]);
      }
    }
    series.push_back(std::move(one));
  }
  double low = report.history.training[0].loss;
  double high = low;
  for (const TrainingPoint& point : report.history.training) {
    low = std::min(low, point.loss);
    high = std::max(high, point.loss);
  }
  ChartOptions options;
  options.title = "Loss over training steps";
  options.x_label = "training step";
  options.y_label = "nats per token";
  options.log_y = low > 0 && high > 20 * low;
  return "<section><h2>Learning</h2><p class=\"note\">Cross-entropy of the next token. Dots: "
         "validation text, after every thinking step.</p>" +
         line_chart(series, options) + "</section>\n";
}

// Why the energies of the first steps need not connect.
std::string landscape_note(const Json& config) {
  const int64_t landscapes = config.value("landscapes", int64_t{1});
  return landscapes > 1 && config.value("type", "default") != "default"
             ? fmt::format(" The first {} steps each descend a landscape of their own.", landscapes)
             : "";
}

std::string thinking_section(const ReportData& report) {
  const std::string chart = energy_chart(report.sample);
  if (chart.empty()) {
    return "";
  }
  return "<section><h2>Thinking</h2><p class=\"note\">Energy of the generated tokens, before the "
         "first thinking step (0) and after each." +
         landscape_note(report.config) + "</p>" + chart + "</section>\n";
}

std::string evaluation_section(const ReportData& report) {
  if (report.evaluation.empty()) {
    return "";
  }
  const auto best = std::min_element(
      report.evaluation.begin(), report.evaluation.end(),
      [](const EvaluationRow& a, const EvaluationRow& b) { return a.loss < b.loss; });
  std::vector<std::vector<std::string>> rows;
  for (const EvaluationRow& row : report.evaluation) {
    rows.push_back({fmt::format("{}", row.thinking_steps), fmt::format("{:.4f}", row.loss),
                    fmt::format("{:.3f}", row.perplexity),
                    fmt::format("{:.4f}", row.bits_per_byte)});
  }
  const int marked = rows.size() > 1 ? static_cast<int>(best - report.evaluation.begin()) : -1;
  return "<section><h2>Evaluation</h2><p class=\"note\">Validation text, which the model never "
         "trained on. Lower is better.</p>" +
         html_table({"Thinking steps", "Nats / token", "Perplexity", "Bits / byte"}, rows, marked) +
         "</section>\n";
}

std::string sample_section(const ReportData& report) {
  if (report.sample.empty()) {
    return "";
  }
  const std::vector<EnergyGlyph> glyphs = energy_glyphs(report.sample);
  const EnergyScale scale(glyphs);
  const bool has_energy = !report.sample[0].energy.empty();
  std::string html = "<section><h2>What it writes</h2>";
  html += has_energy
              ? "<p class=\"note\">Every token is coloured by its energy after the last "
                "thinking step. Point at one, or touch it, to see its energy step by step. "
                "What an energy says of being right is measured by \u201Cebt calibrate\u201D."
                "</p>" +
                    energy_legend(scale)
              : "<p class=\"note\">The baseline has no energy to colour its text by.</p>";
  html += fmt::format("<pre class=\"sample\"><span class=\"prompt\">{}</span>{}</pre>",
                      marked_text(report.prompt), energy_spans(glyphs, scale));
  return html + "<p class=\"note\" id=\"picked\"></p></section>\n";
}

}  // namespace

std::string report_html(const ReportData& report) {
  std::string body = "<div class=\"headlines\">\n";
  for (const auto& [value, caption] : report.headlines) {
    body += fmt::format("<div><b>{}</b><span>{}</span></div>\n", escape_markup(value),
                        escape_markup(caption));
  }
  body += "</div>\n<div class=\"pair\">\n" + learning_section(report) + thinking_section(report) +
          "</div>\n" + sample_section(report) + "<div class=\"pair\">\n" +
          evaluation_section(report) +
          commands_section(report.commands,
                           "The same seed gives the same numbers, on any number of threads.") +
          "</div>\n" + config_section(report.config);
  if (!report.sample.empty()) {
    body += fmt::format("<script>{}</script>\n", kPageScript);
  }
  return html_page(report.title, report.summary, energy_style() + kPickedStyle, body);
}

}  // namespace ebt
