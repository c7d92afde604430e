// Incremental text of one choice of an answer: which tokens, and how much of their text, may be
// sent.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "ebt/serve/served_model.h"
#include "ebt/think/generator.h"
#include "ebt/think/text_stream.h"

namespace ebt {

// Text that may be sent, and the tokens whose text is now sent in full.
struct TextPiece {
  std::string text;
  std::vector<TokenReport> tokens;
};

class TextWriter {
 public:
  // `model` must outlive this. Stop strings are looked for in what is written, not in the prompt.
  TextWriter(const ServedModel& model, const std::vector<std::string>& stop_strings);

  // A scored token of the prompt comes back at once and has no text here. Once a stop string is
  // complete, the text is ended and nothing more comes.
  TextPiece add(TokenReport report);
  // What was held back, to be called once, when the text ends. Tokens of a stop string, unless they
  // begin before it, are not part of the text.
  TextPiece finish();
  bool stopped() const { return stream_.stopped(); }

 private:
  struct HeldToken {
    TokenReport report;
    int64_t begin = 0;  // bytes of text before it, and with it
    int64_t end = 0;
  };

  const ServedModel& model_;
  TextStream stream_;
  std::deque<HeldToken> held_;
  int64_t bytes_ = 0;  // of all tokens so far
};

}  // namespace ebt
