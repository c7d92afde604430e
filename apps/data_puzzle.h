// `ebt data puzzle` and `ebt data check`.
#pragma once

#include <CLI/CLI.hpp>

namespace ebt {

// Adds both commands, each with a command for every kind of puzzle, to `ebt data`.
void register_puzzles(CLI::App& data);

}  // namespace ebt
