// In place of sentence_piece.cpp and sentence_piece_training.cpp where the library is not
// installed.
#include "ebt/core/error.h"
#include "ebt/data/tokenizer/sentence_piece.h"

namespace ebt {
namespace {

[[noreturn]] void fail_as_absent(const std::string& purpose) {
  fail(
      "{} takes SentencePiece, which this program was built without: install "
      "libsentencepiece-dev and build it again",
      purpose);
}

}  // namespace

bool has_sentence_piece() { return false; }

std::shared_ptr<const Tokenizer> make_sentence_piece_tokenizer(std::string_view /*file*/,
                                                               const std::string& what,
                                                               const EndOfText& /*end_of_text*/) {
  fail_as_absent("reading " + what);
}

std::string train_sentence_piece(const std::vector<std::string_view>& /*documents*/,
                                 int64_t /*vocabulary_size*/, SentencePieceType /*type*/) {
  fail_as_absent("training a tokenizer");
}

}  // namespace ebt
