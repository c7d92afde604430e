#include "command_tree.h"

namespace ebt {
namespace {

void add_entries(const CLI::App& command, const std::string& name,
                 std::vector<CommandEntry>& entries) {
  CommandEntry entry;
  entry.name = name;
  entry.command = &command;
  entry.subcommands = command.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::Option* option : command.get_options()) {
    (option->get_positional() ? entry.positionals : entry.flags).push_back(option);
  }
  entries.push_back(entry);
  for (const CLI::App* sub : entry.subcommands) {
    add_entries(*sub, name.empty() ? sub->get_name() : name + " " + sub->get_name(), entries);
  }
}

}  // namespace

std::vector<CommandEntry> command_tree(const CLI::App& app) {
  std::vector<CommandEntry> entries;
  add_entries(app, "", entries);
  return entries;
}

std::vector<std::string> flag_spellings(const CLI::Option& flag) {
  std::vector<std::string> spellings;
  for (const std::string& name : flag.get_lnames()) {
    spellings.push_back("--" + name);
  }
  return spellings;
}

ValueKind value_kind(const CLI::Option& flag) {
  ValueKind kind;
  kind.is_taken = flag.get_items_expected_max() > 0;
  const std::string type = flag.get_type_name();
  kind.is_folder = type == "FOLDER";
  kind.is_path = kind.is_folder || type == "FILE" || type == "PATH";
  if (kind.is_taken && type.starts_with('{')) {
    kind.words = CLI::detail::split(type.substr(1, type.size() - 2), ',');
  }
  return kind;
}

}  // namespace ebt
