// `ebt bench tokenizer`.
#pragma once

#include <CLI/CLI.hpp>

namespace ebt {

// Adds the subcommand to `bench`.
void register_bench_tokenizer(CLI::App& bench);

}  // namespace ebt
