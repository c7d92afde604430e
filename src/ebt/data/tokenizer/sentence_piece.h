// SentencePiece models: opened, and trained on a text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/core/enum_names.h"
#include "ebt/data/tokenizer/end_of_text.h"
#include "ebt/data/tokenizer/tokenizer.h"

namespace ebt {

inline constexpr char kSentencePieceFile[] = "tokenizer.model";

// Whether the program was built with the SentencePiece library. Where it was not, the functions
// below throw an Error that says so.
bool has_sentence_piece();

// The tokenizer of a SentencePiece model. The separator is the piece that `end_of_text` names, if
// the model has it, else its end of sentence or, without one, its beginning.
//
// decode() only joins the texts of tokens, so that a running text can be decoded token by token: a
// space that the model itself puts before every text (add_dummy_prefix) stays in it, and
// decode(encode(x)) is then x behind a space. With a model that normalises, x comes back
// normalised. Otherwise decode(encode(x)) is x for any bytes, if the model has byte tokens: bytes
// that are no UTF-8, and U+2581, which stands for a space in the model, become such tokens, and so
// does a space that the model never met. A token that is unknown to the model decodes to U+FFFD.
//
// Throws Error, in a sentence that begins with `what`, when the file is no such model.
std::shared_ptr<const Tokenizer> make_sentence_piece_tokenizer(std::string_view file,
                                                               const std::string& what,
                                                               const EndOfText& end_of_text = {});

// How train_sentence_piece learns a vocabulary: by merging pairs, or by pruning a unigram model.
enum class SentencePieceType { kBpe, kUnigram };
inline const EnumNames<SentencePieceType>& enum_names(SentencePieceType) {
  static const EnumNames<SentencePieceType> kNames = {{"bpe", SentencePieceType::kBpe},
                                                      {"unigram", SentencePieceType::kUnigram}};
  return kNames;
}

// Learns a vocabulary of that many tokens, the 256 bytes among them, and returns the model's file.
// It changes nothing in the text and adds nothing to it, so that decode(encode(x)) is x. Of more
// than 256 MiB of text, lines spread evenly over it are learned from. Characters that are rare, or
// that are so many that they leave no room for words, remain bytes. The same documents give the
// same model. Throws Error when the text does not yield so many tokens.
std::string train_sentence_piece(const std::vector<std::string_view>& documents,
                                 int64_t vocabulary_size, SentencePieceType type);

}  // namespace ebt
