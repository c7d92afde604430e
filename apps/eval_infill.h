// `ebt eval infill`.
#pragma once

#include <CLI/CLI.hpp>

namespace ebt {

// Adds it to `eval`.
void register_eval_infill(CLI::App& eval);

}  // namespace ebt
