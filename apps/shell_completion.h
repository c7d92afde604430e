// Completion of the program's commands, flags, words and paths by shells.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace ebt {

// A script to be sourced by bash, or put where bash-completion looks for one.
std::string bash_completion(const CLI::App& app);
// A function to be put into a folder of zsh's fpath as _ebt.
std::string zsh_completion(const CLI::App& app);

}  // namespace ebt
