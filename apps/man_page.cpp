#include "man_page.h"

#include <fmt/format.h>

#include "build_info.h"
#include "command_tree.h"

namespace ebt {
namespace {

// Text that roff takes as it is.
std::string escaped(const std::string& text) {
  std::string result;
  bool at_line_begin = true;
  for (const char c : text) {
    if (at_line_begin && (c == '.' || c == '\'')) {
      result += "\\&";
    }
    at_line_begin = c == '\n';
    switch (c) {
      case '\\':
        result += "\\e";
        break;
      case '-':
        result += "\\-";
        break;
      case '~':
        result += "\\(ti";
        break;
      case '^':
        result += "\\(ha";
        break;
      case '`':
        result += "\\(ga";
        break;
      default:
        result += c;
    }
  }
  return result;
}

// "\fB\-\-steps\fR \fIINT\fR", "\fB\-\-detach\fR, \fB\-\-no\-detach\fR"
std::string flag_line(const CLI::Option& flag) {
  std::string line;
  for (const std::string& spelling : flag_spellings(flag)) {
    line += fmt::format("{}\\fB{}\\fR", line.empty() ? "" : ", ", escaped(spelling));
  }
  const ValueKind kind = value_kind(flag);
  if (kind.is_taken) {
    line += fmt::format(" \\fI{}\\fR", escaped(flag.get_type_name()));
  }
  return line;
}

std::string flags_text(const CommandEntry& entry) {
  std::string text;
  std::string heading;
  for (const CLI::Option* flag : entry.flags) {
    if (flag->get_group() != heading) {
      heading = flag->get_group();
      text += fmt::format(".PP\n{}:\n", escaped(heading));
    }
    const std::string& usual = flag->get_default_str();
    text += fmt::format(".TP\n{}\n{}{}\n", flag_line(*flag), escaped(flag->get_description()),
                        usual.empty() ? "" : escaped(fmt::format(" [{}]", usual)));
  }
  return text;
}

// Lines whose ends count, as those of examples.
std::string as_it_is(const std::string& text) {
  return text.empty() ? "" : fmt::format(".PP\n.nf\n{}\n.fi\n", escaped(text));
}

std::string synopsis(const CommandEntry& entry) {
  std::string line = "\\fBebt" + (entry.name.empty() ? "" : " " + escaped(entry.name)) + "\\fR";
  if (!entry.subcommands.empty()) {
    line +=
        entry.command->get_require_subcommand_min() > 0 ? " \\fICOMMAND\\fR" : " [\\fICOMMAND\\fR]";
  }
  for (const CLI::Option* positional : entry.positionals) {
    line += " [\\fI" + escaped(positional->get_name()) + "\\fR]";
  }
  return line + " [\\fIFLAG\\fR...]";
}

std::string command_section(const CommandEntry& entry) {
  std::string text = fmt::format(".SS \"ebt {}\"\n{}\n.PP\n{}\n", escaped(entry.name),
                                 synopsis(entry), escaped(entry.command->get_description()));
  for (const CLI::Option* positional : entry.positionals) {
    text += fmt::format(".TP\n\\fI{}\\fR\n{}\n", escaped(positional->get_name()),
                        escaped(positional->get_description()));
  }
  return text + flags_text(entry) + as_it_is(entry.command->get_footer());
}

constexpr const char* kEnd =
    ".SH EXIT STATUS\n"
    "0 where all was done; 1 where something could not be, which one sentence on the standard "
    "error\n"
    "says; 141 where the reader of the standard output closed it.\n"
    ".SH ENVIRONMENT\n"
    ".TP\n\\fBEBT_MAX_ISA\\fR\n"
    "Widest instruction set to use: portable, avx2, avx512 or avx512_bf16.\n"
    ".TP\n\\fBEBT_API_KEY\\fR\n"
    "Bearer token that requests to \\fBebt serve\\fR must carry.\n"
    ".TP\n\\fBGOMP_SPINCOUNT\\fR, \\fBOMP_WAIT_POLICY\\fR\n"
    "How threads wait for one another; where neither is set, they spin for 0.1 ms, then sleep.\n";

}  // namespace

std::string man_page(const CLI::App& app) {
  const std::vector<CommandEntry> tree = command_tree(app);
  const std::string version = std::string("ebt ") + kBuildVersion;
  std::string text = fmt::format(
      ".\\\" Made by 'ebt man'.\n"
      ".TH EBT 1 \"\" \"{}\" \"User Commands\"\n"
      ".SH NAME\nebt \\- train Energy\\-Based Transformers, and let them think\n"
      ".SH SYNOPSIS\n{}\n"
      ".SH DESCRIPTION\n{}\n{}{}.SH COMMANDS\n",
      escaped(version), synopsis(tree.front()), escaped(app.get_description()),
      flags_text(tree.front()), as_it_is(app.get_footer()));
  for (const CommandEntry& entry : tree) {
    if (!entry.name.empty()) {
      text += command_section(entry);
    }
  }
  return text + kEnd;
}

}  // namespace ebt
