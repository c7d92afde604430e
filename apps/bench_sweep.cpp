#include "bench_sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <vector>

#include "child_program.h"
#include "ebt/core/config_fields.h"
#include "ebt/core/error.h"
#include "ebt/core/log.h"
#include "ebt/core/printable.h"
#include "ebt/io/csv.h"
#include "ebt/io/file.h"
#include "ebt/io/folder.h"
#include "ebt/model/config.h"
#include "ebt/report/chart.h"
#include "ebt/report/sweep_figure.h"
#include "output.h"

namespace ebt {
namespace {

struct Axis {
  const char* name;
  const char* default_values;
  const char* words;  // in the figure
  bool log_x;
};

constexpr std::array<Axis, 4> kAxes = {{
    {"context", "64,128,256,512,1024", "tokens of context", true},
    {"vocab", "256,1024,4096,16384", "vocabulary", true},
    {"think-steps", "1,2,4,8", "thinking steps", false},
    {"size", "4xs,3xs,xxs,xs", "size, by number of weights", true},
}};

const Axis& find_axis(const std::string& name) {
  const auto* axis = std::find_if(kAxes.begin(), kAxes.end(),
                                  [&](const Axis& candidate) { return candidate.name == name; });
  EBT_CHECK(axis != kAxes.end(), "--sweep must be context, vocab, think-steps or size, not '{}'",
            name);
  return *axis;
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

int64_t positive_number(const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  EBT_CHECK(error == std::errc() && end == text.data() + text.size() && value >= 1,
            "--values must be whole numbers from 1 with commas between them, not '{}'", text);
  return value;
}

// The configuration of one swept value.
TextStepBenchmarkConfig at_value(TextStepBenchmarkConfig config, const std::string& axis,
                                 const std::string& value) {
  if (axis == "size") {
    const auto& sizes = model_sizes();
    EBT_CHECK(std::any_of(sizes.begin(), sizes.end(),
                          [&](const ModelSize& size) { return size.name == value; }),
              "--values must be sizes from 4xs to xl with commas between them, not '{}'", value);
    config.size = value;
    return config;
  }
  const int64_t number = positive_number(value);
  if (axis == "context") {
    int64_t tokens = 0;
    EBT_CHECK(!__builtin_mul_overflow(config.batch, config.context, &tokens) && tokens >= 1,
              "--batch, --context: {} rows of {} tokens are not possible", config.batch,
              config.context);
    EBT_CHECK(tokens % number == 0,
              "--values: a context of {} does not divide the {} tokens of a step (--batch times "
              "--context)",
              number, tokens);
    config.context = number;
    config.batch = tokens / number;
  } else if (axis == "vocab") {
    config.vocab = number;
  } else {
    config.think_steps = number;
  }
  return config;
}

// What `ebt bench train --json` says of a configuration; where it fails, the settings and "error".
Json measure(const TextStepBenchmarkConfig& config) {
  Json settings = fields_to_json(config);
  const Json usual = fields_to_json(TextStepBenchmarkConfig{});
  std::vector<std::string> arguments = {"bench", "train", "--json"};
  for (const auto& [name, value] : settings.items()) {
    if (value == usual[name]) {
      continue;
    }
    if (value.is_boolean()) {
      arguments.push_back("--" + name + "=" + value.dump());
      continue;
    }
    arguments.push_back("--" + name);
    arguments.push_back(value.is_string() ? value.get<std::string>() : value.dump());
  }
  const ChildOutcome outcome = run_child(arguments);
  if (!outcome.succeeded) {
    settings["error"] = outcome.sentence;
    return settings;
  }
  return Json::parse(outcome.out);
}

// The object with the fields of objects within it at the top: {"a": {"b": 1}} is {"a.b": 1}.
Json flat(const Json& object) {
  Json result = Json::object();
  for (const auto& [name, value] : object.items()) {
    if (value.is_object()) {
      for (const auto& [inner, number] : value.items()) {
        result[fmt::format("{}.{}", name, inner)] = number;
      }
    } else {
      result[name] = value;
    }
  }
  return result;
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// A column for each field that any row has; the error is the last.
std::string to_csv(std::vector<Json> rows) {
  std::transform(rows.begin(), rows.end(), rows.begin(), flat);
  std::vector<std::string> columns;
  for (const Json& row : rows) {
    for (const auto& [name, value] : row.items()) {
      if (name != "error" && std::find(columns.begin(), columns.end(), name) == columns.end()) {
        columns.push_back(name);
      }
    }
  }
  columns.emplace_back("error");
  std::string csv;
  for (const std::string& column : columns) {
    csv += (csv.empty() ? "" : ",") + column;
  }
  csv += '\n';
  for (const Json& row : rows) {
    for (const std::string& column : columns) {
      csv += row.contains(column) ? csv_field(text_of(row[column])) : "";
      csv += column == "error" ? '\n' : ',';
    }
  }
  return csv;
}

std::string to_svg(const Axis& axis, const TextStepBenchmarkConfig& base,
                   const std::vector<Json>& rows) {
  const bool is_baseline = base.arch == "transformer_pp";
  std::vector<SweepPoint> points;
  std::string isa;
  for (const Json& row : rows) {
    if (row.contains("error")) {
      continue;
    }
    const Json& value = row[axis.name];
    isa = row["isa"];
    SweepPoint point;
    point.label = value.is_string() ? value.get<std::string>() : chart_number(value.get<double>());
    point.x = value.is_string() ? row["parameters"].get<double>() : value.get<double>();
    point.seconds = row["seconds_per_step"];
    point.baseline_seconds = row.value("transformer_pp_seconds", 0.0);
    point.gemm_seconds = row["gemm_seconds"];
    point.peak_gib = row["peak_gib"];
    point.planned_gib = row["planned_gib"];
    for (const auto& [name, seconds] : row["phases"].items()) {
      point.phases.emplace_back(name, seconds);
    }
    points.push_back(std::move(point));
  }
  SweepCaption caption;
  caption.axis = axis.words;
  caption.series = is_baseline ? "Transformer++" : "EBT";
  caption.log_x = axis.log_x;
  const std::string name = axis.name;
  std::vector<std::string> fixed = {is_baseline ? "Transformer++" : "EBT, " + base.type};
  if (name != "size") {
    fixed.push_back("size " + base.size);
  }
  if (name != "vocab") {
    fixed.push_back(fmt::format("V {}", base.vocab));
  }
  fixed.push_back(name == "context"
                      ? fmt::format("{} tokens a step", base.batch * base.context)
                      : fmt::format("batch {}, context {}", base.batch, base.context));
  if (name != "think-steps" && !is_baseline) {
    fixed.push_back(fmt::format("{} thinking steps", base.think_steps));
  }
  fixed.push_back(base.precision);
  fixed.push_back(isa);
  caption.subject = fmt::format("{}", fmt::join(fixed, " · "));
  return sweep_figure(std::move(points), caption);
}

void print_row(const std::string& value, const Json& row) {
  if (row.contains("error")) {
    fmt::print("{:>12}  {}\n", value, row["error"].get<std::string>());
  } else {
    fmt::print("{:>12}{:>12.4f}{:>12.0f}{:>12.3f}{:>12.2f}", value,
               row["seconds_per_step"].get<double>(), row["tokens_per_second"].get<double>(),
               row["peak_gib"].get<double>(), row["gemm_ratio"].get<double>());
    if (row.contains("transformer_pp_ratio")) {
      fmt::print("{:>16.2f}", row["transformer_pp_ratio"].get<double>());
    }
    fmt::print("\n");
  }
  flush_output();
}

}  // namespace

void run_sweep(const SweepConfig& sweep, const TextStepBenchmarkConfig& base, bool json) {
  const Axis& axis = find_axis(sweep.sweep);
  const std::vector<std::string> values =
      split_at_commas(sweep.values.empty() ? axis.default_values : sweep.values);
  std::vector<TextStepBenchmarkConfig> configs;
  configs.reserve(values.size());
  for (const std::string& value : values) {
    configs.push_back(at_value(base, axis.name, value));
  }
  const std::filesystem::path folder = sweep.out;
  make_folder(folder);
  const std::string csv = (folder / fmt::format("sweep-{}.csv", axis.name)).string();
  const std::string svg = (folder / fmt::format("sweep-{}.svg", axis.name)).string();

  ProgressLine line;
  std::vector<Json> rows;
  for (size_t i = 0; i < configs.size(); ++i) {
    if (!json) {
      line.update(
          fmt::format("measuring {} {} ({} of {})", axis.name, values[i], i + 1, configs.size()));
    }
    rows.push_back(measure(configs[i]));
    // What was measured stays, if the rest is interrupted.
    write_file_atomically(csv, to_csv(rows));
    write_file_atomically(svg, to_svg(axis, base, rows));
    if (!json) {
      line.finish();
      if (i == 0) {
        fmt::print("{:>12}{:>12}{:>12}{:>12}{:>12}{:>16}\n", axis.name, "s/step", "tokens/s",
                   "peak, GiB", "/ GEMMs", base.arch == "ebt" ? "/ Transformer++" : "");
      }
      print_row(values[i], rows.back());
    }
  }
  EBT_CHECK(
      std::any_of(rows.begin(), rows.end(), [](const Json& row) { return !row.contains("error"); }),
      "no value of the sweep could be measured; the first failed so: {}",
      rows.front()["error"].get<std::string>());
  if (json) {
    Json result;
    result["csv"] = csv;
    result["svg"] = svg;
    result["rows"] = rows;
    output_json(result, -1);
  } else {
    fmt::print("wrote {} and {}\n", printable(csv), printable(svg));
  }
}

}  // namespace ebt
