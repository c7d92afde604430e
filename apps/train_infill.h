// `ebt train infill`.
#pragma once

#include <CLI/CLI.hpp>

namespace ebt {

// Adds it to `train`.
void register_train_infill(CLI::App& train);

}  // namespace ebt
