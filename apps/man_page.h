// The manual page of the program.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace ebt {

// ebt.1 in the man macros of roff: every command with its flags and examples.
std::string man_page(const CLI::App& app);

}  // namespace ebt
