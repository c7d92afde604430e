#include "ebt/data/tokenizer/tokenizer.h"

#include <optional>
#include <system_error>
#include <vector>

#include "ebt/core/error.h"
#include "ebt/core/log.h"
#include "ebt/data/tokenizer/bpe_tokenizer.h"
#include "ebt/data/tokenizer/end_of_text.h"
#include "ebt/data/tokenizer/json_part.h"
#include "ebt/data/tokenizer/sentence_piece.h"
#include "ebt/io/file.h"
#include "ebt/io/file_kind.h"
#include "ebt/io/json.h"

namespace ebt {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxTokenizer_bytes = 100'000'000;

// A file that says which tokenizer its folder has, and where in it.
struct Statement {
  const char* file;
  const char* pointer;
};
constexpr Statement kStatements[] = {{"config.json", "/data/tokenizer"},
                                     {"prepared.json", "/tokenizer"}};

// The name of the tokenizer, bytes where the file says nothing; none where it is not one of ours.
std::optional<std::string> stated_name(const fs::path& file, const char* pointer) {
  constexpr size_t kMaxStatement_bytes = 1'000'000;
  const nlohmann::json object =
      parse_json(read_text_file(file, kMaxStatement_bytes), "'" + file.string() + "'");
  if (!object.is_object() || !object.contains("format_version")) {
    return std::nullopt;
  }
  const nlohmann::json::json_pointer place(pointer);
  const nlohmann::json name = object.contains(place) ? object.at(place) : kByteTokenizer;
  if (name.is_string() && name.get_ref<const std::string&>().empty()) {
    return kByteTokenizer;
  }
  EBT_CHECK(name == kByteTokenizer || name == kBpeTokenizerFile || name == kSentencePieceFile,
            "'{}' names a tokenizer that is none of {}, {}, {}", file.string(), kByteTokenizer,
            kBpeTokenizerFile, kSentencePieceFile);
  return name.get<std::string>();
}

// The files that may hold the tokenizer, best first; none for bytes.
std::vector<fs::path> files_of(const std::string& path) {
  if (path == kByteTokenizer) {
    return {};
  }
  const fs::path folder = path;
  std::error_code ignored;  // whatever is wrong with the path, reading it says so
  if (!fs::is_directory(folder, ignored)) {
    return {folder};
  }
  for (const auto& [file, pointer] : kStatements) {
    if (!fs::exists(folder / file, ignored)) {
      continue;
    }
    if (const std::optional<std::string> name = stated_name(folder / file, pointer)) {
      return *name == kByteTokenizer ? std::vector<fs::path>() : std::vector{folder / *name};
    }
  }
  std::vector<fs::path> files;
  for (const char* name : {kBpeTokenizerFile, kSentencePieceFile}) {
    if (fs::exists(folder / name, ignored)) {
      files.push_back(folder / name);
    }
  }
  EBT_CHECK(!files.empty(), "the folder '{}' holds neither a tokenizer ({} or {}) nor a model",
            path, kBpeTokenizerFile, kSentencePieceFile);
  return files;
}

// A SentencePiece model begins with the tag of its first field, which is no JSON.
bool is_json(std::string_view file) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  file.remove_prefix(file.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
  const size_t begin = file.find_first_not_of(" \t\r\n");
  return begin != file.npos && file[begin] == '{';
}

std::shared_ptr<const Tokenizer> open_file(const fs::path& file, const EndOfText& end_of_text) {
  const std::string what = "'" + file.string() + "'";
  const MappedFile mapped(file);
  EBT_CHECK(!mapped.bytes().empty(), "{} is empty: it is no tokenizer", what);
  EBT_CHECK(mapped.bytes().size() <= kMaxTokenizer_bytes,
            "{} has {} bytes, and tokenizers of at most {} are read", what, mapped.bytes().size(),
            kMaxTokenizer_bytes);
  if (is_json(mapped.text())) {
    return make_bpe_tokenizer(mapped.text(), what, end_of_text);
  }
  const FileKind* const kind = recognise_file(mapped.text());
  EBT_CHECK(kind == nullptr, "{} is {}, not a tokenizer", what, kind->name);
  return make_sentence_piece_tokenizer(mapped.text(), what, end_of_text);
}

class ByteTokenizer : public Tokenizer {
 public:
  int64_t vocabulary_size() const override { return kSeparator + 1; }
  int32_t document_separator() const override { return kSeparator; }

  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> tokens;
    tokens.reserve(text.size());
    for (const char byte : text) {
      tokens.push_back(static_cast<unsigned char>(byte));
    }
    return tokens;
  }

  std::string decode(std::span<const int32_t> tokens) const override {
    std::string text;
    text.reserve(tokens.size());
    for (const int32_t token : tokens) {
      EBT_CHECK(token >= 0 && token <= kSeparator,
                "cannot decode token {}: the byte vocabulary has tokens 0 to {}", token,
                kSeparator);
      if (token != kSeparator) {
        text.push_back(static_cast<char>(token));
      }
    }
    return text;
  }

  std::string name() const override { return kByteTokenizer; }

 private:
  static constexpr int32_t kSeparator = 256;
};

}  // namespace

std::shared_ptr<const Tokenizer> byte_tokenizer() {
  static const auto tokenizer = std::make_shared<const ByteTokenizer>();
  return tokenizer;
}

std::shared_ptr<const Tokenizer> open_tokenizer(const std::string& path,
                                                const std::string& end_of_text) {
  const std::vector<fs::path> files = files_of(path);
  if (files.empty()) {
    EBT_CHECK(end_of_text.empty(), "--end-of-text: bytes have a separator of their own");
    return byte_tokenizer();
  }
  const EndOfText separator = end_of_text.empty()
                                  ? stated_end_of_text(files.front().parent_path())
                                  : EndOfText{.token = end_of_text, .id = {}, .required = true};
  try {
    return open_file(files.front(), separator);
  } catch (const UnsupportedTokenizer& error) {
    if (files.size() == 1) {
      throw;
    }
    auto other = open_file(files.back(), separator);
    ProgressLine().note(
        fmt::format("{}; '{}' is used instead", error.what(), files.back().string()));
    return other;
  }
}

void copy_tokenizer(const std::string& path, const Tokenizer& tokenizer, const fs::path& folder) {
  if (files_of(path).empty()) {
    return;
  }
  std::error_code ignored;
  const bool in_folder = fs::is_directory(path, ignored);
  const fs::path file = in_folder ? fs::path(path) / tokenizer.name() : fs::path(path);
  write_file_atomically(folder / tokenizer.name(), read_text_file(file, kMaxTokenizer_bytes));
  state_end_of_text(folder, tokenizer.separator_name());
}

}  // namespace ebt
