#include "shell_completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>
#include <vector>

#include "command_tree.h"

namespace ebt {
namespace {

// Between single quotes, as both shells read it.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    result += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return result + "'";
}

// What _ebt_value answers for a flag; "" for a switch.
std::string value_word(const CLI::Option& flag) {
  const ValueKind kind = value_kind(flag);
  if (!kind.is_taken) {
    return "";
  }
  if (!kind.words.empty()) {
    return fmt::format("{}", fmt::join(kind.words, " "));
  }
  return kind.is_folder ? "FOLDER" : kind.is_path ? "PATH" : "ANY";
}

// Flags mostly take the same values in all commands: one case for all of them then, else one for
// each command.
std::string value_cases(const std::vector<CommandEntry>& tree) {
  std::map<std::string, std::set<std::string>> words_of_flag;
  for (const CommandEntry& entry : tree) {
    for (const CLI::Option* flag : entry.flags) {
      for (const std::string& spelling : flag_spellings(*flag)) {
        words_of_flag[spelling].insert(value_word(*flag));
      }
    }
  }
  std::map<std::string, std::set<std::string>> patterns_of_words;
  for (const CommandEntry& entry : tree) {
    for (const CLI::Option* flag : entry.flags) {
      for (const std::string& spelling : flag_spellings(*flag)) {
        const bool same = words_of_flag[spelling].size() == 1;
        patterns_of_words[value_word(*flag)].insert(same ? "*" + quoted(" " + spelling)
                                                         : quoted(entry.name + " " + spelling));
      }
    }
  }
  patterns_of_words.erase("");
  std::string cases;
  for (const auto& [words, patterns] : patterns_of_words) {
    cases += fmt::format("    {}) echo {} ;;\n", fmt::join(patterns, "|"), quoted(words));
  }
  return cases;
}

// What stands before the word to be completed: the same in both shells but for the names of the
// words and of the first of them.
std::string find_command(const std::vector<CommandEntry>& tree) {
  std::vector<std::string> names;
  for (const CommandEntry& entry : tree) {
    if (!entry.name.empty()) {
      names.push_back(quoted(entry.name));
    }
  }
  return fmt::format(
      "# Sets $command to the command that the words given chose: 'train image'.\n"
      "_ebt_find_command() {{\n"
      "  local before= word\n"
      "  command=\n"
      "  for word; do\n"
      "    if [[ -z $(_ebt_value \"$command\" \"$before\") ]]; then\n"
      "      case \"${{command:+$command }}$word\" in\n"
      "        {}) command=\"${{command:+$command }}$word\" ;;\n"
      "      esac\n"
      "    fi\n"
      "    before=$word\n"
      "  done\n"
      "}}\n\n",
      fmt::join(names, "|"));
}

std::string shared_functions(const std::vector<CommandEntry>& tree) {
  return fmt::format(
             "# What the value of a flag is: its words, FOLDER, PATH or ANY; nothing for a "
             "switch.\n"
             "_ebt_value() {{\n  case \"$1 $2\" in\n{}  esac\n}}\n\n",
             value_cases(tree)) +
         find_command(tree);
}

std::vector<std::string> names_of(const std::vector<const CLI::App*>& commands) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands) {
    names.push_back(command->get_name());
  }
  return names;
}

// "[what it does]" of a specification for zsh's _arguments.
std::string zsh_explanation(const std::string& text) {
  std::string result = "[";
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') {
      result += '\\';
    }
    result += c == '\n' ? ' ' : c;
  }
  return result + "]";
}

std::string zsh_action(const ValueKind& kind) {
  if (!kind.words.empty()) {
    return fmt::format(":word:({})", fmt::join(kind.words, " "));
  }
  return kind.is_folder ? ":folder:_files -/" : kind.is_path ? ":path:_files" : ":value: ";
}

