#include "ebt/data/answers/answer_format_file.h"

#include "ebt/core/config_fields.h"
#include "ebt/io/file.h"
#include "ebt/io/json.h"
#include "ebt/io/json_text.h"

namespace ebt {

void save_answer_format(const std::filesystem::path& folder, const AnswerFormat& format) {
  Json fields = fields_to_json(format);
  escape_strings(fields);  // characters may be any bytes
  write_file_atomically(folder / kAnswerFormatFile, fields.dump(2) + '\n');
}

AnswerFormat load_answer_format(const std::filesystem::path& folder) {
  constexpr size_t kMostBytes = 100'000;
  const std::filesystem::path path = folder / kAnswerFormatFile;
  const std::string source = "'" + path.string() + "'";
  nlohmann::json fields = parse_json(read_text_file(path, kMostBytes), source);
  EBT_CHECK(fields.is_object(), "{} must hold a JSON object", source);
  unescape_strings(fields);
  AnswerFormat format;
  fields_from_json(fields, source, format);
  format.check();
  return format;
}

}  // namespace ebt
