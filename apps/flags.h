// Flags of a command, derived from the `visit_fields` of its config structs. A value is looked for
// on the command line, then in the file of --config, and then in the struct's defaults.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "ebt/core/config_fields.h"
#include "output_guard.h"

namespace ebt {

class Flags;

// Why flags mean nothing where they were given: what follows "--name " in the message, as "is for
// --data"; "" where they do mean something.
using WhyNot = std::function<std::string(const Flags&)>;

class Flags {
 public:
  // Flags that were declared together.
  class Group {
   public:
    Group(Flags& flags, std::vector<std::string> names) : flags_(flags), names_(std::move(names)) {}
    // Giving one of them on the command line is refused where `why_not` says why.
    void only_where(WhyNot why_not) { flags_.rules_.push_back({names_, std::move(why_not)}); }

   private:
    Flags& flags_;
    std::vector<std::string> names_;
  };

  // Adds --config and --json to the command.
  explicit Flags(CLI::App& command);

  // Adds one flag for each field of `defaults`, under a heading of the help. Flags of true-or-false
  // fields come in pairs: --detach, --no-detach. Fields of the names `derived` get no flag, for
  // they follow from others; config files may still state it.
  template <class Config>
  Group bind(Config defaults, const std::string& heading,
             const std::vector<std::string>& derived = {}) {
    std::vector<std::string> names;
    defaults.visit_fields([&](const char* name, auto& field, const char* help) {
      if (std::find(derived.begin(), derived.end(), name) == derived.end()) {
        add(name, field, help, heading);
        names.emplace_back(name);
      }
      known_.emplace_back(name);
    });
    return {*this, names};
  }

  // Adds values that stand without flags, in the order of the fields, which must be strings.
  template <class Config>
  void bind_positional(Config fields, const std::string& heading) {
    fields.visit_fields([&](const char* name, std::string& /*field*/, const char* help) {
      add_positional(name, help, heading);
      known_.emplace_back(name);
    });
  }

  // Adds one value, a string, for all words that stand without flags: they are joined by
  // `separator`.
  template <class Config>
  void bind_words(Config fields, const std::string& heading, const std::string& separator = " ") {
    fields.visit_fields([&](const char* name, std::string& /*field*/, const char* help) {
      add_words(name, help, heading, separator);
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

  // Some of the flags that were bound.
  Group flags(std::vector<std::string> names) { return {*this, std::move(names)}; }
  // The only words that a flag takes, beside what field_kinds.h knows of.
  void words(const std::string& name, const std::vector<std::string>& words);
  // The command is one piece of work that processes can share which a launcher started together.
  void shared_by_ranks() { shared_by_ranks_ = true; }
  bool is_shared_by_ranks() const { return shared_by_ranks_; }
  // What the command writes at --out; default: a folder.
  void writes(OutputKind kind) { output_kind_ = kind; }

  // Field names and values that the command line set.
  const nlohmann::json& on_command_line() const { return command_line_; }
  // The text that the command line or the config file gave a field; "" if neither did.
  std::string given(const std::string& name) const;
  // Sets the fields that the config file or the command line gave. Throws Error for a value that a
  // field cannot take, and for a config file that names a field the command does not have.
  template <class Config>
  void apply_to(Config& config) const {
    apply(read_config_file(), "'" + config_file_ + "'", config);
    apply(command_line_, "command line", config);
  }
  // Throws Error for flags that mean nothing together, for paths that are empty, and for outputs
  // that would cost something that is there.
  void check() const;
  // The path of the config file; empty when there is none.
  const std::string& config_file() const { return config_file_; }
  // Whether the output is to be one JSON object.
  bool json() const { return json_; }

 private:
  struct Rule {
    std::vector<std::string> names;
    WhyNot why_not;
  };
  struct Path {
    std::string name;
    const CLI::Option* option;
    std::string default_path;
  };

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
    std::vector<std::string> names;
    for (const auto& [word, candidate] : enum_names(value)) {
      names.push_back(word);
    }
    words(name, names);
  }
  void add_positional(const std::string& name, const std::string& help, const std::string& heading);
  void add_words(const std::string& name, const std::string& help, const std::string& heading,
                 const std::string& separator);
  // Gives an option of text its type in help and completion, and remembers paths.
  void describe(CLI::Option* option, const std::string& name, const std::string& default_text);
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
  void check_paths() const;

  CLI::App& command_;
  std::string config_file_;
  bool json_ = false;
  nlohmann::json command_line_ = nlohmann::json::object();
  std::vector<std::string> known_;
  std::vector<Rule> rules_;
  std::vector<Path> paths_;
  OutputKind output_kind_ = OutputKind::kFolder;
  bool shared_by_ranks_ = false;
};

// Adds a subcommand. `bind` adds its flags; `run` is called with them once the command line is
// parsed, unless it names a subcommand of this one.
CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& examples, const std::function<void(Flags&)>& bind,
                      std::function<void(const Flags&)> run);

}  // namespace ebt
