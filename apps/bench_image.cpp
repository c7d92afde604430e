#include "bench_image.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/image_step_benchmark.h"
#include "ebt/core/log.h"
#include "ebt/kernels/gemm.h"
#include "ebt/kernels/isa.h"
#include "ebt/model/engine_options.h"
#include "flags.h"
#include "output.h"
#include "phase_table.h"
#include "rules.h"

namespace ebt {
namespace {

Json to_json(const ImageStepBenchmarkConfig& config, const ImageStepBenchmark& result) {
  Json object = fields_to_json(config);
  object["isa"] = kernels::isa_name(kernels::active_isa());
  object["precision"] = precision_name(precision_of(config.precision));
  object["bf16_engine"] = kernels::bf16_engine();
  object["parameters"] = result.parameters;
  object["seconds_per_step"] = result.seconds_per_step;
  object["images_per_second"] = result.images_per_second;
  object["peak_gib"] = result.peak_gib;
  object["planned_gib"] = result.planned_gib;
  object["gemm_seconds"] = result.gemm_seconds;
  object["gemm_gflop"] = result.gemm_gflop;
  object["gemm_ratio"] = result.gemm_ratio;
  if (result.dit_seconds > 0) {
    object["dit_seconds"] = result.dit_seconds;
    object["dit_ratio"] = result.dit_ratio;
  }
  object["phases"] = to_json(result.phases);
  return object;
}

void print_table(const ImageStepBenchmarkConfig& config, const ImageStepBenchmark& result) {
  fmt::print(
      "{} {} · {} by {} pixels in patches of {} · batch {} · {} steps of thinking · {} · {}\n\n"
      "  one training step       {:>10.4f} s\n",
      enum_name(config.arch), config.size, config.image_size, config.image_size, config.patch,
      config.batch, config.think_steps, precision_name(precision_of(config.precision)),
      kernels::isa_name(kernels::active_isa()), result.seconds_per_step);
  print_phases(result.phases);
  fmt::print(
      "  images                  {:>10.1f} /s\n"
      "  its matrix products     {:>10.4f} s   ({:.1f} GFLOP at {:.0f} GFLOP/s)\n"
      "  step / products         {:>10.2f}\n",
      result.images_per_second, result.gemm_seconds, result.gemm_gflop,
      result.gemm_gflop / result.gemm_seconds, result.gemm_ratio);
  if (result.dit_seconds > 0) {
    fmt::print("  step / DiT              {:>10.2f}     ({:.4f} s)\n", result.dit_ratio,
               result.dit_seconds);
  }
  fmt::print("  peak memory             {:>10.3f} GiB ({:.3f} planned)\n", result.peak_gib,
             result.planned_gib);
}

void bench_image(const Flags& flags) {
  ImageStepBenchmarkConfig config;
  flags.apply_to(config);
  if (flags.json()) {
    const ImageStepBenchmark result = benchmark_image_step(config, [](const std::string&) {});
    output_json(to_json(config, result), -1);
    return;
  }
  ProgressLine line;
  const ImageStepBenchmark result =
      benchmark_image_step(config, [&](const std::string& text) { line.update(text); });
  line.finish();
  print_table(config, result);
}

}  // namespace

void register_bench_image(CLI::App& bench) {
  add_command(
      bench, "image",
      "Time training steps on random images, phase by phase; then the matrix products of a step "
      "by\nthemselves, and steps of a DiT of the same size.",
      "Examples:\n"
      "  ebt bench image                                     # xxs, 32 pixels, patches of 4\n"
      "  ebt bench image --arch dit --size 4xs --precision fp32 --json",
      [](Flags& flags) {
        flags.bind(ImageStepBenchmarkConfig{}, "Measured step");
        flags.flags({"think-steps"}).only_where(where_arch_is_ebt());
        flags.words("arch", {"ebt", "dit"});
      },
      bench_image);
}

}  // namespace ebt
