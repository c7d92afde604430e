#include "command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <vector>

#include "suggestion.h"

namespace ebt {
namespace {

// The names that a command has flags of, as they are typed.
std::vector<std::string> flag_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  return names;
}

std::vector<std::string> command_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(sub->get_name());
  }
  return names;
}

// Of a word that nothing takes.
std::string unknown_word(const CLI::App& command, const std::string& word) {
  if (word.starts_with('-')) {
    const std::string flag = word.substr(0, word.find('='));
    return fmt::format("there is no flag {}{}", flag, did_you_mean(flag, flag_names(command)));
  }
  const std::vector<std::string> names = command_names(command);
  if (names.empty()) {
    return fmt::format("'{}' is not expected here: flags begin with --", word);
  }
  const std::string parent = full_name(command) + " ";
  return fmt::format("there is no command '{}{}'{}", parent, word,
                     did_you_mean(word, names, parent));
}

// The parser's words in those of this program.
std::string in_our_words(const std::string& text) {
  const auto name = text.substr(0, text.find(": "));
  if (text.find(" required ") != std::string::npos && text.ends_with(" missing")) {
    return name + " needs a value";
  }
  if (text.find(": At Most ") != std::string::npos) {
    return name + " is given more than once";
  }
  if (text.starts_with(name + ": must be ")) {
    return name + text.substr(name.size() + 1);
  }
  return text;
}

}  // namespace

const CLI::App& chosen_command(const CLI::App& app) {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
  }
  return *command;
}

std::string full_name(const CLI::App& command) {
  const CLI::App* const parent = command.get_parent();
  return (parent == nullptr ? "" : full_name(*parent) + " ") + command.get_name();
}

std::string parse_failure(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = chosen_command(app);
  if (const std::vector<std::string> left = app.remaining(true); !left.empty()) {
    return unknown_word(command, left.front());
  }
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError)) {
    return fmt::format("'{}' needs to know what to do: {}", full_name(command),
                       fmt::join(command_names(command), ", "));
  }
  const std::string text = error.what();
  return in_our_words(text.substr(0, text.find('\n')));
}

}  // namespace ebt
