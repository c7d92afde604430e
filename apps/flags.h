// Flags of a command, derived from the `visit_fields` of its config structs. A value is looked for
// on the command line, then in the file of --config, and then in the struct's defaults.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "ebt/core/config_fields.h"

namespace ebt {

class Flags {
 public:
  // Adds --config and --json to the command.
  explicit Flags(CLI::App& command);

  // Adds one flag for each field of `defaults`, under a heading of the help. Flags of true-or-false
  // fields come in pairs: --detach, --no-detach. A field of the name `derived` gets no flag, for it
  // follows from others; config files may still state it.
  template <class Config>
  void bind(Config defaults, const std::string& heading, const std::string& derived = "") {
    defaults.visit_fields([&](const char* name, auto& field, const char* help) {
      if (name != derived) {
        add(name, field, help)->group(heading);
      }
      known_.emplace_back(name);
    });
  }

  // Adds values that stand without flags, in the order of the fields, which must be strings.
  template <class Config>
  void bind_positional(Config fields, const std::string& heading) {
    fields.visit_fields([&](const char* name, std::string& /*field*/, const char* help) {
      command_
          .add_option_function<std::string>(
              name, [this, name](const std::string& value) { command_line_[name] = value; }, help)
          ->group(heading);
      known_.emplace_back(name);
    });
  }

  // Lets config files state these fields, which have no flags: they do nothing for the command, but
  // stand in the config.json that a run like it is started from.
  template <class Config>
  void accept(Config fields) {
    fields.visit_fields([&](const char* name, const auto& /*field*/, const char* /*help*/) {
      known_.emplace_back(name);
    });
  }

  // Field names and values that the command line set.
  const nlohmann::json& on_command_line() const { return command_line_; }
  // Sets the fields that the config file or the command line gave. Throws Error for a value that a
  // field cannot take, and for a config file that names a field the command does not have.
  template <class Config>
  void apply_to(Config& config) const {
    apply(read_config_file(), "'" + config_file_ + "'", config);
    apply(command_line_, "command line", config);
  }
  // The path of the config file; empty when there is none.
  const std::string& config_file() const { return config_file_; }
  // Whether the output is to be one JSON object.
  bool json() const { return json_; }

 private:
  template <class Field>
  CLI::Option* add(const std::string& name, const Field& field, const std::string& help) {
    if constexpr (std::is_same_v<Field, bool>) {
      return command_.add_flag_function(
          "--" + name + ",!--no-" + name,
          [this, name](int64_t count) { command_line_[name] = count > 0; },
          help + (field ? " [on]" : " [off]"));
    } else if constexpr (std::is_enum_v<Field>) {
      return add_value<std::string>(name, help)->default_str(enum_name(field));
    } else if constexpr (std::is_same_v<Field, std::string>) {
      return add_value<std::string>(name, help)->default_str(field);
    } else if constexpr (std::is_integral_v<Field>) {
      return add_value<Field>(name, help)
          ->default_str(fmt::format("{}", field))
          ->check(check_whole_number<Field>, "", "");
    } else {
      return add_value<Field>(name, help)->default_str(fmt::format("{}", field));
    }
  }
  template <class Value>
  CLI::Option* add_value(const std::string& name, const std::string& help) {
    return command_.add_option_function<Value>(
        "--" + name, [this, name](const Value& value) { command_line_[name] = value; }, help);
  }
  // "", or what is wrong: the parser itself would wrap negative numbers and clamp huge ones.
  template <class Value>
  static std::string check_whole_number(const std::string& text) {
    Value value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) {
      return "";
    }
    return fmt::format("must be a whole number{}, not {}",
                       std::is_unsigned_v<Value> ? " from 0" : "", text);
  }
  // The fields of `given` that `config` has.
  template <class Config>
  static void apply(const nlohmann::json& given, const std::string& source, Config& config) {
    nlohmann::json own = nlohmann::json::object();
    config.visit_fields([&](const char* name, const auto&, const char* /*help*/) {
      if (const auto value = given.find(name); value != given.end()) {
        own[name] = *value;
      }
    });
    fields_from_json(own, source, config);
  }
  nlohmann::json read_config_file() const;

  CLI::App& command_;
  std::string config_file_;
  bool json_ = false;
  nlohmann::json command_line_ = nlohmann::json::object();
  std::vector<std::string> known_;
};

// Throws Error when flags of the command above stand before the name of this one.
void check_nothing_before(const CLI::App& command);

// Adds a subcommand. `bind` adds its flags; `run` is called with them once the command line is
// parsed, unless it names a subcommand of this one.
template <class Bind, class Run>
CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& examples, Bind bind, Run run) {
  CLI::App* command = app.add_subcommand(name, description);
  command->footer(examples);
  auto flags = std::make_shared<Flags>(*command);
  bind(*flags);
  command->callback([command, flags, run] {
    check_nothing_before(*command);
    if (command->get_subcommands().empty()) {
      run(*flags);
    }
  });
  return command;
}

}  // namespace ebt
