// The text that a model is trained or evaluated on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/data/token_sequence.h"

namespace ebt {

// The two parts of a corpus. `validation` is empty when no share was asked for.
struct CorpusSplit {
  TokenSequence training;
  TokenSequence validation;
};

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
  // All documents. Throws Error when they are fewer than two tokens: nothing could be predicted.
  TokenSequence tokens() const;
  // Sets aside `validation` (at least 0, below 1) of the bytes: whole documents spread evenly over
  // the corpus when it has at least ten, else its last part. The same corpus is always split the
  // same way. Throws Error when a part has fewer than context + 1 tokens.
  CorpusSplit split(double validation, int64_t context) const;

 private:
  Corpus() = default;

  std::string name_;  // as error messages call the corpus
  std::vector<std::string_view> documents_;
  std::shared_ptr<const void> owner_;  // of the documents' memory
};

}  // namespace ebt
