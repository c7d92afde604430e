// `ebt bench`: how fast the engine is on this machine.

#include <fmt/format.h>

#include "commands.h"
#include "ebt/kernels/isa.h"
#include "ebt/train/step_benchmark.h"
#include "flags.h"

namespace ebt {
namespace {

void bench_train(const Flags& flags) {
  StepBenchmarkConfig config;
  flags.apply_to(config);
  const StepBenchmark result = benchmark_training_step(config);
  const std::string isa = kernels::isa_name(kernels::active_isa());
  if (flags.json()) {
    nlohmann::json object = fields_to_json(config);
    object["isa"] = isa;
    object["seconds_per_step"] = result.seconds_per_step;
    object["tokens_per_second"] = result.tokens_per_second;
    object["peak_gib"] = result.peak_gib;
    object["planned_gib"] = result.planned_gib;
    object["gemm_seconds"] = result.gemm_seconds;
    object["gemm_gflop"] = result.gemm_gflop;
    object["gemm_ratio"] = result.gemm_ratio;
    fmt::print("{}\n", object.dump());
    return;
  }
  fmt::print(
      "{} {} · V {} · batch {} · context {} · {} steps of thinking · {}\n\n"
      "  one training step       {:>10.4f} s\n"
      "  tokens                  {:>10.0f} /s\n"
      "  its matrix products     {:>10.4f} s   ({:.1f} GFLOP at {:.0f} GFLOP/s)\n"
      "  step / products         {:>10.2f}\n"
      "  peak memory             {:>10.3f} GiB ({:.3f} planned)\n",
      config.arch, config.size, config.vocab, config.batch, config.context, config.think_steps, isa,
      result.seconds_per_step, result.tokens_per_second, result.gemm_seconds, result.gemm_gflop,
      result.gemm_gflop / result.gemm_seconds, result.gemm_ratio, result.peak_gib,
      result.planned_gib);
}

}  // namespace

void register_bench(CLI::App& app) {
  CLI::App* bench = app.add_subcommand("bench", "Measure how fast the engine is on this machine");
  bench->require_subcommand(1);
  add_command(
      *bench, "train",
      "Time training steps on random tokens, and the matrix products of a step by themselves.\n"
      "Their ratio is what everything that is not a matrix product costs; 1 is the floor.",
      "Examples:\n"
      "  ebt bench train --size xxs --vocab 256 --batch 8 --context 256 --precision fp32 --json\n"
      "  ebt bench train --arch transformer_pp --size 4xs",
      [](Flags& flags) { flags.bind(StepBenchmarkConfig{}, "Measured step"); }, bench_train);
}

}  // namespace ebt
