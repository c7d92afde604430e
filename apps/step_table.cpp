#include "step_table.h"

#include <fmt/format.h>

#include "ebt/core/log.h"
#include "ebt/kernels/gemm.h"
#include "ebt/kernels/isa.h"
#include "ebt/model/engine_options.h"
#include "output.h"
#include "phase_table.h"

namespace ebt {
namespace {

Json to_json(Json object, const std::string& precision, const StepBenchmark& result,
             const StepWords& words) {
  object["isa"] = kernels::isa_name(kernels::active_isa());
  object["precision"] = precision;
  object["bf16_engine"] = kernels::bf16_engine();
  object["parameters"] = result.parameters;
  object["seconds_per_step"] = result.seconds_per_step;
  object[std::string(words.counted) + "_per_second"] = result.per_second;
  object["peak_gib"] = result.peak_gib;
  object["planned_gib"] = result.planned_gib;
  object["gemm_seconds"] = result.gemm_seconds;
  object["gemm_gflop"] = result.gemm_gflop;
  object["gemm_ratio"] = result.gemm_ratio;
  if (result.baseline_seconds > 0) {
    const std::string baseline = words.baseline_key;
    object[baseline + "_seconds"] = result.baseline_seconds;
    object[baseline + "_ratio"] = result.baseline_ratio;
  }
  object["phases"] = to_json(result.phases);
  return object;
}

void print_table(const std::string& precision, const StepBenchmark& result,
                 const StepWords& words) {
  fmt::print("{} · {} · {}\n\n  one training step       {:>10.4f} s\n", words.subject, precision,
             kernels::isa_name(kernels::active_isa()), result.seconds_per_step);
  print_phases(result.phases);
  fmt::print(
      "  {:<24}{:>10.{}f} /s\n"
      "  its matrix products     {:>10.4f} s   ({:.1f} GFLOP at {:.0f} GFLOP/s)\n"
      "  step / products         {:>10.2f}\n",
      words.counted, result.per_second, words.digits, result.gemm_seconds, result.gemm_gflop,
      result.gemm_gflop / result.gemm_seconds, result.gemm_ratio);
  if (result.baseline_seconds > 0) {
    fmt::print("  {:<24}{:>10.2f}     ({:.4f} s)\n", fmt::format("step / {}", words.baseline_name),
               result.baseline_ratio, result.baseline_seconds);
  }
  fmt::print("  peak memory             {:>10.3f} GiB ({:.3f} planned)\n", result.peak_gib,
             result.planned_gib);
}

}  // namespace

void report_step(const std::function<StepBenchmark(const BenchmarkProgress&)>& measure,
                 Json settings, const StepWords& words, bool json) {
  const std::string precision =
      precision_name(precision_of(settings["precision"].get<std::string>()));
  if (json) {
    const StepBenchmark result = measure([](const std::string&) {});
    output_json(to_json(std::move(settings), precision, result, words), -1);
    return;
  }
  ProgressLine line;
  const StepBenchmark result = measure([&](const std::string& text) { line.update(text); });
  line.finish();
  print_table(precision, result, words);
}

}  // namespace ebt
