// `ebt train image` and `ebt train dit`.
#pragma once

#include <CLI/CLI.hpp>

namespace ebt {

// Adds both to `train`.
void register_train_image(CLI::App& train);

}  // namespace ebt
