// The text that a model is trained or evaluated on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/data/text/text_source.h"

namespace ebt {

// An ordered list of non-empty documents. Large files are mapped, and what is decoded lies in a
// temporary file where it is long, so a corpus may be larger than memory. Copies share the
// documents.
class Corpus {
 public:
  // Opens what `source` names (docs/formats.md): a file or stream, of which text or binary is one
  // document and every record another; every file of a folder; or, named "", the manual that `cmake
  // --help-full` prints. Lines that are passed over are told on stderr. Throws Error when it is
  // missing, unreadable, no text, empty, or a line is not what it should be.
  static Corpus open(const TextSource& source);

  const std::vector<std::string_view>& documents() const { return documents_; }
  // As error messages call it: "'book.txt'", "the CMake manual".
  const std::string& name() const { return name_; }
  // Without tokens: nothing is encoded yet.
  const TextSummary& summary() const { return summary_; }

 private:
  struct Storage;
  class Builder;
  Corpus() = default;

  std::string name_;
  TextSummary summary_;
  std::vector<std::string_view> documents_;
  std::shared_ptr<const void> owner_;  // of the documents' memory
};

}  // namespace ebt
