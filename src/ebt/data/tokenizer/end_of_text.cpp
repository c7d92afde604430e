#include "ebt/data/tokenizer/end_of_text.h"

#include "ebt/io/file.h"
#include "ebt/io/json.h"

namespace ebt {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// The object in a file; an empty one without the file.
json object_in(const fs::path& file) {
  constexpr size_t kMaxFile_bytes = 20'000'000;  // those of some models list every added token
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) {
    return json::object();
  }
  json object = parse_json(read_text_file(file, kMaxFile_bytes), "'" + file.string() + "'");
  return object.is_object() ? object : json::object();
}

}  // namespace

EndOfText stated_end_of_text(const fs::path& folder) {
  for (const char* file : {kTokenizerConfigFile, "special_tokens_map.json"}) {
    json token = object_in(folder / file).value("eos_token", json());
    if (token.is_object()) {
      token = token.value("content", json());
    }
    if (token.is_string()) {
      return {.token = token.get<std::string>(), .id = {}};
    }
  }
  json id = object_in(folder / "generation_config.json").value("eos_token_id", json());
  if (id.is_array() && !id.empty()) {
    id = json(id.front());
  }
  return {.token = {},
          .id = id.is_number_integer() ? std::optional(id.get<int64_t>()) : std::nullopt};
}

void state_end_of_text(const fs::path& folder, const std::string& token) {
  const fs::path file = folder / kTokenizerConfigFile;
  json object = object_in(file);
  if (object.value("eos_token", json()) != token) {
    object["eos_token"] = token;
    write_file_atomically(file, object.dump(2) + "\n");
  }
}

}  // namespace ebt
