#include "flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <iterator>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "command_line.h"
#include "ebt/dist/launcher.h"
#include "ebt/io/file.h"
#include "ebt/io/json.h"
#include "ebt/io/json_text.h"
#include "suggestion.h"

namespace ebt {
namespace {

constexpr size_t kMaxConfig_bytes = 1'000'000;

// "", or what is wrong: the parser itself would wrap negative numbers and clamp huge ones.
template <class Value>
std::string check_whole_number(const std::string& text) {
  Value value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) {
    return "";
  }
  return fmt::format("must be a whole number{}, not {}", std::is_unsigned_v<Value> ? " from 0" : "",
                     text);
}

std::string check_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  return is_number && std::isfinite(value) ? "" : fmt::format("must be a number, not {}", text);
}

// An option whose value goes to `values`.
template <class Value>
CLI::Option* add_option(CLI::App& command, nlohmann::json& values, const std::string& name,
                        const std::string& option, const std::string& help,
                        const std::string& heading) {
  CLI::Option* const added = command.add_option_function<Value>(
      option, [&values, name](const Value& value) { values[name] = value; }, help);
  added->group(heading);
  return added;
}

// Throws Error when flags of the command above stand before the name of this one.
void check_nothing_before(const CLI::App& command) {
  for (const CLI::Option* option : command.get_parent()->get_options()) {
    EBT_CHECK(option->count() == 0, "{} stands before '{}', whose flags belong behind it",
              option->get_name(), command.get_name());
  }
}

// Copies that a launcher starts would do the same work over one another, unless the command shares
// it among them; those of an experiment share its queue.
void check_runs_alone(const CLI::App& command, const Flags& flags) {
  const std::optional<Launch> launch = find_launch();
  EBT_CHECK(!launch || launch->size == 1 || flags.is_shared_by_ranks() ||
                command.get_parent()->get_name() == "lab",
            "{} started {} processes, and '{}' is the work of one: start it without {}",
            launch->launcher, launch->size, full_name(command), launch->launcher);
}

// "a, b or c"
std::string in_words(const std::vector<std::string>& words) {
  const auto last = std::prev(words.end());
  return fmt::format("{}{}{}", fmt::join(words.begin(), last, ", "), words.size() > 1 ? " or " : "",
                     *last);
}

// As messages call it: "--out", or "OUT" of a value that stands without a flag.
std::string shown_name(const CLI::Option& option) {
  std::string name = option.get_name();
  if (!name.starts_with("--")) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  }
  return name;
}

}  // namespace

Flags::Flags(CLI::App& command) : command_(command) {
  CLI::Option* const config = command_.add_option(
      "--config", config_file_, "JSON file of fields, named as the flags are; flags override it");
  config->group("Input and output");
  describe(config, "config", "");
  command_.add_flag("--json", json_, "print one JSON object instead of text")
      ->group("Input and output");
}

void Flags::add(const std::string& name, bool value, const std::string& help,
                const std::string& heading) {
  command_
      .add_flag_function(
          "--" + name + ",!--no-" + name,
          [this, name](int64_t count) { command_line_[name] = count > 0; },
          help + (value ? " [on]" : " [off]"))
      ->group(heading);
}

void Flags::add(const std::string& name, int64_t value, const std::string& help,
                const std::string& heading) {
  add_option<int64_t>(command_, command_line_, name, "--" + name, help, heading)
      ->default_str(fmt::format("{}", value))
      ->check(check_whole_number<int64_t>, "", "");
}

void Flags::add(const std::string& name, uint64_t value, const std::string& help,
                const std::string& heading) {
  add_option<uint64_t>(command_, command_line_, name, "--" + name, help, heading)
      ->default_str(fmt::format("{}", value))
      ->check(check_whole_number<uint64_t>, "", "");
}

void Flags::add(const std::string& name, double value, const std::string& help,
                const std::string& heading) {
  add_option<double>(command_, command_line_, name, "--" + name, help, heading)
      ->default_str(fmt::format("{}", value))
      ->check(check_number, "", "");
}

void Flags::add(const std::string& name, const std::string& value, const std::string& help,
                const std::string& heading) {
  CLI::Option* const option =
      add_option<std::string>(command_, command_line_, name, "--" + name, help, heading);
  option->default_str(value);
  describe(option, name, value);
}

