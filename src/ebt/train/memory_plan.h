// What a training run will need of memory, known before any of it is taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "ebt/train/config.h"
#include "ebt/train/image_train_config.h"

namespace ebt {

struct MemoryPlan {
  int64_t micro_batch = 0;  // rows per gradient pass
  // All that the process will hold: program and data that are there already, model, gradients,
  // moments, copies for products, workspace, scratch of kernels, replay buffer, order of an epoch,
  // images made ahead. Not: pages of files, which the kernel takes back, and a picture of a data
  // set while it is decoded.
  double needed_bytes = 0;
  // What it holds already and what it can still take; absent where the system does not say.
  std::optional<double> available_bytes;

  bool fits() const { return !available_bytes || needed_bytes <= *available_bytes; }
  // Throws Error with both unless it fits, and with what to lower.
  void check_fits(const std::string& what_to_lower) const;
};

// The plan of a resolved config as it stands, once its data are open; filling the first batch will
// take `order_bytes` more.
template <class T>
MemoryPlan plan_memory(const TrainConfig& config, size_t order_bytes = 0);
template <class T>
MemoryPlan plan_memory(const ImageTrainConfig& config);

// The plan with the largest of the micro-batches `batch`, half of it, a quarter, ... that fits;
// with one row if none does.
MemoryPlan largest_fitting(int64_t batch, const std::function<MemoryPlan(int64_t)>& plan);

}  // namespace ebt
