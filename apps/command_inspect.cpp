#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "commands.h"
#include "ebt/core/log.h"
#include "ebt/core/printable.h"
#include "ebt/io/safetensors.h"
#include "ebt/model/model_folder.h"
#include "ebt/train/run_config.h"
#include "ebt/train/tasks.h"
#include "evaluation.h"
#include "flags.h"
#include "output.h"

namespace ebt {
namespace {

struct InspectFlags {
  std::string model;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("model", model, "folder of the model");
  }
};

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt inspect --model model\n"
    "  ebt inspect --model model --json\n"
    "Shows the config, the training step, every tensor, and the memory that training needs.";

int64_t parameter_count(const SafetensorsFile& file) {
  int64_t count = 0;
  for (const StoredTensor& tensor : file.tensors()) {
    count += tensor.shape.count();
  }
  return count;
}

// The training step that the weights belong to; files from elsewhere do not tell.
std::optional<int64_t> stored_step(const SafetensorsFile& file) {
  const auto entry = file.metadata().find("step");
  if (entry == file.metadata().end()) {
    return std::nullopt;
  }
  const std::string& text = entry->second;
  int64_t step = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
  return error == std::errc() ? std::optional(step) : std::nullopt;
}

void print_json(const Json& config, double training_bytes, const SafetensorsFile& file) {
  Json result;
  result["model"] = file.path().parent_path().string();
  const std::optional<int64_t> step = stored_step(file);
  result["step"] = step.has_value() ? Json(*step) : Json();
  result["parameters"] = parameter_count(file);
  result["training_bytes"] = training_bytes;
  result["config"] = config;
  result["tensors"] = Json::array();
  for (const StoredTensor& tensor : file.tensors()) {
    Json shape = Json::array();
    for (int axis = 0; axis < tensor.shape.rank(); ++axis) {
      shape.push_back(tensor.shape[axis]);
    }
    result["tensors"].push_back({{"name", tensor.name},
                                 {"dtype", dtype_name(tensor.dtype)},
                                 {"shape", shape},
                                 {"parameters", tensor.shape.count()}});
  }
  output_json(result);
}

void print_text(const Json& config, const std::string& title, double training_bytes,
                const SafetensorsFile& file) {
  fmt::print("{}: {}\n", printable(file.path().parent_path().string()), title);
  fmt::print("training takes about {} of memory\n\nconfig\n", format_bytes(training_bytes));
  for (const auto& [key, value] : config.items()) {
    fmt::print("  {:<22} {}\n", key,
               value.is_string() ? printable(value.get<std::string>()) : value.dump());
  }
  fmt::print("\ntensors\n");
  for (const StoredTensor& tensor : file.tensors()) {
    fmt::print("  {:<58} {:>5} {:>16} {:>10}\n", tensor.name, dtype_name(tensor.dtype),
               tensor.shape.to_string(), tensor.shape.count());
  }
}

template <class Task>
void inspect_model_of(const std::filesystem::path& folder, bool json) {
  using Config = typename Task::Config;
  const auto config = load_config<Config>(folder);
  config.model.check();
  const SafetensorsFile file(folder / kModelFile);
  Config resolved = config;
  resolved.run.micro_batch = config.resolved().run.micro_batch;
  const auto training_bytes = static_cast<double>(Task::model_bytes(resolved));
  if (json) {
    print_json(fields_to_json(config), training_bytes, file);
    return;
  }
  const std::optional<int64_t> step = stored_step(file);
  const std::string title = fmt::format(
      "{}{} with {} weights ({}){}", enum_name(config.model.arch),
      Config::kKind == ModelKind::kText ? "" : fmt::format(" of {}", subject_of(Config::kKind)),
      parameter_count(file),
      format_bytes(static_cast<double>(std::filesystem::file_size(file.path()))),
      step.has_value() ? fmt::format(", after step {} of {}", *step, config.run.steps) : "");
  print_text(fields_to_json(config), title, training_bytes, file);
}

void run_inspect(const Flags& flags) {
  InspectFlags inspect;
  flags.apply_to(inspect);
  check_names_model(inspect.model);
  with_task_of<float>(model_kind(inspect.model),
                      [&]<class Task>() { inspect_model_of<Task>(inspect.model, flags.json()); });
}

}  // namespace

void register_inspect(CLI::App& app) {
  add_command(
      app, "inspect", "Show what is in a model folder.", kExamples,
      [](Flags& flags) { flags.bind(InspectFlags{}, "Model"); }, run_inspect);
}

}  // namespace ebt
