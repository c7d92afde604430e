#include "lab/lab_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ebt/io/csv.h"
#include "ebt/io/file.h"
#include "ebt/io/json_text.h"
#include "ebt/report/markup.h"
#include "ebt/report/page.h"
#include "ebt/report/panel_figure.h"

namespace ebt {
namespace {

constexpr const char* kStyle = R"css(
.answers li{margin:0 0 .7rem}.answers{padding-left:0;list-style:none;margin:0}
.answers b{display:inline-block;min-width:7.5em;padding:.05em .6em;margin-right:.6em;border-radius:99px;
border:1px solid currentColor;text-align:center;font-size:.86rem}
.answers b{color:var(--quiet)}.answers [data-verdict=yes]{color:#12724a}.answers [data-verdict=no]{color:#b3361f}
@media (prefers-color-scheme:dark){.answers [data-verdict=yes]{color:#5fd39c}.answers [data-verdict=no]{color:#ff9d8a}}
.answers span{display:block;color:var(--quiet);font-size:.92rem;margin-top:.15rem}
.scroll{overflow-x:auto}
.failures{color:#b3361f}
)css";

std::string answers_section(const LabReport& report) {
  std::string html = "<section><h2>Answers</h2><ul class=\"answers\">\n";
  for (const LabAnswer& answer : report.answers) {
    html += fmt::format("<li><b data-verdict=\"{0}\">{0}</b>{1}<span>{2}</span></li>\n",
                        verdict_in_words(answer.verdict), escape_markup(answer.claim),
                        escape_markup(answer.evidence));
  }
  return html + "</ul></section>\n";
}

std::string section_html(const LabSection& section) {
  std::string html = fmt::format("<section id=\"{}\">", escape_markup(section.name));
  html += fmt::format("<h2>{}</h2>", escape_markup(section.head));
  if (!section.note.empty()) {
    html += fmt::format("<p class=\"note\">{}</p>", escape_markup(section.note));
  }
  html += section.chart;
  if (!section.table.columns.empty()) {
    const std::string table =
        "<div class=\"scroll\">" + html_table(section.table.columns, section.table.rows) + "</div>";
    html +=
        section.folded ? "<details><summary>The numbers</summary>" + table + "</details>" : table;
  }
  return html + "</section>\n";
}

// Figures stand side by side, tables by themselves take the whole width.
std::string sections_html(const std::vector<LabSection>& sections) {
  std::string html;
  bool paired = false;
  for (const LabSection& section : sections) {
    const bool has_figure = !section.chart.empty();
    if (has_figure != paired) {
      html += has_figure ? "<div class=\"pair\">\n" : "</div>\n";
      paired = has_figure;
    }
    html += section_html(section);
  }
  return html + (paired ? "</div>\n" : "");
}

std::string state_note(const LabState& state) {
  if (state.done == state.jobs) {
    return "";
  }
  std::string html = fmt::format(
      "<section><h2>Not finished</h2><p class=\"note\">{} of {} runs are done. The answers are "
      "those "
      "of what is there; the same command goes on.</p>",
      state.done, state.jobs);
  for (const std::string& failure : state.failures) {
    html += fmt::format("<p class=\"failures\">{}</p>", escape_markup(failure));
  }
  return html + "</section>\n";
}

// JSON within a script element, which no "<" may end or comment out.
std::string as_script_data(const Json& json) {
  std::string text = json_text(json);
  for (size_t at = 0; (at = text.find('<', at)) != std::string::npos;) {
    text.replace(at, 1, "\\u003c");
  }
  return text;
}

Json table_json(const LabTable& table) {
  Json rows = Json::array();
  for (const std::vector<std::string>& row : table.rows) {
    Json object = Json::object();
    for (size_t column = 0; column < table.columns.size(); ++column) {
      object[table.columns[column]] = row[column];
    }
    rows.push_back(std::move(object));
  }
  return rows;
}

std::string csv_line(const std::vector<std::string>& fields) {
  std::string line;
  for (size_t i = 0; i < fields.size(); ++i) {
    line += (i == 0 ? "" : ",") + csv_field(fields[i]);
  }
  return line + "\n";
}

}  // namespace

std::string verdict_in_words(Verdict verdict) {
  switch (verdict) {
    case Verdict::kYes:
      return "yes";
    case Verdict::kNo:
      return "no";
    case Verdict::kUnclear:
      return "unclear";
    case Verdict::kNotMeasured:
      break;
  }
  return "not measured";
}

std::string LabTable::to_csv() const {
  std::string csv = csv_line(columns);
  for (const std::vector<std::string>& row : rows) {
    csv += csv_line(row);
  }
  return csv;
}

Json lab_summary(const LabReport& report, const LabState& state) {
  Json answers = Json::array();
  for (const LabAnswer& answer : report.answers) {
    answers.push_back({{"claim", answer.claim},
                       {"verdict", verdict_in_words(answer.verdict)},
                       {"evidence", answer.evidence}});
  }
  Json tables = Json::object();
  for (const LabSection& section : report.sections) {
    if (!section.table.columns.empty()) {
      tables[section.name] = table_json(section.table);
    }
  }
  return {{"title", report.title},       {"question", report.question},
          {"jobs", state.jobs},          {"done", state.done},
          {"failures", state.failures},  {"answers", std::move(answers)},
          {"tables", std::move(tables)}, {"config", report.config}};
}

std::string lab_page(const LabReport& report, const LabState& state) {
  std::string body = state_note(state) + answers_section(report);
  body += sections_html(report.sections);
  body += "<div class=\"pair\">\n" +
          commands_section(report.commands,
                           "An interrupted experiment goes on where it stopped, and several "
                           "processes may share its folder.") +
          config_section(report.config) + "</div>\n";
  body += fmt::format("<script type=\"application/json\" id=\"data\">{}</script>\n",
                      as_script_data(lab_summary(report, state)));
  return html_page(report.title, report.question, kStyle, body);
}

void write_lab_files(const std::filesystem::path& folder, const LabReport& report,
                     const LabState& state) {
  for (const LabSection& section : report.sections) {
    if (!section.table.columns.empty()) {
      write_file_atomically(folder / (section.name + ".csv"), section.table.to_csv());
    }
    if (!section.chart.empty()) {
      write_file_atomically(folder / (section.name + ".svg"),
                            panel_figure(section.head, {{section.head, section.chart}}, ""));
    }
  }
  constexpr int kIndent = 2;
  write_file_atomically(folder / "summary.json",
                        json_text(lab_summary(report, state), kIndent) + '\n');
  write_file_atomically(folder / "report.html", lab_page(report, state));
}

}  // namespace ebt
