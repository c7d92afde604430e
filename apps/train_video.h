// `ebt train video`.
#pragma once

#include <CLI/CLI.hpp>

namespace ebt {

// Adds it to `train`.
void register_train_video(CLI::App& train);

}  // namespace ebt
