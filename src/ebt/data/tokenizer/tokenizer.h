// Text as tokens: the interface, and the tokenizer that needs no file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebt {

// Immutable and thread-safe.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Number of tokens; ids are 0 .. vocabulary_size() - 1.
  virtual int64_t vocabulary_size() const = 0;
  // The token that stands between documents and before the first one; it has no text.
  virtual int32_t document_separator() const = 0;
  // How the tokenizer's file writes it; "" without a file.
  virtual std::string separator_name() const { return {}; }
  virtual std::vector<int32_t> encode(std::string_view text) const = 0;
  // The bytes of the tokens, which need not be whole UTF-8 characters; separators have none. Throws
  // Error for a token outside the vocabulary.
  virtual std::string decode(std::span<const int32_t> tokens) const = 0;
  // What config.json says: "bytes", or the name of the tokenizer's file in the model folder.
  virtual std::string name() const = 0;
};

inline constexpr char kByteTokenizer[] = "bytes";

// Every byte is a token; token 256 is the separator.
std::shared_ptr<const Tokenizer> byte_tokenizer();

// The tokenizer that `path` names: "bytes", a tokenizer.json (bpe_tokenizer.h), a SentencePiece
// .model (sentence_piece.h), or a folder that holds one of these files; of both the first, unless
// it is not supported, which a note on stderr says. In the folder of a model or of prepared data
// its config.json or prepared.json says which, and may say bytes.
//
// `end_of_text` is the token that stands between documents; where it is "", files beside the
// tokenizer's say (end_of_text.h), or the tokenizer itself. Throws Error when something is missing,
// damaged, or of a kind that is not supported.
std::shared_ptr<const Tokenizer> open_tokenizer(const std::string& path,
                                                const std::string& end_of_text = "");

// Writes the file of `tokenizer`, which was opened from `path`, into `folder` under its name(), and
// beside it which token ends a text; bytes have no file. Throws Error when it cannot.
void copy_tokenizer(const std::string& path, const Tokenizer& tokenizer,
                    const std::filesystem::path& folder);

}  // namespace ebt
