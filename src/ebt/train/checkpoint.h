// Checkpoints: everything a run needs to continue as if it had never stopped.
//
// A run's folder holds
//
// - config.json: the resolved config, written once, before the first checkpoint
// - model.safetensors: the weights; its metadata "step" names the state they go with
// - training-state-<step>.safetensors: moments, counters and replay buffer after that step
// - metrics.jsonl: what was measured (metrics_log.h)
//
// A checkpoint of step N is saved in this order, every file first under another name, synced, then
// renamed: training-state-N, then model.safetensors, then older training states are removed. The
// rename of model.safetensors commits both: before it, the folder holds the old weights and the old
// state beside a new one that nothing names; after it, the new pair. So a run that is killed, or
// finds the disk full, at any moment leaves one whole checkpoint, and model.safetensors with
// config.json is a model at all times.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "ebt/train/adamw.h"
#include "ebt/train/replay_buffer.h"

namespace ebt {

// What tells data from other data: numbers under names, such as their size and a fingerprint.
using DataIdentity = std::vector<std::pair<std::string, uint64_t>>;

// How far a run has come. The position in the data and in every random stream follows from `step`.
struct TrainingProgress {
  int64_t step = 0;           // steps taken, skipped ones included
  int64_t update_count = 0;   // updates of the weights
  int64_t bad_steps = 0;      // skipped steps in a row, up to the last
  int64_t skipped_steps = 0;  // skipped steps in all
  // Of the data. A number that a checkpoint of an older program does not name stays as it is.
  DataIdentity data = {};

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("step", step, "steps taken, skipped ones included");
    visit("update_count", update_count, "updates of the weights");
    visit("bad_steps", bad_steps, "skipped steps in a row, up to the last");
    visit("skipped_steps", skipped_steps, "skipped steps in all");
    for (auto& [name, number] : data) {
      visit(name.c_str(), number, "tells the data from other data");
    }
  }
};

// What a checkpoint saves and restores: views of a run's parts. `progress.update_count` is taken
// from and given to the optimizer.
template <class T>
struct Checkpoint {
  ParameterBlock<T>& weights;
  AdamW<T>& optimizer;
  ReplayBuffer<T>* replay;  // null: the run has none
  TrainingProgress& progress;

  // Saves to the folder, as described above. In a group of ranks all call it: rank 0 writes, and
  // the others send it their moments. Throws Error when it cannot; the checkpoint that the
  // folder held is then still there.
  void save(const std::filesystem::path& folder);
  // Restores the folder's checkpoint, whatever the number of ranks that saved it: every rank reads
  // it. Throws Error when a file is missing or damaged, or does not
  // fit the model; the parts are then in an unspecified state.
  void load(const std::filesystem::path& folder);
};

// Whether a run's folder holds a checkpoint, or any model.
bool has_model(const std::filesystem::path& folder);

}  // namespace ebt
