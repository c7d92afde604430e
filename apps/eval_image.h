// `ebt eval image`.
#pragma once

#include <CLI/CLI.hpp>

namespace ebt {

// Adds it to `eval`.
void register_eval_image(CLI::App& eval);

}  // namespace ebt
