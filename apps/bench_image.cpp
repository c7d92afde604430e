#include "bench_image.h"

#include <fmt/format.h>

#include "bench/image_step_benchmark.h"
#include "flags.h"
#include "rules.h"
#include "step_table.h"

namespace ebt {
namespace {

void bench_image(const Flags& flags) {
  ImageStepBenchmarkConfig config;
  flags.apply_to(config);
  const StepWords words = {
      fmt::format("{} {} · {} by {} pixels in patches of {} · batch {} · {} steps of thinking",
                  enum_name(config.arch), config.size, config.image_size, config.image_size,
                  config.patch, config.batch, config.think_steps),
      "images", 1, "dit", "DiT"};
  report_step([&](const auto& progress) { return benchmark_image_step(config, progress); },
              fields_to_json(config), words, flags.json());
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
