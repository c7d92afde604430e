// The text that a model is trained or evaluated on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ebt {

// An ordered list of non-empty documents. Files are mapped, so a corpus may be larger than memory;
// only small files and the decoded text of a .jsonl are held. Copies share the documents.
class Corpus {
 public:
  // Opens the corpus that `path` names:
  // - a folder: every file in it and below is a document, in the order of their paths; hidden files
  //   and folders are skipped;
  // - a file that ends in .jsonl: every line is an object whose string `text_field` is a document;
  // - any other file, text or binary: one document;
  // - "": the manual that `cmake --help-full` prints.
  // Throws Error when it is missing, unreadable, empty, or a line is not what it should be.
  static Corpus open(const std::string& path, const std::string& text_field);

  const std::vector<std::string_view>& documents() const { return documents_; }
  // As error messages call it: "'book.txt'", "the CMake manual".
  const std::string& name() const { return name_; }

 private:
  Corpus() = default;

  std::string name_;
  std::vector<std::string_view> documents_;
  std::shared_ptr<const void> owner_;  // of the documents' memory
};

}  // namespace ebt
