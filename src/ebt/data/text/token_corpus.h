// The tokens that a model is trained or evaluated on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ebt/data/text/text_source.h"
#include "ebt/data/text/token_sequence.h"
#include "ebt/data/tokenizer/tokenizer.h"

namespace ebt {

// The two parts of a corpus. `validation` is empty when no share was asked for.
struct CorpusSplit {
  TokenSequence training;
  TokenSequence validation;
};

// An ordered list of documents of tokens. Copies share the memory.
class TokenCorpus {
 public:
  // Opens the folder of prepared data (prepared_data.h), or else the text, that `source` names.
  // Bytes of text are tokens where they lie; with another tokenizer the text is encoded, and held
  // in memory. Throws Error as Corpus::open and PreparedData do.
  static TokenCorpus open(const TextSource& source, const Tokenizer& tokenizer);

  const TextSummary& summary() const { return summary_; }
  // All documents. Throws Error when they are fewer than two tokens: nothing could be predicted.
  TokenSequence tokens() const;
  // Sets aside `validation` (at least 0, below 1) of the tokens: whole documents spread evenly over
  // the corpus when it has at least ten, else its last part. The same corpus is always split the
  // same way. Throws Error when a part has fewer than context + 1 tokens.
  CorpusSplit split(double validation, int64_t context) const;

 private:
  TokenCorpus() = default;

  std::string name_;  // as error messages call the corpus
  TextSummary summary_;
  std::vector<TokenSpan> spans_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  std::shared_ptr<const void> owner_;  // of the tokens' memory
};

}  // namespace ebt
