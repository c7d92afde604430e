// How fast a training step of an image model is.
#pragma once

#include <cstdint>
#include <string>

#include "bench/step_benchmark.h"
#include "ebt/core/threads.h"
#include "ebt/model/image_config.h"

namespace ebt {

struct ImageStepBenchmarkConfig {
  ImageArchitecture arch = ImageArchitecture::kEbt;
  std::string size = "xxs";
  int64_t image_size = 32;
  int64_t patch = 4;
  int64_t batch = 32;
  int64_t think_steps = 1;
  double ffn_multiplier = ImageModelConfig{}.ffn_multiplier;
  int64_t iterations = 7;
  int64_t threads = 0;
  std::string precision = "auto";

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("arch", arch, "architecture: ebt or dit");
    visit("size", size, "published size, 4xs to xl");
    visit("image-size", image_size, "height and width of the images in pixels");
    visit("patch", patch, "side of a patch in pixels");
    visit("batch", batch, "images per training step");
    visit("think-steps", think_steps, "thinking steps of an S1 training step");
    visit("ffn-multiplier", ffn_multiplier, "feed-forward width as a multiple of the model width");
    visit("iterations", iterations, "steps timed, after one to warm up; the median counts");
    visit("threads", threads, kThreadsHelp);
    visit("precision", precision,
          "fp32, bf16, or auto: bf16 where the CPU multiplies it natively, else fp32");
  }
};

// Times training steps on random images, as benchmark_steps; the baseline is a DiT. Throws Error
// for an impossible configuration.
StepBenchmark benchmark_image_step(const ImageStepBenchmarkConfig& config,
                                   const BenchmarkProgress& progress);

}  // namespace ebt