void Flags::add_positional(const std::string& name, const std::string& help,
                           const std::string& heading) {
  describe(add_option<std::string>(command_, command_line_, name, name, help, heading), name, "");
}

void Flags::describe(CLI::Option* option, const std::string& name,
                     const std::string& default_text) {
  const FieldKind kind = kind_of_field(name);
  if (!kind.type.empty()) {
    option->type_name(kind.type);
  }
  if (!kind.words.empty()) {
    words(name, kind.words);
  }
  if (kind.role != PathRole::kNone) {
    paths_.push_back({name, option, default_text});
  }
}

void Flags::words(const std::string& name, const std::vector<std::string>& words) {
  command_.get_option("--" + name)
      ->type_name(fmt::format("{{{}}}", fmt::join(words, ",")))
      ->check(
          [words](const std::string& text) {
            return std::find(words.begin(), words.end(), text) != words.end()
                       ? ""
                       : fmt::format("must be {}, not '{}'{}", in_words(words), text,
                                     did_you_mean(text, words));
          },
          "", "");
}

std::string Flags::given(const std::string& name) const {
  if (name == "config") {
    return config_file_;
  }
  if (const auto value = command_line_.find(name); value != command_line_.end()) {
    return value->is_string() ? value->get<std::string>() : value->dump();
  }
  const nlohmann::json fields = read_config_file();
  const auto value = fields.find(name);
  return value != fields.end() && value->is_string() ? value->get<std::string>() : "";
}

void Flags::check() const {
  for (const Rule& rule : rules_) {
    for (const std::string& name : rule.names) {
      if (command_line_.contains(name)) {
        const std::string reason = rule.why_not(*this);
        EBT_CHECK(reason.empty(), "--{} {}", name, reason);
      }
    }
  }
  check_paths();
}

void Flags::check_paths() const {
  std::vector<NamedInput> inputs;
  std::vector<NamedOutput> outputs;
  const bool begins = given("resume").empty();  // otherwise the run knows its folders
  for (const Path& path : paths_) {
    const std::string flag = shown_name(*path.option);
    const std::string chosen = given(path.name);
    EBT_CHECK(path.option->count() == 0 || !chosen.empty(),
              "{} is empty: name a file or folder, or leave it out", flag);
    const std::filesystem::path place = chosen.empty() && begins ? path.default_path : chosen;
    if (place.empty()) {
      continue;
    }
    const FieldKind kind = kind_of_field(path.name);
    if (kind.role == PathRole::kOutput) {
      outputs.push_back({flag, place, kind.type == "FILE" ? OutputKind::kFile : output_kind_});
    } else {
      inputs.push_back({flag, place, kind.role == PathRole::kData});
    }
  }
  check_outputs(inputs, outputs);
}

void Flags::add_words(const std::string& name, const std::string& help, const std::string& heading,
                      const std::string& separator) {
  command_
      .add_option_function<std::vector<std::string>>(
          name,
          [this, name, separator](const std::vector<std::string>& words) {
            command_line_[name] = fmt::format("{}", fmt::join(words, separator));
          },
          help)
      ->group(heading);
}

// The parts of a run's config.json ("model": {...}) are read as if their fields stood at the top,
// so that the config of one run can start another.
nlohmann::json Flags::read_config_file() const {
  nlohmann::json fields = nlohmann::json::object();
  if (config_file_.empty()) {
    return fields;
  }
  const std::string source = "'" + config_file_ + "'";
  nlohmann::json file = parse_json(read_text_file(config_file_, kMaxConfig_bytes), source);
  EBT_CHECK(file.is_object(), "{} must hold a JSON object", source);
  unescape_strings(file);
  for (const auto& [key, value] : file.items()) {
    if (value.is_object()) {
      fields.update(value);
    } else if (key != "format_version" && key != "kind") {
      fields[key] = value;
    }
  }
  detail::check_keys(fields, source, known_);
  return fields;
}

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& examples, const std::function<void(Flags&)>& bind,
                      std::function<void(const Flags&)> run) {
  CLI::App* command = app.add_subcommand(name, description);
  command->footer(examples);
  auto flags = std::make_shared<Flags>(*command);
  bind(*flags);
  command->callback([command, flags, run = std::move(run)] {
    check_nothing_before(*command);
    if (command->get_subcommands().empty()) {
      check_runs_alone(*command, *flags);
      flags->check();
      run(*flags);
    }
  });
  return command;
}

}  // namespace ebt
