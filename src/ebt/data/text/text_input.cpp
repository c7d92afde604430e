#include "ebt/data/text/text_input.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/io/compression.h"
#include "ebt/io/folder.h"

namespace ebt {
namespace {

namespace fs = std::filesystem;

// The name of the file in small letters, without what says that it is compressed.
struct FileName {
  std::string stem;
  bool says_compressed = false;

  explicit FileName(const std::string& path) : stem(fs::path(path).filename().string()) {
    std::transform(stem.begin(), stem.end(), stem.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const std::string_view ending : {".gz", ".gzip", ".zst", ".zstd"}) {
      if (!says_compressed && stem.ends_with(ending)) {
        stem.resize(stem.size() - ending.size());
        says_compressed = true;
      }
    }
  }
  bool ends_with_any(std::initializer_list<std::string_view> endings) const {
    return std::any_of(endings.begin(), endings.end(),
                       [&](std::string_view ending) { return stem.ends_with(ending); });
  }
};

std::string_view without_leading_blanks(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  return text;
}

// Whether it begins with an object on one line, and another behind it. Of an object that is longer
// than the text is, only the line is asked for.
bool begins_with_json_lines(std::string_view text) {
  text = without_leading_blanks(text);
  if (!text.starts_with('{')) {
    return false;
  }
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      return false;
    }
    if (in_string) {
      i += c == '\\' ? 1 : 0;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      const std::string_view rest = text.substr(i + 1);
      return rest.find('\n') < rest.find('{') && without_leading_blanks(rest).starts_with('{');
    }
  }
  return true;
}

// The format of what no name tells.
TextFormat format_of_bytes(BufferedBytes& bytes) {
  constexpr size_t kLookedAt_bytes = 1 << 16;
  const std::string_view text = bytes.peek(kLookedAt_bytes);
  return begins_with_array(text) || begins_with_json_lines(text) ? TextFormat::kJsonl
                                                                 : TextFormat::kText;
}

void check_is_text(const DecodedBytes& decoded, const FileName& file, const std::string& name) {
  EBT_CHECK(decoded.was_compressed || !file.says_compressed || decoded.file_bytes == 0,
            "{} is named as a compressed file and is none: rename it, or read its bytes as they "
            "are with --as bytes",
            name);
  const FileKind* const kind = decoded.kind;
  if (kind != nullptr && kind->use != FileUse::kText) {
    fail("{} {} {}, not text: {}{}read its bytes as they are with --as bytes", name,
         decoded.was_compressed ? "holds" : "is", kind->name, kind->as_text,
         kind->as_text.empty() ? "" : ", or ");
  }
}

}  // namespace

TextFormat format_of_name(const std::string& path) {
  const FileName name(path);
  if (name.ends_with_any({".jsonl", ".ndjson", ".jsonlines"})) {
    return TextFormat::kJsonl;
  }
  if (name.ends_with_any({".csv"})) {
    return TextFormat::kCsv;
  }
  if (name.ends_with_any({".tsv", ".tab"})) {
    return TextFormat::kTsv;
  }
  const bool says_nothing = name.stem.find('.') == std::string::npos;
  return says_nothing || name.ends_with_any({".json"}) ? TextFormat::kAuto : TextFormat::kText;
}

bool begins_with_array(std::string_view text) {
  text = without_leading_blanks(text);
  return text.starts_with('[') && without_leading_blanks(text.substr(1)).starts_with('{');
}

TextInput open_text_input(const std::string& path, TextFormat as) {
  TextInput input;
  input.name = source_name(path);
  if (as == TextFormat::kBytes) {
    OpenedBytes opened = open_bytes(path);
    input.format = TextFormat::kText;
    input.bytes = std::make_unique<BufferedBytes>(std::move(opened.stream));
    input.mappable_bytes = opened.file_bytes;
    return input;
  }
  DecodedBytes decoded = open_decoded(path);
  check_is_text(decoded, FileName(path), input.name);
  input.format = as == TextFormat::kAuto ? format_of_name(path) : as;
  if (input.format == TextFormat::kAuto) {
    input.format = format_of_bytes(*decoded.bytes);
  }
  input.bytes = std::move(decoded.bytes);
  input.mappable_bytes = decoded.was_compressed ? 0 : decoded.file_bytes;
  return input;
}

std::string read_decoded_text(const std::string& path, size_t most_bytes) {
  const TextInput input = open_text_input(path, TextFormat::kText);
  const std::string_view text = input.bytes->peek(most_bytes + 1);
  EBT_CHECK(text.size() <= most_bytes, "{} has more than {} bytes", input.name, most_bytes);
  return std::string(text);
}

void for_each_text_input(
    const std::string& path, TextFormat as,
    const std::function<void(TextInput& input, const std::string& path)>& visit) {
  std::error_code ignored;  // whatever is wrong with the path, reading it says so
  if (!fs::is_directory(path, ignored)) {
    TextInput input = open_text_input(path, as);
    visit(input, path);
    return;
  }
  std::string refusal;
  int64_t refused = 0;
  for (const fs::path& file : files_below(path)) {
    std::optional<TextInput> input;
    try {
      input = open_text_input(file.string(), as);
    } catch (const Error& error) {
      refusal = refused++ == 0 ? error.what() : refusal;
    }
    if (input && refused == 0) {
      visit(*input, file.string());
    }
  }
  EBT_CHECK(refused <= 1, "{}; {} more files of '{}' cannot be read as text either", refusal,
            refused - 1, path);
  EBT_CHECK(refused == 0, "{}", refusal);
}

}  // namespace ebt
