#include "flags.h"

#include "ebt/io/file.h"
#include "ebt/io/json.h"

namespace ebt {
namespace {

constexpr size_t kMaxConfig_bytes = 1'000'000;

}  // namespace

Flags::Flags(CLI::App& command) : command_(command) {
  command_
      .add_option("--config", config_file_,
                  "JSON file of fields, named as the flags are; flags override it")
      ->group("Input and output");
  command_.add_flag("--json", json_, "print one JSON object instead of text")
      ->group("Input and output");
}

// The parts of a run's config.json ("model": {...}) are read as if their fields stood at the top,
// so that the config of one run can start another.
nlohmann::json Flags::read_config_file() const {
  nlohmann::json fields = nlohmann::json::object();
  if (config_file_.empty()) {
    return fields;
  }
  const std::string source = "'" + config_file_ + "'";
  const nlohmann::json file = parse_json(read_text_file(config_file_, kMaxConfig_bytes), source);
  EBT_CHECK(file.is_object(), "{} must hold a JSON object", source);
  for (const auto& [key, value] : file.items()) {
    if (value.is_object()) {
      fields.update(value);
    } else if (key != "format_version" && key != "kind") {
      fields[key] = value;
    }
  }
  detail::check_keys(fields, source, known_);
  return fields;
}

void check_nothing_before(const CLI::App& command) {
  for (const CLI::Option* option : command.get_parent()->get_options()) {
    EBT_CHECK(option->count() == 0, "{} stands before '{}', whose flags belong behind it",
              option->get_name(), command.get_name());
  }
}

}  // namespace ebt
