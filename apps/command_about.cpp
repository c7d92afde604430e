// `ebt completion` and `ebt man`: texts about the program, made of its registered commands.
#include <fmt/format.h>

#include "commands.h"
#include "man_page.h"
#include "shell_completion.h"

namespace ebt {

void register_about(CLI::App& app) {
  CLI::App* const completion = app.add_subcommand(
      "completion", "Print the completion of commands, flags and their values for a shell.");
  completion->require_subcommand(1);
  completion->footer(
      "Examples:\n"
      "  source <(ebt completion bash)\n"
      "  ebt completion zsh > ~/.zfunc/_ebt                  # a folder of zsh's fpath");
  completion->add_subcommand("bash", "For bash.")->callback([&app] {
    fmt::print("{}", bash_completion(app));
  });
  completion->add_subcommand("zsh", "For zsh.")->callback([&app] {
    fmt::print("{}", zsh_completion(app));
  });
  app.add_subcommand("man", "Print the manual page, in roff.")
      ->footer("Example:\n  ebt man | man -l -")
      ->callback([&app] { fmt::print("{}", man_page(app)); });
}

}  // namespace ebt
