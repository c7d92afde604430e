// `ebt eval video`.
#pragma once

#include <CLI/CLI.hpp>

namespace ebt {

// Adds it to `eval`.
void register_eval_video(CLI::App& eval);

}  // namespace ebt
