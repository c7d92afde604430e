#include "lab/lab_comparison.h"

#include <fmt/format.h>

#include <vector>

#include "ebt/core/error.h"
#include "ebt/io/file.h"
#include "ebt/io/json.h"
#include "ebt/report/markup.h"
#include "ebt/report/page.h"

namespace ebt {
namespace {

using nlohmann::json;

constexpr size_t kMaxSummary_bytes = 100'000'000;
constexpr size_t kMaxFigure_bytes = 10'000'000;

std::string text_of(const json& object, const char* key) {
  const auto member = object.find(key);
  return member == object.end() ? ""
         : member->is_string()  ? member->get<std::string>()
                                : member->dump();
}

// The answer to a claim; null where there is none.
const json* answer_to(const json& summary, const std::string& claim) {
  for (const json& answer : summary["answers"]) {
    if (text_of(answer, "claim") == claim) {
      return &answer;
    }
  }
  return nullptr;
}

std::vector<std::string> claims_of(const json& first, const json& second) {
  std::vector<std::string> claims;
  for (const json& answer : first["answers"]) {
    claims.push_back(text_of(answer, "claim"));
  }
  for (const json& answer : second["answers"]) {
    if (answer_to(first, text_of(answer, "claim")) == nullptr) {
      claims.push_back(text_of(answer, "claim"));
    }
  }
  return claims;
}

std::string answer_in_words(const json* answer) {
  return answer == nullptr
             ? "not asked"
             : fmt::format("{}: {}", text_of(*answer, "verdict"), text_of(*answer, "evidence"));
}

// Names of the sections whose figures both folders hold.
std::vector<std::string> shared_figures(const FinishedLab& first, const FinishedLab& second) {
  std::vector<std::string> names;
  for (const auto& [name, table] : first.summary["tables"].items()) {
    // Names come from a file, and must not lead elsewhere.
    const bool is_name = name.find_first_of("/\\") == std::string::npos;
    const std::string file = name + ".svg";
    if (is_name && std::filesystem::exists(first.folder / file) &&
        std::filesystem::exists(second.folder / file)) {
      names.push_back(name);
    }
  }
  return names;
}

std::vector<std::vector<std::string>> setting_rows(const Json& settings) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& setting : settings) {
    rows.push_back({setting["name"], setting["first"], setting["second"]});
  }
  return rows;
}

}  // namespace

FinishedLab FinishedLab::open(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "summary.json";
  EBT_CHECK(std::filesystem::exists(path), "'{}' is no folder of 'ebt lab': it has no summary.json",
            folder.string());
  const std::string source = fmt::format("'{}'", path.string());
  json summary = parse_json(read_text_file(path, kMaxSummary_bytes), source);
  const auto has = [&](const char* key, bool array) {
    const auto member = summary.find(key);
    return member != summary.end() && (array ? member->is_array() : member->is_object());
  };
  EBT_CHECK(
      summary.is_object() && has("answers", true) && has("tables", false) && has("config", false),
      "{} is not the summary of an experiment", source);
  return {folder, std::move(summary)};
}

Json compare_labs(const FinishedLab& first, const FinishedLab& second) {
  Json settings = Json::array();
  json all = first.summary["config"];
  all.update(second.summary["config"]);
  for (const auto& [name, value] : all.items()) {
    const std::string of_first = text_of(first.summary["config"], name.c_str());
    const std::string of_second = text_of(second.summary["config"], name.c_str());
    if (of_first != of_second) {
      settings.push_back({{"name", name}, {"first", of_first}, {"second", of_second}});
    }
  }
  Json answers = Json::array();
  for (const std::string& claim : claims_of(first.summary, second.summary)) {
    answers.push_back({{"claim", claim},
                       {"first", answer_in_words(answer_to(first.summary, claim))},
                       {"second", answer_in_words(answer_to(second.summary, claim))}});
  }
  return {{"first", first.folder.string()},
          {"second", second.folder.string()},
          {"settings", std::move(settings)},
          {"answers", std::move(answers)}};
}

std::string comparison_text(const FinishedLab& first, const FinishedLab& second) {
  const Json comparison = compare_labs(first, second);
  std::string text = fmt::format("A: {}\nB: {}\n", first.folder.string(), second.folder.string());
  text += comparison["settings"].empty() ? "The settings are the same.\n" : "\nSettings\n";
  for (const Json& setting : comparison["settings"]) {
    text += fmt::format("  {}: A {}, B {}\n", setting["name"].get<std::string>(),
                        setting["first"].get<std::string>(), setting["second"].get<std::string>());
  }
  text += "\nAnswers\n";
  for (const Json& answer : comparison["answers"]) {
    text += fmt::format("  {}\n    A {}\n    B {}\n", answer["claim"].get<std::string>(),
                        answer["first"].get<std::string>(), answer["second"].get<std::string>());
  }
  return text;
}

std::string comparison_page(const FinishedLab& first, const FinishedLab& second) {
  const Json comparison = compare_labs(first, second);
  const std::string names[2] = {first.folder.string(), second.folder.string()};
  std::vector<std::vector<std::string>> answers;
  for (const Json& answer : comparison["answers"]) {
    answers.push_back({answer["claim"], answer["first"], answer["second"]});
  }
  std::string body = "<section><h2>Answers</h2>" +
                     html_table({"claim", names[0], names[1]}, answers) + "</section>\n";
  body += "<section><h2>Settings that differ</h2>";
  body += comparison["settings"].empty()
              ? "<p class=\"note\">None.</p>"
              : html_table({"setting", names[0], names[1]}, setting_rows(comparison["settings"]));
  body += "</section>\n";
  for (const std::string& name : shared_figures(first, second)) {
    body += "<div class=\"pair\">\n";
    for (const FinishedLab* lab : {&first, &second}) {
      body += fmt::format("<section><p class=\"note\">{}</p>{}</section>\n",
                          escape_markup(lab->folder.string()),
                          read_text_file(lab->folder / (name + ".svg"), kMaxFigure_bytes));
    }
    body += "</div>\n";
  }
  // Sentences are read from the left.
  return html_page("Two experiments", fmt::format("{} beside {}.", names[0], names[1]),
                   "td,th{text-align:left;vertical-align:top}", body);
}

}  // namespace ebt
