#include "ebt/data/corpus.h"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <system_error>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/io/file.h"
#include "ebt/io/folder.h"
#include "ebt/io/json_lines.h"

namespace ebt {
namespace {

namespace fs = std::filesystem;

// Files up to this size are read, not mapped: the kernel limits the number of mappings (65,530 on
// Linux), and a folder can hold more small files than that.
constexpr size_t kMaxRead_bytes = 64 * 1024;

// The memory that documents lie in. Elements of a deque never move.
struct Storage {
  std::deque<MappedFile> files;
  std::deque<std::string> texts;
};

std::string_view read_file(const fs::path& path, Storage& storage) {
  MappedFile file(path);
  if (file.bytes().size() <= kMaxRead_bytes) {
    return storage.texts.emplace_back(file.text());
  }
  return storage.files.emplace_back(std::move(file)).text();
}

std::vector<std::string_view> read_folder(const std::string& path, Storage& storage) {
  const std::vector<fs::path> files = files_below(path);
  std::vector<std::string_view> documents;
  documents.reserve(files.size());
  for (const fs::path& file : files) {
    documents.push_back(read_file(file, storage));
  }
  return documents;
}

std::vector<std::string_view> read_jsonl(const std::string& path, const std::string& text_field,
                                         Storage& storage) {
  // One block for all: decoding never lengthens a string, so views of it stay valid.
  std::string& texts = storage.texts.emplace_back();
  texts.reserve(MappedFile(path).bytes().size());
  std::vector<std::string_view> documents;
  for_each_json_line(path, [&](const std::string& what, const nlohmann::json& object) {
    const auto field = object.find(text_field);
    EBT_CHECK(field != object.end(),
              "{} has no field '{}': --text-field names the one with the text", what, text_field);
    EBT_CHECK(field->is_string(), "{} has a field '{}' that is not a string", what, text_field);
    const auto& text = field->get_ref<const std::string&>();
    texts += text;
    documents.push_back(std::string_view(texts).substr(texts.size() - text.size()));
  });
  return documents;
}

std::vector<std::string_view> read_cmake_manual(Storage& storage) {
  std::string& manual = storage.texts.emplace_back();
  FILE* const pipe = popen("cmake --help-full 2>/dev/null", "re");
  if (pipe != nullptr) {
    std::array<char, 65536> block;
    for (size_t count = 0; (count = fread(block.data(), 1, block.size(), pipe)) > 0;) {
      manual.append(block.data(), count);
    }
  }
  const int status = pipe == nullptr ? -1 : pclose(pipe);
  EBT_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0,
            "without --data the corpus is the manual that 'cmake --help-full' prints, and that "
            "failed: install cmake or name a corpus");
  return {manual};
}

}  // namespace

Corpus Corpus::open(const std::string& path, const std::string& text_field) {
  const auto storage = std::make_shared<Storage>();
  Corpus corpus;
  corpus.name_ = path.empty() ? "the CMake manual" : fmt::format("'{}'", path);
  corpus.owner_ = storage;
  std::error_code ignored;  // whatever is wrong with the path, reading it says so
  if (path.empty()) {
    corpus.documents_ = read_cmake_manual(*storage);
  } else if (fs::is_directory(path, ignored)) {
    corpus.documents_ = read_folder(path, *storage);
  } else if (path.ends_with(".jsonl")) {
    corpus.documents_ = read_jsonl(path, text_field, *storage);
  } else {
    corpus.documents_ = {read_file(path, *storage)};
  }
  std::erase_if(corpus.documents_, [](std::string_view document) { return document.empty(); });
  EBT_CHECK(!corpus.documents_.empty(), "{} is empty: there is no text to read", corpus.name_);
  return corpus;
}

}  // namespace ebt
