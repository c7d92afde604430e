#include "ebt/data/text/corpus.h"

#include <fmt/ranges.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <deque>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/data/text/text_input.h"
#include "ebt/io/file.h"
#include "ebt/io/spooled_text.h"

namespace ebt {
namespace {

// Files up to this size are read, not mapped: the kernel limits the number of mappings (65,530 on
// Linux), and a folder can hold more small files than that.
constexpr uint64_t kMostRead_bytes = 64 * 1024;

std::string cmake_manual() {
  std::string manual;
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
  return manual;
}

// Keys of an object as an error lists them.
std::string listed_keys(const nlohmann::json& object) {
  constexpr size_t kMostKeys = 10;
  constexpr size_t kMostKey_bytes = 40;
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) {
    if (keys.size() < kMostKeys) {
      keys.push_back(fmt::format("{:?}", key.substr(0, kMostKey_bytes)));
    }
  }
  return keys.empty() ? "" : fmt::format(" among {}", fmt::join(keys, ", "));
}

const std::string& text_of(const nlohmann::json& object, const std::string& what,
                           const std::string& field) {
  const auto text = object.find(field);
  if (text == object.end()) {
    throw MissingField(
        fmt::format("{} has no field '{}'{}: --text-field names the one with the text", what, field,
                    listed_keys(object)));
  }
  EBT_CHECK(text->is_string(), "{} has a field '{}' that is not a string", what, field);
  return text->get_ref<const std::string&>();
}

}  // namespace

// The memory that documents lie in, and what is known of those that are not complete.
struct Corpus::Storage {
  std::deque<MappedFile> files;  // elements of a deque never move
  SpooledText spooled;
};

// Puts documents together, in order.
class Corpus::Builder {
 public:
  explicit Builder(Corpus& corpus, const TextSource& source)
      : corpus_(corpus),
        source_(source),
        storage_(std::make_shared<Storage>()),
        bad_(bad_lines_of(source)) {}

  void add_input(TextInput& input, const std::string& path) {
    ++corpus_.summary_.files;
    if (input.has_records()) {
      std::string text;
      for_each_record(
          input, bad_,
          [&](const std::string& what, const nlohmann::json& object) {
            text = text_of(object, what, source_.text_field);
          },
          [&] { add_text(text); });
    } else if (input.mappable_bytes > kMostRead_bytes) {
      corpus_.documents_.push_back(storage_->files.emplace_back(path).text());
    } else {
      begin_document();
      read_blocks(*input.bytes, input.name,
                  [&](std::string_view block) { storage_->spooled.append(block); });
      end_document();
    }
  }

  void add_text(std::string_view text) {
    begin_document();
    storage_->spooled.append(text);
    end_document();
  }

  void finish() {
    const std::string_view all = storage_->spooled.finish();
    for (const Place& place : spooled_) {
      corpus_.documents_[place.document] = all.substr(place.begin, place.bytes);
    }
    corpus_.owner_ = storage_;
    std::vector<std::string_view>& documents = corpus_.documents_;
    std::erase_if(documents, [](std::string_view document) { return document.empty(); });
    EBT_CHECK(!documents.empty(), "{} is empty: there is no text to read{}", corpus_.name_,
              bad_.count() == 0 ? "" : ", for " + bad_.sentences().front());
    bad_.report();
    corpus_.summary_.bad_lines = bad_.count();
    corpus_.summary_.documents = static_cast<int64_t>(documents.size());
    for (const std::string_view document : documents) {
      corpus_.summary_.bytes += static_cast<int64_t>(document.size());
    }
  }

 private:
  // Of a document in the spooled text, which may move until it is finished.
  struct Place {
    size_t document = 0;
    size_t begin = 0;
    size_t bytes = 0;
  };

  void begin_document() {
    spooled_.push_back({corpus_.documents_.size(), storage_->spooled.size(), 0});
    corpus_.documents_.emplace_back();
  }
  void end_document() { spooled_.back().bytes = storage_->spooled.size() - spooled_.back().begin; }

  Corpus& corpus_;
  const TextSource& source_;
  std::shared_ptr<Storage> storage_;
  std::vector<Place> spooled_;
  BadLines bad_;
};

Corpus Corpus::open(const TextSource& source) {
  Corpus corpus;
  corpus.name_ = source.data.empty() ? "the CMake manual" : source_name(source.data);
  Builder builder(corpus, source);
  if (source.data.empty()) {
    builder.add_text(cmake_manual());
  } else {
    for_each_text_input(source.data, source.as, [&](TextInput& input, const std::string& path) {
      builder.add_input(input, path);
    });
  }
  builder.finish();
  return corpus;
}

}  // namespace ebt
