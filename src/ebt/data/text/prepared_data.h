// Prepared data, a folder of text that was tokenised once: docs/formats.md describes its files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "ebt/data/text/corpus.h"
#include "ebt/data/text/token_sequence.h"
#include "ebt/data/tokenizer/tokenizer.h"
#include "ebt/io/file.h"

namespace ebt {

inline constexpr char kPreparedFile[] = "prepared.json";

// What prepared.json says.
struct PreparedSummary {
  int64_t format_version = 1;
  std::string tokenizer;
  int64_t vocabulary_size = 0;
  std::string fingerprint;  // of the vocabulary, 16 hexadecimal digits
  int64_t shards = 0;
  int64_t documents = 0;
  int64_t tokens = 0;  // without separators
  int64_t bytes = 0;   // of the text

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("format_version", format_version, "");
    visit("tokenizer", tokenizer, "");
    visit("vocabulary_size", vocabulary_size, "");
    visit("fingerprint", fingerprint, "");
    visit("shards", shards, "");
    visit("documents", documents, "");
    visit("tokens", tokens, "");
    visit("bytes", bytes, "");
  }
};

// Encodes the text that `source` names (Corpus::open) with the tokenizer that `tokenizer_path`
// and `end_of_text` name (open_tokenizer), into `folder`, which also receives the tokenizer's file.
// Uses OpenMP's threads; the files do not depend on their number. Memory holds one shard and the
// pieces that are being encoded. prepared.json is written last, so a folder that has it is
// complete; what an interrupted preparation left is replaced. Throws Error when the folder holds
// anything else, or a file cannot be read or written.
PreparedSummary prepare_data(const TextSource& source, const std::string& tokenizer_path,
                             const std::filesystem::path& folder,
                             const std::string& end_of_text = "");

// Whether the path is a folder of prepared data. Throws Error when it is one whose preparation was
// interrupted: its files must not be taken for text.
bool is_prepared_data(const std::string& path);

// As Corpus::open, for what needs the text itself: throws Error when it was prepared already.
Corpus open_text(const TextSource& source);

// The path of the tokenizer to use on `data`: the one asked for or, where that is "", the one that
// the data were prepared with, or bytes.
std::string chosen_tokenizer(const std::string& asked_for, const std::string& data);

// An opened folder, its shards mapped.
class PreparedData {
 public:
  // Reads all of it once, for the checksums. Throws Error when a file is missing or damaged, or the
  // tokens are not those of `tokenizer`.
  PreparedData(const std::filesystem::path& folder, const Tokenizer& tokenizer);

  const PreparedSummary& summary() const { return summary_; }
  // One for each document, or part of one that goes on in another shard. Valid as long as this.
  const std::vector<TokenSpan>& spans() const { return spans_; }

 private:
  PreparedSummary summary_;
  std::vector<MappedFile> files_;
  std::vector<TokenSpan> spans_;
};

}  // namespace ebt
