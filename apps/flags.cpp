#include "flags.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <system_error>
#include <utility>

#include "ebt/io/file.h"
#include "ebt/io/json.h"

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

}  // namespace

Flags::Flags(CLI::App& command) : command_(command) {
  command_
      .add_option("--config", config_file_,
                  "JSON file of fields, named as the flags are; flags override it")
      ->group("Input and output");
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
      ->default_str(fmt::format("{}", value));
}

void Flags::add(const std::string& name, const std::string& value, const std::string& help,
                const std::string& heading) {
  add_option<std::string>(command_, command_line_, name, "--" + name, help, heading)
      ->default_str(value);
}

void Flags::add_positional(const std::string& name, const std::string& help,
                           const std::string& heading) {
  add_option<std::string>(command_, command_line_, name, name, help, heading);
}

void Flags::add_words(const std::string& name, const std::string& help,
                      const std::string& heading) {
  command_
      .add_option_function<std::vector<std::string>>(
          name,
          [this, name](const std::vector<std::string>& words) {
            command_line_[name] = fmt::format("{}", fmt::join(words, " "));
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
  const nlohmann::json file = parse_json(read_text_file(config_file_, kMaxConfig_bytes), source);
  EBT_CHECK(file.is_object(), "{} must hold a JSON object", source);
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
      run(*flags);
    }
  });
  return command;
}

}  // namespace ebt
