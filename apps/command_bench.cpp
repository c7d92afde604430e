// `ebt bench`: how fast the engine is on this machine.

#include <fmt/format.h>

#include "bench/generation_benchmark.h"
#include "bench/text_step_benchmark.h"
#include "bench_image.h"
#include "bench_sweep.h"
#include "bench_tokenizer.h"
#include "commands.h"
#include "ebt/core/log.h"
#include "ebt/core/threads.h"
#include "ebt/kernels/gemm.h"
#include "ebt/kernels/isa.h"
#include "ebt/model/engine_options.h"
#include "flags.h"
#include "output.h"
#include "rules.h"
#include "step_table.h"

namespace ebt {
namespace {

Json to_json(const GenerationBenchmarkConfig& config, const GenerationBenchmark& result) {
  Json object = fields_to_json(config);
  object["isa"] = kernels::isa_name(kernels::active_isa());
  object["precision"] = precision_name(precision_of(config.precision));
  object["seconds_per_token"] = result.seconds_per_token;
  object["recomputed_seconds"] = result.recomputed_seconds;
  object["speedup"] = result.speedup();
  object["transformer_pp_seconds"] = result.transformer_pp_seconds;
  object["transformer_pp_ratio"] = result.transformer_pp_ratio();
  object["texts_tokens_per_second"] = result.texts_tokens_per_second;
  object["texts_ratio"] = result.texts_ratio();
  object["prompt_tokens_per_second"] = result.prompt_tokens_per_second;
  object["weight_bytes_per_token"] = result.weight_bytes_per_token;
  object["by_context"] = Json::array();
  for (const ContextCost& cost : result.by_context) {
    object["by_context"].push_back({{"context", cost.context},
                                    {"seconds_per_token", cost.seconds_per_token},
                                    {"cache_bytes_per_token", cost.cache_bytes_per_token}});
  }
  object["cache_bytes_per_second"] = result.cache_bytes_per_second;
  object["memory_bytes_per_second"] = result.memory_bytes_per_second;
  return object;
}

void print_table(const GenerationBenchmarkConfig& config, const GenerationBenchmark& result) {
  fmt::print(
      "ebt {} {} · V {} · context {} · {} steps of thinking · {} · {}\n\n"
      "  one token               {:>10.3f} ms\n"
      "  recomputing the prefix  {:>10.3f} ms   ({:.1f} times as long)\n"
      "  Transformer++           {:>10.3f} ms   (thinking takes {:.2f} times as long)\n"
      "  {:<3} texts together      {:>10.0f} tokens/s ({:.2f} times those of one)\n"
      "  reading a prompt        {:>10.0f} tokens/s\n"
      "  weights read            {:>10} per token\n\n",
      config.type, config.size, config.vocab, config.context, config.think_steps,
      precision_name(precision_of(config.precision)), kernels::isa_name(kernels::active_isa()),
      1e3 * result.seconds_per_token, 1e3 * result.recomputed_seconds, result.speedup(),
      1e3 * result.transformer_pp_seconds, result.transformer_pp_ratio(), config.texts,
      result.texts_tokens_per_second, result.texts_ratio(), result.prompt_tokens_per_second,
      format_bytes(result.weight_bytes_per_token));
  for (const ContextCost& cost : result.by_context) {
    fmt::print("  context {:<8}        {:>10.3f} ms   ({} of keys and values)\n", cost.context,
               1e3 * cost.seconds_per_token, format_bytes(cost.cache_bytes_per_token));
  }
  fmt::print("  more context is read at {:>10.1f} GB/s, memory delivers {:.1f} GB/s\n",
             1e-9 * result.cache_bytes_per_second, 1e-9 * result.memory_bytes_per_second);
}

void bench_generate(const Flags& flags) {
  GenerationBenchmarkConfig config;
  flags.apply_to(config);
  use_threads(config.threads);
  ProgressLine line;
  const GenerationBenchmark result =
      benchmark_generation(config, [&](const std::string& text) { line.update(text); });
  line.finish();
  if (flags.json()) {
    output_json(to_json(config, result), -1);
  } else {
    print_table(config, result);
  }
}

void bench_train(const Flags& flags) {
  TextStepBenchmarkConfig config;
  SweepConfig sweep;
  flags.apply_to(config);
  flags.apply_to(sweep);
  if (!sweep.sweep.empty()) {
    run_sweep(sweep, config, flags.json());
    return;
  }
  const StepWords words = {
      fmt::format("{} {} · V {} · batch {} · context {} · {} steps of thinking", config.arch,
                  config.size, config.vocab, config.batch, config.context, config.think_steps),
      "tokens", 0, "transformer_pp", "Transformer++"};
  report_step([&](const auto& progress) { return benchmark_text_step(config, progress); },
              fields_to_json(config), words, flags.json());
}

}  // namespace

void register_bench(CLI::App& app) {
  CLI::App* bench = app.add_subcommand("bench", "Measure how fast the engine is on this machine");
  bench->require_subcommand(1);
  add_command(
      *bench, "train",
      "Time training steps on random tokens, phase by phase; then the matrix products of a step "
      "by\n"
      "themselves, and steps of a Transformer++ of the same size. step / products is what "
      "everything\n"
      "that is not a matrix product costs; 1 is the floor.",
      "Examples:\n"
      "  ebt bench train --size xxs --vocab 256 --batch 8 --context 256 --precision fp32 --json\n"
      "  ebt bench train --arch transformer_pp --size 4xs\n"
      "  ebt bench train --sweep context                    # writes a table and a figure to "
      "sweep/\n"
      "  ebt bench train --sweep vocab --values 256,1024 --batch 4 --iterations 3 --out vocab\n"
      "  ebt bench train --sweep size --values 4xs,xxs --out sizes",
      [](Flags& flags) {
        flags.bind(TextStepBenchmarkConfig{}, "Measured step");
        flags.bind(SweepConfig{}, "Sweep");
        flags.flags({"values", "out"}).only_where(with("sweep"));
        flags.flags({"type", "think-steps"}).only_where(where_arch_is_ebt());
        flags.words("arch", {"ebt", "transformer_pp"});
        flags.words("sweep", {"context", "vocab", "think-steps", "size"});
      },
      bench_train);
  add_command(
      *bench, "generate",
      "Time the writing of texts after random prompts: one text and many, beside a Transformer++ "
      "of\nthe same size, beside computing the whole prefix anew for every thinking step, and at "
      "several\nlengths of context.",
      "Examples:\n"
      "  ebt bench generate                                  # xxs, V 256, context 256, 2 steps\n"
      "  ebt bench generate --type default --precision fp32 --json\n"
      "  ebt bench generate --size small --vocab 50277 --texts 4",
      [](Flags& flags) { flags.bind(GenerationBenchmarkConfig{}, "Measured texts"); },
      bench_generate);
  register_bench_image(*bench);
  register_bench_tokenizer(*bench);
}

}  // namespace ebt