std::string zsh_case(const CommandEntry& entry) {
  std::string text = fmt::format("    {})\n      specs=(\n", quoted(entry.name));
  for (const CLI::Option* flag : entry.flags) {
    const ValueKind kind = value_kind(*flag);
    for (const std::string& spelling : flag_spellings(*flag)) {
      const std::string explanation = zsh_explanation(flag->get_description());
      text += "        " +
              quoted(kind.is_taken ? spelling + "=" + explanation + zsh_action(kind)
                                   : spelling + explanation) +
              "\n";
    }
  }
  if (!entry.positionals.empty()) {
    text += "        '*:path:_files'\n";
  }
  text += "      )\n      commands=(\n";
  for (const CLI::App* sub : entry.subcommands) {
    text += "        " + quoted(sub->get_name() + ":" + sub->get_description()) + "\n";
  }
  return text + "      )\n      ;;\n";
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  const std::vector<CommandEntry> tree = command_tree(app);
  std::string cases;
  for (const CommandEntry& entry : tree) {
    std::vector<std::string> flags;
    for (const CLI::Option* flag : entry.flags) {
      for (const std::string& spelling : flag_spellings(*flag)) {
        flags.push_back(spelling);
      }
    }
    cases += fmt::format("    {}) commands={} flags={} ;;\n", quoted(entry.name),
                         quoted(fmt::format("{}", fmt::join(names_of(entry.subcommands), " "))),
                         quoted(fmt::format("{}", fmt::join(flags, " "))));
  }
  return "# Completion of ebt for bash; made by 'ebt completion bash'.\n\n" +
         shared_functions(tree) +
         "_ebt() {\n"
         "  local IFS=$' \\t\\n' current=${COMP_WORDS[COMP_CWORD]} at=$COMP_CWORD command\n"
         "  # bash takes --flag=value for three words\n"
         "  [[ $current != = ]] || current=\n"
         "  [[ ${COMP_WORDS[at]} == = ]] || at=$((at - 1))\n"
         "  [[ ${COMP_WORDS[at]} != = ]] || at=$((at - 1))\n"
         "  local previous=${COMP_WORDS[at]} value commands flags\n"
         "  _ebt_find_command \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"\n"
         "  case $command in\n" +
         cases +
         "  esac\n"
         "  value=$(_ebt_value \"$command\" \"$previous\")\n"
         "  if [[ -z $value ]]; then\n"
         "    case $current in\n"
         "      -*) value=$flags ;;\n"
         "      *) value=${commands:-PATH} ;;\n"
         "    esac\n"
         "  fi\n"
         "  COMPREPLY=()\n"
         "  case $value in\n"
         "    ANY) ;;\n"
         "    FOLDER | PATH)\n"
         "      compopt -o filenames 2>/dev/null\n"
         "      local kind=-f\n"
         "      [[ $value == PATH ]] || kind=-d\n"
         "      mapfile -t COMPREPLY < <(compgen \"$kind\" -- \"$current\") ;;\n"
         "    *) mapfile -t COMPREPLY < <(compgen -W \"$value\" -- \"$current\") ;;\n"
         "  esac\n"
         "}\n\n"
         "complete -F _ebt ebt\n";
}

std::string zsh_completion(const CLI::App& app) {
  const std::vector<CommandEntry> tree = command_tree(app);
  std::string cases;
  for (const CommandEntry& entry : tree) {
    cases += zsh_case(entry);
  }
  return "#compdef ebt\n# Completion of ebt for zsh; made by 'ebt completion zsh'.\n\n" +
         shared_functions(tree) +
         "_ebt() {\n"
         "  local command\n"
         "  local -a specs commands\n"
         "  _ebt_find_command \"${(@)words[2,CURRENT-1]}\"\n"
         "  case $command in\n" +
         cases +
         "  esac\n"
         "  if [[ ${words[CURRENT]} != -* && -n $commands &&\n"
         "        -z $(_ebt_value \"$command\" \"${words[CURRENT-1]}\") ]]; then\n"
         "    _describe command commands\n"
         "    return\n"
         "  fi\n"
         "  # _arguments is to see the words of this command only\n"
         "  local -a chosen=(${(s: :)command})\n"
         "  shift $#chosen words\n"
         "  ((CURRENT -= $#chosen))\n"
         "  _arguments $specs\n"
         "}\n\n"
         "_ebt \"$@\"\n";
}

}  // namespace ebt
