// The commands of the `ebt` program. Each function adds one subcommand, which runs when the command
// line names it. Failures are thrown as ebt::Error.
#pragma once

#include <CLI/CLI.hpp>

namespace ebt {

void register_train(CLI::App& app);
void register_eval(CLI::App& app);
void register_calibrate(CLI::App& app);
void register_denoise(CLI::App& app);
void register_probe(CLI::App& app);
void register_generate(CLI::App& app);
void register_solve(CLI::App& app);
void register_inspect(CLI::App& app);
void register_report(CLI::App& app);
void register_tokenizer(CLI::App& app);
void register_data(CLI::App& app);
void register_bench(CLI::App& app);
void register_lab(CLI::App& app);
#ifdef EBT_HAVE_SERVE
void register_serve(CLI::App& app);
#endif
void register_about(CLI::App& app);

}  // namespace ebt
