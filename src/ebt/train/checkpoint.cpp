#include "ebt/train/checkpoint.h"

#include <string>
#include <system_error>

#include "ebt/core/config_fields.h"
#include "ebt/io/json.h"
#include "ebt/io/safetensors.h"
#include "ebt/model/model_folder.h"

namespace ebt {
namespace {

constexpr char kStatePrefix[] = "training-state-";
constexpr char kStepKey[] = "step";
constexpr char kProgressKey[] = "progress";
constexpr char kReplayNextKey[] = "replay.next";

std::string state_file(const std::string& step) { return kStatePrefix + step + ".safetensors"; }

// States that cannot be listed or removed cost space, and are never read.
void remove_other_states(const std::filesystem::path& folder, const std::string& kept) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kStatePrefix) && name != kept) {
      std::filesystem::remove(entry.path(), ignored);
    }
  }
}

// Calls visit(name, moments) for both moment blocks of every parameter.
template <class T, class Visitor>
void visit_moments(AdamW<T>& optimizer, Visitor&& visit) {
  for (const ParameterEntry& entry : optimizer.first_moments().layout().entries()) {
    visit("first_moment." + entry.name, optimizer.first_moments().tensor(entry.name));
    visit("second_moment." + entry.name, optimizer.second_moments().tensor(entry.name));
  }
}

// Calls visit(name, values) for the first `rows` rows of a replay buffer.
template <class T, class Visitor>
void visit_replay(ReplayBuffer<T>& replay, int64_t rows, Visitor&& visit) {
  ThoughtRows<T>& slots = replay.slots();
  const int64_t context = replay.context();
  visit("replay.inputs", Tensor<int32_t>{slots.text.inputs.data(), {rows, context}});
  visit("replay.targets", Tensor<int32_t>{slots.text.targets.data(), {rows, context}});
  visit("replay.logits", Tensor<T>{slots.logits.data(), {rows, context, replay.vocab_size()}});
}

}  // namespace

template <class T>
void Checkpoint<T>::save(const std::filesystem::path& folder) {
  progress.update_count = optimizer.update_count();
  const std::string step = std::to_string(progress.step);

  SafetensorsWriter state;
  state.set_metadata(kProgressKey, fields_to_json(progress).dump());
  const auto add = [&](const std::string& name, const auto& values) { state.add(name, values); };
  visit_moments(optimizer, add);
  if (replay != nullptr && replay->size() > 0) {
    state.set_metadata(kReplayNextKey, std::to_string(replay->next()));
    visit_replay(*replay, replay->size(), add);
  }
  state.write(folder / state_file(step));

  SafetensorsWriter model;
  model.set_metadata("format", "pt");
  model.set_metadata(kStepKey, step);
  add_weights(weights, model);
  model.write(folder / kModelFile);

  remove_other_states(folder, state_file(step));
}

template <class T>
void Checkpoint<T>::load(const std::filesystem::path& folder) {
  const SafetensorsFile model(folder / kModelFile);
  EBT_CHECK(
      model.metadata().contains(kStepKey),
      "'{}' is a model without training state: it can be used, but its training cannot resume",
      folder.string());
  load_weights(model, weights);

  const SafetensorsFile state(folder / state_file(model.metadata(kStepKey)));
  const std::string source = "'" + state.path().string() + "'";
  fields_from_json(parse_json(state.metadata(kProgressKey), source), source, progress);
  EBT_CHECK(std::to_string(progress.step) == model.metadata(kStepKey) && progress.step >= 0 &&
                progress.update_count >= 0,
            "{} does not belong to step {}", source, model.metadata(kStepKey));
  optimizer.set_update_count(progress.update_count);

  const auto read = [&](const std::string& name, const auto& values) { state.read(name, values); };
  visit_moments(optimizer, read);
  if (replay != nullptr && state.contains("replay.inputs")) {
    const int64_t rows = state.tensor("replay.inputs").shape[0];
    int64_t next = 0;
    detail::read_field(parse_json(state.metadata(kReplayNextKey), source), source, kReplayNextKey,
                       next);
    replay->restore(rows, next);
    visit_replay(*replay, rows, read);
  }
}

bool has_model(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::exists(folder / kModelFile, ignored);
}

template struct Checkpoint<float>;
template struct Checkpoint<double>;

}  // namespace ebt
