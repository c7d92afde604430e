#include "ebt/train/checkpoint.h"

#include <algorithm>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/dist/tree_sum.h"
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

// Calls visit(name, entry, moments of the shard) for both moments of every parameter.
template <class T, class Visitor>
void visit_moments(AdamW<T>& optimizer, const Visitor& visit) {
  for (const ParameterEntry& entry : optimizer.layout().entries()) {
    visit("first_moment." + entry.name, entry, optimizer.first_moments());
    visit("second_moment." + entry.name, entry, optimizer.second_moments());
  }
}

ElementRange range_of(const ParameterEntry& entry) {
  return {entry.offset, entry.offset + entry.shape.count()};
}
bool contains(ElementRange shard, ElementRange range) {
  return shard.begin <= range.begin && range.end <= shard.end;
}

// Gives all moments to the writer of rank 0, which asks for them while it writes; the other ranks
// send them meanwhile.
template <class T>
void add_moments(AdamW<T>& optimizer, SafetensorsWriter& state) {
  Group& ranks = optimizer.ranks();
  const auto whole = std::make_shared<std::vector<T>>();  // one of those that several ranks have
  visit_moments(optimizer, [&](const std::string& name, const ParameterEntry& entry,
                               const std::vector<T>& moments) {
    const ElementRange range = range_of(entry);
    const ElementRange shard = optimizer.shards().of(ranks.rank());
    const auto gather = [&optimizer, &moments, whole, range]() -> const T* {
      whole->resize(static_cast<size_t>(range.count()));
      gather_range_at_rank_0(optimizer.ranks(), optimizer.shards(), moments.data(), range,
                             whole->data());
      return whole->data();
    };
    if (ranks.rank() != 0) {
      gather();
    } else if (contains(shard, range)) {
      state.add(name, Tensor<const T>{moments.data() + (range.begin - shard.begin), entry.shape});
    } else {
      state.add<T>(name, entry.shape, gather);
    }
  });
}

// Reads the moments of this rank's shard.
template <class T>
void read_moments(const SafetensorsFile& state, AdamW<T>& optimizer) {
  const ElementRange shard = optimizer.shards().of(optimizer.ranks().rank());
  visit_moments(optimizer, [&](const std::string& name, const ParameterEntry& entry,
                               std::vector<T>& moments) {
    const ElementRange range = range_of(entry);
    if (contains(shard, range)) {
      state.read(name, Tensor<T>{moments.data() + (range.begin - shard.begin), entry.shape});
      return;
    }
    std::vector<T> whole(static_cast<size_t>(range.count()));
    state.read(name, Tensor<T>{whole.data(), entry.shape});
    for (int64_t i = std::max(range.begin, shard.begin); i < std::min(range.end, shard.end); ++i) {
      moments[static_cast<size_t>(i - shard.begin)] = whole[static_cast<size_t>(i - range.begin)];
    }
  });
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
  add_moments(optimizer, state);
  if (optimizer.ranks().rank() != 0) {
    return;
  }
  state.set_metadata(kProgressKey, fields_to_json(progress).dump());
  if (replay != nullptr && replay->size() > 0) {
    state.set_metadata(kReplayNextKey, std::to_string(replay->next()));
    visit_replay(*replay, replay->size(),
                 [&](const std::string& name, const auto& values) { state.add(name, values); });
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

  read_moments(state, optimizer);
  if (replay != nullptr && state.contains("replay.inputs")) {
    const int64_t rows = state.tensor("replay.inputs").shape[0];
    int64_t next = 0;
    detail::read_field(parse_json(state.metadata(kReplayNextKey), source), source, kReplayNextKey,
                       next);
    replay->restore(rows, next);
    visit_replay(*replay, rows,
                 [&](const std::string& name, const auto& values) { state.read(name, values); });
  }
}

bool has_model(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::exists(folder / kModelFile, ignored);
}

template struct Checkpoint<float>;
template struct Checkpoint<double>;

}  // namespace ebt
