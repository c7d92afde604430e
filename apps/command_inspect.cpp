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

double training_memory_bytes(const TrainConfig& config) {
  return static_cast<double>(
      model_bytes<float>(config.model, config.thinking, config.resolved().run.micro_batch,
                         config.model.context, engine_options<float>(config)));
}
double training_memory_bytes(const ImageTrainConfig& config) {
  return static_cast<double>(image_model_bytes<float>(config.model, config.thinking,
                                                      config.resolved().run.micro_batch,
                                                      engine_options<float>(config)));
}

template <class Config>
void print_json(const Config& config, const SafetensorsFile& file) {
  Json result;
  result["model"] = file.path().parent_path().string();
  const std::optional<int64_t> step = stored_step(file);
  result["step"] = step.has_value() ? Json(*step) : Json();
  result["parameters"] = parameter_count(file);
  result["training_bytes"] = training_memory_bytes(config);
  result["config"] = fields_to_json(config);
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

template <class Config>
void print_text(const Config& config, const char* subject, const SafetensorsFile& file) {
  const std::optional<int64_t> step = stored_step(file);
  const int64_t count = parameter_count(file);
  fmt::print("{}: {}{} with {} weights ({}){}\n", printable(file.path().parent_path().string()),
             enum_name(config.model.arch), subject, count,
             format_bytes(static_cast<double>(std::filesystem::file_size(file.path()))),
             step.has_value() ? fmt::format(", after step {} of {}", *step, config.run.steps) : "");
  fmt::print("training takes about {} of memory\n\nconfig\n",
             format_bytes(training_memory_bytes(config)));
  const Json fields = fields_to_json(config);
  for (const auto& [key, value] : fields.items()) {
    fmt::print("  {:<22} {}\n", key,
               value.is_string() ? printable(value.template get<std::string>()) : value.dump());
  }
  fmt::print("\ntensors\n");
  for (const StoredTensor& tensor : file.tensors()) {
    fmt::print("  {:<58} {:>5} {:>16} {:>10}\n", tensor.name, dtype_name(tensor.dtype),
               tensor.shape.to_string(), tensor.shape.count());
  }
}

template <class Config>
void print(const Config& config, const char* subject, const Flags& flags,
           const std::string& folder) {
  config.model.check();
  const SafetensorsFile file(std::filesystem::path(folder) / kModelFile);
  if (flags.json()) {
    print_json(config, file);
  } else {
    print_text(config, subject, file);
  }
}

void run_inspect(const Flags& flags) {
  InspectFlags inspect;
  flags.apply_to(inspect);
  check_names_model(inspect.model);
  if (model_kind(inspect.model) == ModelKind::kImage) {
    print(load_image_config(inspect.model), " of images", flags, inspect.model);
  } else {
    print(load_config(inspect.model), "", flags, inspect.model);
  }
}

}  // namespace

void register_inspect(CLI::App& app) {
  add_command(
      app, "inspect", "Show what is in a model folder.", kExamples,
      [](Flags& flags) { flags.bind(InspectFlags{}, "Model"); }, run_inspect);
}

}  // namespace ebt
