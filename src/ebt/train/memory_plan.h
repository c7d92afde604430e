// What a training run will need of memory, known before any of it is taken.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "ebt/train/config.h"
#include "ebt/train/image_train_config.h"

namespace ebt {

struct MemoryPlan {
  int64_t micro_batch = 0;                // rows per gradient pass
  double needed_bytes = 0;                // model, gradients, optimizer, workspace, replay buffer
  std::optional<double> available_bytes;  // absent where the system does not say

  bool fits() const { return !available_bytes || needed_bytes <= *available_bytes; }
};

// The plan of a resolved config as it stands.
template <class T>
MemoryPlan plan_memory(const TrainConfig& config);
template <class T>
MemoryPlan plan_memory(const ImageTrainConfig& config);

// The plan with the largest of the micro-batches `batch`, half of it, a quarter, ... that fits;
// with one row if none does.
MemoryPlan largest_fitting(int64_t batch, const std::function<MemoryPlan(int64_t)>& plan);

// Gives a resolved config that micro-batch.
template <class T, class Config>
void take_largest_micro_batch(Config& config) {
  config.run.micro_batch = largest_fitting(config.run.batch, [&](int64_t rows) {
                             config.run.micro_batch = rows;
                             return plan_memory<T>(config);
                           }).micro_batch;
}

}  // namespace ebt
