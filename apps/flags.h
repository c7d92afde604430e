// Flags of a command, derived from the `visit_fields` of its config structs. A value is looked for
// on the command line, then in the file of --config, and then in the struct's defaults.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
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
        add(name, field, help, heading);
      }
      known_.emplace_back(name);
    });
  }

  // Adds values that stand without flags, in the order of the fields, which must be strings.
  template <class Config>
  void bind_positional(Config fields, const std::string& heading) {
    fields.visit_fields([&](const char* name, std::string& /*field*/, const char* help) {
      add_positional(name, help, heading);
      known_.emplace_back(name);
    });
  }

  // Adds one value, a string, for all words that stand without flags: they are joined by blanks.
  template <class Config>
  void bind_words(Config fields, const std::string& heading) {
    fields.visit_fields([&](const char* name, std::string& /*field*/, const char* help) {
      add_words(name, help, heading);
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
  // Each adds the flag of a field, whose default the help shows.
  void add(const std::string& name, bool value, const std::string& help,
           const std::string& heading);
  void add(const std::string& name, int64_t value, const std::string& help,
           const std::string& heading);
  void add(const std::string& name, uint64_t value, const std::string& help,
           const std::string& heading);
  void add(const std::string& name, double value, const std::string& help,
           const std::string& heading);
  void add(const std::string& name, const std::string& value, const std::string& help,
           const std::string& heading);
  template <class Enum>
  requires std::is_enum_v<Enum>
  void add(const std::string& name, Enum value, const std::string& help,
           const std::string& heading) {
    add(name, enum_name(value), help, heading);
  }
  void add_positional(const std::string& name, const std::string& help, const std::string& heading);
  void add_words(const std::string& name, const std::string& help, const std::string& heading);
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

// Adds a subcommand. `bind` adds its flags; `run` is called with them once the command line is
// parsed, unless it names a subcommand of this one.
CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& examples, const std::function<void(Flags&)>& bind,
                      std::function<void(const Flags&)> run);

}  // namespace ebt
