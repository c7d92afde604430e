// Error messages for command lines that cannot be parsed.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace ebt {

// The command that the command line chose: the deepest, or the program itself.
const CLI::App& chosen_command(const CLI::App& app);
// "ebt", "ebt train image"
std::string full_name(const CLI::App& command);

// One sentence that says what is wrong, and what may have been meant.
std::string parse_failure(const CLI::App& app, const CLI::ParseError& error);

}  // namespace ebt
