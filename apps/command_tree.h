// The commands of the program as other texts need them: shell completion and the manual page are
// made from the same registered commands and flags as --help.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace ebt {

// One command, with its flags in the order of the help.
struct CommandEntry {
  std::string name;  // "train image"; "" for the program itself
  const CLI::App* command;
  std::vector<const CLI::App*> subcommands;
  std::vector<const CLI::Option*> flags;
  std::vector<const CLI::Option*> positionals;
};

// All commands, each behind the one that it belongs to.
std::vector<CommandEntry> command_tree(const CLI::App& app);

// "--steps", or "--detach" and "--no-detach".
std::vector<std::string> flag_spellings(const CLI::Option& flag);

// What a flag's value is, as field_kinds.h says. A switch takes none.
struct ValueKind {
  bool is_taken = false;
  bool is_path = false;
  bool is_folder = false;          // a path of folders only
  std::vector<std::string> words;  // the only values, if they are known
};
ValueKind value_kind(const CLI::Option& flag);

}  // namespace ebt
