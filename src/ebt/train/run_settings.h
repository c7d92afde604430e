// What a training run is told whatever it learns: the optimizer, and the run itself. Flags, config
// files, --help and the stored config.json follow from the visit_fields of these structs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include "ebt/core/threads.h"
#include "ebt/model/engine_options.h"

namespace ebt {

// AdamW, its schedule, and the global norm at which gradients are clipped.
struct OptimizerConfig {
  double learning_rate = 0.0;   // peak; 0: the published one of the size
  int64_t warmup_steps = -1;    // -1: a tenth of the run, at most 1000
  double final_fraction = 0.1;  // the cosine ends at this share of the peak
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
  double clip_norm = 1.0;

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("learning-rate", learning_rate,
          "peak learning rate; 0 takes the published one of the size");
    visit("warmup-steps", warmup_steps,
          "steps of linear warm-up; -1 is a tenth of the run, at most 1000");
    visit("final-fraction", final_fraction, "the cosine ends at this share of the peak");
    visit("beta1", beta1, "AdamW's decay of the first moment");
    visit("beta2", beta2, "AdamW's decay of the second moment");
    visit("epsilon", epsilon, "AdamW's epsilon");
    visit("weight-decay", weight_decay, "AdamW's decoupled weight decay");
    visit("clip-norm", clip_norm, "largest global norm of the gradient; 0 does not clip");
  }
};

// The run itself, whatever is learned.
struct RunSettings {
  int64_t steps = 1000;     // optimizer steps
  int64_t batch = 16;       // rows per optimizer step
  int64_t micro_batch = 0;  // rows per gradient pass, accumulated; 0: as many as fit in memory
  int64_t grains = 1;       // parts of a batch that ranks can share (grains.h)
  uint64_t seed = 0;
  int64_t threads = 0;  // 0: all cores
  std::string precision = "auto";
  int64_t validate_every = 250;    // steps
  int64_t checkpoint_every = 250;  // steps
  int64_t max_bad_steps = 5;       // non-finite steps in a row before the run stops
  std::string out = "model";       // model folder
  // Folder of a model whose weights the run starts from; empty: from random ones.
  std::string from;

  // Throws Error naming the first impossible field.
  void check() const;
  // Writes out the defaults: warm-up, learning rate, micro-batch and precision.
  void resolve(double default_rate, OptimizerConfig& optimizer);

 protected:
  // What a row is called in help depends on what is learned.
  template <class Visitor>
  void visit_shared(Visitor&& visit, const char* batch_help, const char* micro_batch_help) {
    visit("steps", steps, "optimizer steps");
    visit("batch", batch, batch_help);
    visit("micro-batch", micro_batch, micro_batch_help);
    visit("seed", seed, "seed of every random number");
    visit("threads", threads, kThreadsHelp);
    visit("precision", precision,
          "fp32, bf16, or auto: bf16 where the CPU multiplies it natively, else fp32");
    visit("validate-every", validate_every, "steps between validations");
    visit("checkpoint-every", checkpoint_every, "steps between checkpoints");
    visit("max-bad-steps", max_bad_steps, "non-finite steps in a row before the run stops");
    visit("out", out, "folder of the model and its metrics");
    visit(
        "from", from,
        "folder of a model whose weights, shape and kind of thinking the run starts from; default: "
        "random weights");
  }
};

// What may be told anew to a run that is resumed; absent: as it was.
struct RunChanges {
  std::optional<int64_t> threads =
      std::nullopt;  // of this process alone: the folder's config keeps its own
  // The learning rate follows the cosine of so many steps from then on.
  std::optional<int64_t> steps = std::nullopt;
  std::optional<int64_t> validate_every = std::nullopt;
  std::optional<int64_t> checkpoint_every = std::nullopt;
  std::optional<std::string> data = std::nullopt;  // where the same data lie now

  // Whether the folder's config changes.
  bool change_config() const {
    return steps.has_value() || validate_every.has_value() || checkpoint_every.has_value() ||
           data.has_value();
  }
  // All of them but the threads.
  void apply_to(RunSettings& run, std::string& data_path) const;
};

// How a run computes. `precision` must be a name that the run was resolved to, or may be auto.
// float64 is for tests and knows one precision only.
template <class T>
EngineOptions engine_options(const RunSettings& run) {
  EngineOptions options;
  options.precision = std::is_same_v<T, float> ? precision_of(run.precision) : Precision::kFp32;
  return options;
}

// The learning rate for a model that names none: the published one of the size with its layers,
// width and heads; else between the sizes of the next smaller and larger width, on a line through
// (log width, log rate), and beyond the smallest and largest size theirs.
double default_learning_rate(int64_t layers, int64_t width, int64_t heads);
template <class Model>
double default_learning_rate(const Model& model) {
  return default_learning_rate(model.layers, model.width, model.heads);
}

// The path from the root, by which a run finds its data again; an empty one stays empty.
std::string absolute_path(const std::string& path);

}  // namespace ebt
