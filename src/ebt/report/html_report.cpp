#include "ebt/report/html_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ebt/report/chart.h"

namespace ebt {
namespace {

constexpr const char* kPageStyle = R"css(
:root{color-scheme:light dark;--ground:#f5f6f8;--card:#fff;--ink:#1b2028;--quiet:#5d6675;
--line:#e3e6eb;--accent:#1f5fd0}
@media (prefers-color-scheme:dark){:root{--ground:#0f1217;--card:#171b22;--ink:#f1f4f8;
--quiet:#98a2b3;--line:#2b313c;--accent:#79aefc}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2.2rem 1.1rem 4rem;max-width:1160px;background:var(--ground);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .35rem;letter-spacing:-.01em}
h2{font-size:1.08rem;margin:0 0 .15rem}
p{margin:0 0 .8rem}
.lead,.note{color:var(--quiet)}
.lead{max-width:46rem;margin-bottom:1.4rem}
.note{font-size:.9rem;max-width:44rem}
.headlines{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:.8rem;margin-bottom:.8rem}
.headlines div,section{background:var(--card);border:1px solid var(--line);border-radius:12px}
.headlines div{padding:.8rem 1rem}
.headlines b{display:block;font-size:1.35rem;white-space:nowrap;line-height:1.25;font-variant-numeric:tabular-nums;letter-spacing:-.01em}
.headlines span{color:var(--quiet);font-size:.86rem}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:.8rem}
section{padding:1.1rem 1.2rem;margin:0 0 .8rem;min-width:0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.42rem .3rem .42rem .8rem;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{text-align:left;padding-left:.1rem}
th{font-weight:600;font-size:.86rem;color:var(--quiet)}
tr:last-child td{border-bottom:0}
tr.best td{font-weight:650;color:var(--accent)}
.sample{font:14.5px/1.75 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
white-space:pre-wrap;overflow-wrap:anywhere;margin:.6rem 0 0}
.sample span{padding:.14em 0;cursor:default}
.sample span:hover{outline:2px solid var(--accent);border-radius:2px}
.sample .prompt,.sample .mark{color:var(--quiet)}
.legend{display:flex;align-items:center;flex-wrap:wrap;font-size:.86rem;color:var(--quiet)}
.legend i{width:1.5em;height:1em;border-block:1px solid var(--line)}
.legend span{margin:0 .6em}.legend span:first-child{margin-left:0}
#picked{min-height:1.6em;margin:.6rem 0 0;font-variant-numeric:tabular-nums}
pre{font:13px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
white-space:pre-wrap;overflow-wrap:anywhere;margin:.4rem 0}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(230px,1fr));gap:0 1.6rem;margin:.6rem 0 0;font-size:.9rem}
dl div{display:flex;justify-content:space-between;gap:1rem;border-bottom:1px solid var(--line);padding:.24rem 0}
dt{color:var(--quiet)}dd{margin:0;text-align:right;overflow-wrap:anywhere}
summary{cursor:pointer;font-weight:600;font-size:1.08rem}
)css";

// Shows the tooltip of the character that was touched, for screens without a pointer.
constexpr const char* kPageScript = R"js(
const picked=document.getElementById("picked");
document.querySelector(".sample").addEventListener("click",
  event=>{if(event.target.title)picked.textContent=event.target.title});
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
         "first thinking step (0) and after each. Low is sure." +
         landscape_note(report.config) + "</p>" + chart + "</section>\n";
}

std::string evaluation_section(const ReportData& report) {
  if (report.evaluation.empty()) {
    return "";
  }
  const auto best = std::min_element(
      report.evaluation.begin(), report.evaluation.end(),
      [](const EvaluationRow& a, const EvaluationRow& b) { return a.loss < b.loss; });
  std::string rows;
  for (auto row = report.evaluation.begin(); row != report.evaluation.end(); ++row) {
    rows += fmt::format("<tr{}><td>{}</td><td>{:.4f}</td><td>{:.3f}</td><td>{:.4f}</td></tr>\n",
                        row == best && report.evaluation.size() > 1 ? " class=\"best\"" : "",
                        row->thinking_steps, row->loss, row->perplexity, row->bits_per_byte);
  }
  return "<section><h2>Evaluation</h2><p class=\"note\">Validation text, which the model never "
         "trained on. Lower is better.</p><table><thead><tr><th>Thinking steps</th><th>Nats / "
         "token</th><th>Perplexity</th><th>Bits / byte</th></tr></thead><tbody>\n" +
         rows + "</tbody></table></section>\n";
}

std::string sample_section(const ReportData& report) {
  if (report.sample.empty()) {
    return "";
  }
  const std::vector<EnergyGlyph> glyphs = energy_glyphs(report.sample);
  const EnergyScale scale(glyphs);
  const bool has_energy = !report.sample[0].energy.empty();
  std::string html = "<section><h2>What it writes</h2>";
  html += has_energy ? "<p class=\"note\">Every character is coloured by the energy that thinking "
                       "left it with. Point at one, or touch it, to see its energy fall.</p>" +
                           energy_legend(scale)
                     : "<p class=\"note\">The baseline has no energy to colour its text by.</p>";
  html += fmt::format("<pre class=\"sample\"><span class=\"prompt\">{}</span>{}</pre>",
                      escape_markup(report.prompt), energy_spans(glyphs, scale));
  return html + "<p class=\"note\" id=\"picked\"></p></section>\n";
}

std::string commands_section(const ReportData& report) {
  std::string html =
      "<section><h2>Repeat it</h2><p class=\"note\">The same seed gives the same "
      "numbers, on any number of threads.</p><pre>";
  for (const std::string& command : report.commands) {
    html += escape_markup(command) + "\n";
  }
  return html + "</pre></section>\n";
}

std::string config_section(const ReportData& report) {
  std::string html = "<section><details><summary>Configuration</summary><dl>\n";
  for (const auto& [key, value] : report.config.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escape_markup(key),
                        text.empty() ? "\u2014" : escape_markup(text));
  }
  return html + "</dl></details></section>\n";
}

}  // namespace

std::string report_html(const ReportData& report) {
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n";
  html += fmt::format("<title>{}</title>\n<style>{}{}{}</style>\n</head>\n<body>\n",
                      escape_markup(report.title), kPageStyle, chart_style(),
                      energy_style(".sample,.legend"));
  html += fmt::format("<h1>{}</h1>\n<p class=\"lead\">{}</p>\n<div class=\"headlines\">\n",
                      escape_markup(report.title), escape_markup(report.summary));
  for (const auto& [value, caption] : report.headlines) {
    html += fmt::format("<div><b>{}</b><span>{}</span></div>\n", escape_markup(value),
                        escape_markup(caption));
  }
  html += "</div>\n<div class=\"pair\">\n" + learning_section(report) + thinking_section(report) +
          "</div>\n" + sample_section(report) + "<div class=\"pair\">\n" +
          evaluation_section(report) + commands_section(report) + "</div>\n" +
          config_section(report);
  if (!report.sample.empty()) {
    html += fmt::format("<script>{}</script>\n", kPageScript);
  }
  return html + "</body>\n</html>\n";
}

}  // namespace ebt
