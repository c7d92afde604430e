#include "ebt/train/memory_plan.h"

#include "ebt/model/image_model.h"
#include "ebt/model/text_model.h"
#include "ebt/train/memory.h"

namespace ebt {
namespace {

MemoryPlan plan_of(int64_t micro_batch, double needed_bytes) {
  MemoryPlan plan;
  plan.micro_batch = micro_batch;
  plan.needed_bytes = needed_bytes;
  if (const auto available = available_memory_bytes()) {
    plan.available_bytes = static_cast<double>(*available);
  }
  return plan;
}

}  // namespace

template <class T>
MemoryPlan plan_memory(const TrainConfig& config) {
  const ModelConfig& model = config.model;
  const int64_t replay_rows = config.thinking.replay_rows;
  // The buffer's rows, and those of a batch on their way in and out.
  const int64_t kept_rows =
      replay_rows > 0 ? replay_rows + config.run.batch + config.run.batch / 2 : 0;
  const int64_t micro_batch = config.run.micro_batch;
  return plan_of(micro_batch,
                 static_cast<double>(model_bytes<T>(model, config.thinking, micro_batch,
                                                    model.context, engine_options<T>(config))) +
                     static_cast<double>(sizeof(T)) * static_cast<double>(kept_rows) *
                         static_cast<double>(model.context) *
                         static_cast<double>(model.vocab_size) +
                     2.0 * sizeof(int32_t) * static_cast<double>(config.run.batch) *
                         static_cast<double>(model.context));
}

template <class T>
MemoryPlan plan_memory(const ImageTrainConfig& config) {
  const int64_t micro_batch = config.run.micro_batch;
  return plan_of(micro_batch,
                 static_cast<double>(image_model_bytes<T>(config.model, config.thinking,
                                                          micro_batch, engine_options<T>(config))) +
                     static_cast<double>(sizeof(T)) * static_cast<double>(micro_batch) *
                         static_cast<double>(config.model.image_size()));
}

MemoryPlan largest_fitting(int64_t batch, const std::function<MemoryPlan(int64_t)>& plan) {
  for (int64_t rows = batch;; rows = (rows + 1) / 2) {
    const MemoryPlan candidate = plan(rows);
    if (candidate.fits() || rows == 1) {
      return candidate;
    }
  }
}

template MemoryPlan plan_memory<float>(const TrainConfig&);
template MemoryPlan plan_memory<double>(const TrainConfig&);
template MemoryPlan plan_memory<float>(const ImageTrainConfig&);
template MemoryPlan plan_memory<double>(const ImageTrainConfig&);

}  // namespace ebt
