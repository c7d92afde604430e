#include "ebt/data/tokenizer.h"

#include <optional>
#include <system_error>

#include "ebt/core/error.h"
#include "ebt/data/bpe_tokenizer.h"
#include "ebt/data/sentence_piece.h"
#include "ebt/io/file.h"
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

// The file that holds the tokenizer; none for bytes.
std::optional<fs::path> file_of(const std::string& path) {
  if (path == kByteTokenizer) {
    return std::nullopt;
  }
  const fs::path folder = path;
  std::error_code ignored;  // whatever is wrong with the path, reading it says so
  if (!fs::is_directory(folder, ignored)) {
    return folder;
  }
  for (const auto& [file, pointer] : kStatements) {
    if (!fs::exists(folder / file, ignored)) {
      continue;
    }
    if (const std::optional<std::string> name = stated_name(folder / file, pointer)) {
      return *name == kByteTokenizer ? std::nullopt : std::optional(folder / *name);
    }
  }
  for (const char* name : {kBpeTokenizerFile, kSentencePieceFile}) {
    if (fs::exists(folder / name, ignored)) {
      return folder / name;
    }
  }
  fail("the folder '{}' holds neither a tokenizer ({} or {}) nor a model", path, kBpeTokenizerFile,
       kSentencePieceFile);
}

// A SentencePiece model begins with the tag of its first field, which is no JSON.
bool is_json(std::string_view file) {
  const size_t begin = file.find_first_not_of(" \t\r\n");
  return begin != file.npos && file[begin] == '{';
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

std::shared_ptr<const Tokenizer> open_tokenizer(const std::string& path) {
  const std::optional<fs::path> file = file_of(path);
  if (!file.has_value()) {
    return byte_tokenizer();
  }
  const std::string what = "'" + file->string() + "'";
  const MappedFile mapped(*file);
  EBT_CHECK(mapped.bytes().size() <= kMaxTokenizer_bytes,
            "{} has {} bytes, and tokenizers of at most {} are read", what, mapped.bytes().size(),
            kMaxTokenizer_bytes);
  return is_json(mapped.text()) ? make_bpe_tokenizer(mapped.text(), what)
                                : make_sentence_piece_tokenizer(mapped.text(), what);
}

void copy_tokenizer(const std::string& path, const Tokenizer& tokenizer, const fs::path& folder) {
  if (const std::optional<fs::path> file = file_of(path)) {
    write_file_atomically(folder / tokenizer.name(), read_text_file(*file, kMaxTokenizer_bytes));
  }
}

}  // namespace ebt
