#include "ebt/report/page.h"

#include <fmt/format.h>

#include "ebt/report/chart.h"
#include "ebt/report/markup.h"

namespace ebt {
namespace {

constexpr const char* kPageStyle = R"css(
:root{color-scheme:light dark;--ground:#f5f6f8;--card:#fff;--ink:#1b2028;--quiet:#5d6675;
--line:#e3e6eb;--accent:#1f5fd0}
@media (prefers-color-scheme:dark){:root{--ground:#0f1217;--card:#171b22;--ink:#f1f4f8;
--quiet:#98a2b3;--line:#2b313c;--accent:#79aefc}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2.2rem 1.1rem 4rem;max-width:1160px;background:var(--ground);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;overflow-wrap:break-word}
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
section>svg{width:100%;height:auto;display:block}
section{padding:1.1rem 1.2rem;margin:0 0 .8rem;min-width:0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.42rem .3rem .42rem .8rem;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{text-align:left;padding-left:.1rem}
th{font-weight:600;font-size:.86rem;color:var(--quiet)}
tr:last-child td{border-bottom:0}
tr.best td{font-weight:650;color:var(--accent)}
pre{font:13px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
white-space:break-spaces;overflow-wrap:anywhere;margin:.4rem 0}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(230px,1fr));gap:0 1.6rem;margin:.6rem 0 0;font-size:.9rem}
dl div{display:flex;justify-content:space-between;gap:1rem;border-bottom:1px solid var(--line);padding:.24rem 0}
dt{color:var(--quiet)}dd{margin:0;text-align:right;overflow-wrap:anywhere}
summary{cursor:pointer;font-weight:600;font-size:1.08rem}
)css";

}  // namespace

std::string html_page(const std::string& title, const std::string& lead, const std::string& style,
                      const std::string& body) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}{}{}</style>\n</head>\n<body>\n<h1>{}</h1>\n"
      "<p class=\"lead\">{}</p>\n{}</body>\n</html>\n",
      escape_markup(title), kPageStyle, chart_style(), style, escape_markup(title),
      escape_markup(lead), body);
}

std::string html_table(const std::vector<std::string>& columns,
                       const std::vector<std::vector<std::string>>& rows, int best) {
  std::string html = "<table><thead><tr>";
  for (const std::string& column : columns) {
    html += fmt::format("<th>{}</th>", escape_markup(column));
  }
  html += "</tr></thead><tbody>\n";
  for (size_t row = 0; row < rows.size(); ++row) {
    html += static_cast<int>(row) == best ? "<tr class=\"best\">" : "<tr>";
    for (const std::string& cell : rows[row]) {
      html += fmt::format("<td>{}</td>", escape_markup(cell));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table>";
}

std::string config_section(const Json& config) {
  std::string html = "<section><details><summary>Configuration</summary><dl>\n";
  for (const auto& [key, value] : config.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escape_markup(key),
                        text.empty() ? "\u2014" : escape_markup(text));
  }
  return html + "</dl></details></section>\n";
}

std::string commands_section(const std::vector<std::string>& commands, const std::string& note) {
  std::string html =
      fmt::format("<section><h2>Repeat it</h2><p class=\"note\">{}</p><pre>", escape_markup(note));
  for (const std::string& command : commands) {
    html += escape_markup(command) + "\n";
  }
  return html + "</pre></section>\n";
}

}  // namespace ebt
