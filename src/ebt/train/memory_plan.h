// What a training run will need of memory, known before any of it is taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

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

// The plan of a process that will take so many bytes beside what it holds.
MemoryPlan plan_of(int64_t micro_batch, double bytes_to_take);

// The plan of a resolved config of a task (trainer.h) as it stands, once its data are open; filling
// the first batch will take `order_bytes` more.
template <class Task>
MemoryPlan plan_memory(const typename Task::Config& config, size_t order_bytes = 0) {
  return plan_of(config.run.micro_batch, static_cast<double>(Task::model_bytes(config)) +
                                             Task::working_bytes(config) +
                                             static_cast<double>(order_bytes));
}

// The plan with the largest of the micro-batches `batch`, half of it, a quarter, ... that fits;
// with one row if none does.
MemoryPlan largest_fitting(int64_t batch, const std::function<MemoryPlan(int64_t)>& plan);

// For a task's working_bytes: what attention keeps for `heads` heads of (rows, queries) by `keys`,
// and what the factors (rows, columns) of a weight gradient take where bf16 is not multiplied
// natively.
double attention_bytes(int64_t heads, int64_t queries, int64_t keys, int64_t head_width);
double widened_bytes(const std::string& precision, int64_t rows, int64_t columns);

}  // namespace ebt
