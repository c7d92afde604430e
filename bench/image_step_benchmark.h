// How fast a training step of an image model is, against the hardware's own rate in the same run.
#pragma once

#include <cstdint>
#include <string>

#include "bench/benchmark_clock.h"
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

struct ImageStepBenchmark {
  int64_t parameters = 0;
  double seconds_per_step = 0;  // median: gradients, clipping and AdamW
  double images_per_second = 0;
  PhaseSeconds phases;      // of the step whose time is the median: they add up to it
  double peak_gib = 0;      // most memory the process ever held, up to the end of the steps
  double planned_gib = 0;   // what image_model_bytes foretold
  double gemm_seconds = 0;  // the step's matrix products alone, median
  double gemm_gflop = 0;    // floating-point operations of those products, 10^9
  double gemm_ratio = 0;    // seconds_per_step / gemm_seconds
  // Of a DiT of the same size on the same images, and how many times longer the step takes; 0 where
  // the measured model is one itself.
  double dit_seconds = 0;
  double dit_ratio = 0;
};

// Times training steps on random images, then the matrix products of one step by themselves, then
// steps of the baseline. Throws Error for an impossible configuration.
ImageStepBenchmark benchmark_image_step(const ImageStepBenchmarkConfig& config,
                                        const BenchmarkProgress& progress);

}  // namespace ebt
