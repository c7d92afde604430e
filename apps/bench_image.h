// `ebt bench image`.
#pragma once

#include <CLI/CLI.hpp>

namespace ebt {

void register_bench_image(CLI::App& bench);

}  // namespace ebt
