#include "ebt/train/memory_plan.h"

#include <omp.h>

#include <algorithm>

#include "ebt/core/log.h"
#include "ebt/io/available_memory.h"
#include "ebt/kernels/attention.h"
#include "ebt/kernels/gemm.h"
#include "ebt/model/image_model.h"
#include "ebt/model/text_model.h"
#include "ebt/think/text_workspace.h"

namespace ebt {
namespace {

// Code that is generated for products, and the buffers they keep for every thread: measured.
constexpr double kProgramBytes = 12 << 20;
constexpr double kThreadBytes = 3 << 20;

MemoryPlan plan_of(int64_t micro_batch, double bytes_to_take) {
  const auto held = static_cast<double>(held_memory_bytes());
  MemoryPlan plan;
  plan.micro_batch = micro_batch;
  plan.needed_bytes = held + bytes_to_take + kProgramBytes + kThreadBytes * omp_get_max_threads();
  if (const auto available = available_memory_bytes()) {
    plan.available_bytes = held + static_cast<double>(*available);
  }
  return plan;
}

// What attention keeps for heads of (rows, queries) by `keys`.
template <class Model>
double attention_bytes(const Model& model, int64_t rows, int64_t queries, int64_t keys) {
  return static_cast<double>(kernels::attention_scratch_bytes(
      rows * model.heads, queries, keys, model.head_width(), omp_get_max_threads()));
}

// bf16 factors of a weight gradient are widened where the CPU does not multiply them.
template <class Config>
double widened_bytes(const Config& config, int64_t rows, int64_t columns) {
  const bool widens = config.run.precision == "bf16" && kernels::bf16_engine() == "float32";
  return widens ? sizeof(float) * static_cast<double>(rows) * static_cast<double>(columns) : 0.0;
}

}  // namespace

void MemoryPlan::check_fits(const std::string& what_to_lower) const {
  EBT_CHECK(fits(), "this run needs about {} of memory, and {} are available: lower {}",
            format_bytes(needed_bytes), format_bytes(*available_bytes), what_to_lower);
}

template <class T>
MemoryPlan plan_memory(const TrainConfig& config, size_t order_bytes) {
  const ModelConfig& model = config.model;
  const int64_t replay_rows = config.thinking.replay_rows;
  // The buffer's rows, and those of a batch on their way in and out.
  const int64_t kept_rows =
      replay_rows > 0 ? replay_rows + config.run.batch + config.run.batch / 2 : 0;
  const int64_t micro_batch = config.run.micro_batch;
  const int64_t positions = default_chunk_positions(model.vocab_size);
  const int64_t keys = model.context + model.lead();
  const double attention = std::max(
      attention_bytes(model, micro_batch, model.context, keys),
      attention_bytes(model, std::clamp<int64_t>(positions / model.context, 1, micro_batch),
                      std::min(positions, model.context), keys));
  return plan_of(micro_batch,
                 static_cast<double>(model_bytes<T>(model, config.thinking, micro_batch,
                                                    model.context, engine_options<T>(config))) +
                     static_cast<double>(sizeof(T)) * static_cast<double>(kept_rows) *
                         static_cast<double>(model.context) *
                         static_cast<double>(model.vocab_size) +
                     2.0 * sizeof(int32_t) * static_cast<double>(config.run.batch + kept_rows) *
                         static_cast<double>(model.context) +
                     static_cast<double>(order_bytes) + attention +
                     widened_bytes(config, micro_batch * model.context, 2 * model.ffn_width()));
}

template <class T>
MemoryPlan plan_memory(const ImageTrainConfig& config) {
  const ImageModelConfig& model = config.model;
  const int64_t micro_batch = config.run.micro_batch;
  // Bytes of colour, made ahead for training and for validation.
  const double ahead = 2.0 *
                       static_cast<double>(images_ahead(model.image_size(), config.data.loaders)) *
                       static_cast<double>(model.image_size());
  return plan_of(micro_batch,
                 static_cast<double>(image_model_bytes<T>(model, config.thinking, micro_batch,
                                                          engine_options<T>(config))) +
                     static_cast<double>(sizeof(T)) * static_cast<double>(micro_batch) *
                         static_cast<double>(model.image_size()) +
                     ahead + attention_bytes(model, micro_batch, model.patches(), model.patches()) +
                     widened_bytes(config, micro_batch * model.patches(), model.ffn_width()));
}

MemoryPlan largest_fitting(int64_t batch, const std::function<MemoryPlan(int64_t)>& plan) {
  for (int64_t rows = batch;; rows = (rows + 1) / 2) {
    const MemoryPlan candidate = plan(rows);
    if (candidate.fits() || rows == 1) {
      return candidate;
    }
  }
}

template MemoryPlan plan_memory<float>(const TrainConfig&, size_t);
template MemoryPlan plan_memory<double>(const TrainConfig&, size_t);
template MemoryPlan plan_memory<float>(const ImageTrainConfig&);
template MemoryPlan plan_memory<double>(const ImageTrainConfig&);

}  // namespace ebt
