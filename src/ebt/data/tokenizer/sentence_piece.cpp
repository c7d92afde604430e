#include "ebt/data/tokenizer/sentence_piece.h"

#include <sentencepiece_processor.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "ebt/core/error.h"
#include "ebt/core/unicode.h"

// In the library, though in none of its headers: without it, errors would be printed as well.
namespace sentencepiece::logging {
void SetMinLogLevel(int level);
}

namespace ebt {
namespace {

constexpr int kLogNothing = 4;
constexpr std::string_view kSpaceSymbol = "\u2581";

class SentencePieceTokenizer : public Tokenizer {
 public:
  SentencePieceTokenizer(std::string_view file, const EndOfText& end_of_text,
                         const std::string& what) {
    sentencepiece::logging::SetMinLogLevel(kLogNothing);
    EBT_CHECK(!file.empty() && processor_.LoadFromSerializedProto(file).ok(),
              "{} is not a SentencePiece model, nor a tokenizer.json", what);
    choose_separator(end_of_text, what);
    byte_tokens_.resize(256, kNone);
    for (int32_t token = 0; token < processor_.GetPieceSize(); ++token) {
      texts_.push_back(text_of(token));
      if (processor_.IsByte(token) && texts_.back().size() == 1) {
        byte_tokens_[static_cast<unsigned char>(texts_.back()[0])] = token;
      }
    }
    texts_[static_cast<size_t>(separator_)].clear();
    has_bytes_ = std::none_of(byte_tokens_.begin(), byte_tokens_.end(),
                              [](int32_t t) { return t == kNone; });
    // Most models know no end of line. Where it stands alone between two texts, they can be encoded
    // one by one: long texts at once would take much memory.
    if (has_bytes_) {
      std::vector<int32_t> apart = processor_encode("a");
      apart.push_back(byte_tokens_['\n']);
      for (const int32_t token : processor_encode("a")) {
        apart.push_back(token);
      }
      lines_are_apart_ = processor_encode("a\na") == apart;
    }
  }

  int64_t vocabulary_size() const override { return static_cast<int64_t>(texts_.size()); }
  int32_t document_separator() const override { return separator_; }
  std::string separator_name() const override { return processor_.IdToPiece(separator_); }
  std::string name() const override { return kSentencePieceFile; }

  std::vector<int32_t> encode(std::string_view text) const override {
    if (!has_bytes_) {
      return processor_encode(text);
    }
    std::vector<int32_t> tokens;
    const auto as_bytes = [&](std::string_view bytes) {
      for (const char byte : bytes) {
        tokens.push_back(byte_tokens_[static_cast<unsigned char>(byte)]);
      }
    };
    split_utf8(
        text,
        [&](std::string_view valid) {
          while (!valid.empty()) {
            const size_t known = next_symbol(valid);
            if (known > 0) {
              const std::vector<int32_t> part = processor_encode(valid.substr(0, known));
              tokens.insert(tokens.end(), part.begin(), part.end());
              valid.remove_prefix(known);
            }
            const size_t symbol =
                valid.empty() ? 0 : (valid[0] == '\n' ? size_t{1} : kSpaceSymbol.size());
            as_bytes(valid.substr(0, symbol));
            valid.remove_prefix(symbol);
          }
        },
        as_bytes);
    return tokens;
  }

  std::string decode(std::span<const int32_t> tokens) const override {
    std::string text;
    for (const int32_t token : tokens) {
      EBT_CHECK(token >= 0 && token < vocabulary_size(),
                "cannot decode token {}: the tokenizer has tokens 0 to {}", token,
                vocabulary_size() - 1);
      text += texts_[static_cast<size_t>(token)];
    }
    return text;
  }

 private:
  static constexpr int32_t kNone = -1;

  void choose_separator(const EndOfText& end_of_text, const std::string& what) {
    separator_ = processor_.eos_id() >= 0 ? processor_.eos_id() : processor_.bos_id();
    const int32_t asked_for = processor_.PieceToId(end_of_text.token);
    if (!end_of_text.token.empty() && processor_.IdToPiece(asked_for) == end_of_text.token) {
      separator_ = asked_for;
      return;
    }
    EBT_CHECK(!end_of_text.required, "--end-of-text: {} has no token {:?}", what,
              end_of_text.token);
    EBT_CHECK(separator_ >= 0,
              "{} has neither an end nor a beginning of sentence to stand between documents: name "
              "a token with --end-of-text",
              what);
  }

  // Where U+2581 or, if lines are encoded one by one, the end of a line stands next.
  size_t next_symbol(std::string_view text) const {
    const char first_bytes[] = {kSpaceSymbol[0], '\n'};
    const std::string_view wanted(first_bytes, lines_are_apart_ ? 2 : 1);
    size_t at = text.find_first_of(wanted);
    while (at != text.npos && text[at] != '\n' && !text.substr(at).starts_with(kSpaceSymbol)) {
      at = text.find_first_of(wanted, at + 1);
    }
    return std::min(at, text.size());
  }

  // What the library makes of valid UTF-8 without U+2581. Where the model has no piece for a space,
  // the library writes it as the bytes of U+2581; it is to be the byte of a space.
  std::vector<int32_t> processor_encode(std::string_view text) const {
    std::vector<int> tokens;
    const auto status = processor_.Encode(text, &tokens);
    EBT_CHECK(status.ok(), "the SentencePiece model cannot encode a text of {} bytes: {}",
              text.size(), status.message());
    if (has_bytes_) {
      const auto byte_token = [&](char byte) {
        return byte_tokens_[static_cast<unsigned char>(byte)];
      };
      const std::array symbol = {byte_token(kSpaceSymbol[0]), byte_token(kSpaceSymbol[1]),
                                 byte_token(kSpaceSymbol[2])};
      auto kept = tokens.begin();
      for (auto token = tokens.begin(); token != tokens.end(); ++kept) {
        const bool is_space = tokens.end() - token >= std::ssize(symbol) &&
                              std::equal(symbol.begin(), symbol.end(), token);
        *kept = is_space ? byte_token(' ') : *token;
        token += is_space ? std::ssize(symbol) : 1;
      }
      tokens.erase(kept, tokens.end());
    }
    return tokens;
  }

  std::string text_of(int32_t token) const {
    if (processor_.IsControl(token) || processor_.IsUnused(token)) {
      return "";
    }
    if (processor_.IsUnknown(token)) {
      return "\uFFFD";
    }
    std::string piece = processor_.IdToPiece(token);
    if (processor_.IsByte(token)) {  // "<0xE2>"
      unsigned char byte = 0;
      const std::string_view digits =
          std::string_view(piece).substr(std::min<size_t>(3, piece.size()), 2);
      std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
      return std::string(1, static_cast<char>(byte));
    }
    for (size_t at = 0; (at = piece.find(kSpaceSymbol, at)) != std::string::npos;) {
      piece.replace(at, kSpaceSymbol.size(), " ");
    }
    return piece;
  }

  sentencepiece::SentencePieceProcessor processor_;
  int32_t separator_ = 0;
  std::vector<std::string> texts_;    // (V)
  std::vector<int32_t> byte_tokens_;  // (256)
  bool has_bytes_ = false;
  bool lines_are_apart_ = false;
};

}  // namespace

bool has_sentence_piece() { return true; }

std::shared_ptr<const Tokenizer> make_sentence_piece_tokenizer(std::string_view file,
                                                               const std::string& what,
                                                               const EndOfText& end_of_text) {
  return std::make_shared<const SentencePieceTokenizer>(file, end_of_text, what);
}

}  // namespace ebt
