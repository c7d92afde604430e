#include "ebt/data/tokenizer/bpe_tokenizer.h"

#include <utility>

#include "ebt/core/error.h"
#include "ebt/core/unicode.h"
#include "ebt/data/tokenizer/bpe_file.h"
#include "ebt/data/tokenizer/word_cache.h"

namespace ebt {
namespace {

AddedTokenFinder finder_of(const BpeFile& file, bool normalized_tokens) {
  std::vector<AddedToken> tokens;
  for (AddedToken token : file.added_tokens) {
    if (token.normalized == normalized_tokens) {
      // What is looked for in normalised text must be so itself.
      token.content = normalized_tokens ? file.normalizer(token.content) : token.content;
      tokens.push_back(std::move(token));
    }
  }
  return AddedTokenFinder(std::move(tokens));
}

class BpeTokenizer : public Tokenizer {
 public:
  explicit BpeTokenizer(BpeFile file)
      : file_(std::move(file)),
        raw_added_tokens_(finder_of(file_, false)),
        normalized_added_tokens_(finder_of(file_, true)) {}

  int64_t vocabulary_size() const override { return static_cast<int64_t>(file_.texts.size()); }
  int32_t document_separator() const override { return file_.document_separator; }
  std::string separator_name() const override { return file_.separator_name; }
  std::string name() const override { return kBpeTokenizerFile; }

  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> tokens;
    tokens.reserve(text.size() / 3);
    split_utf8(
        text, [&](std::string_view part) { encode_text(part, part.data() == text.data(), tokens); },
        [&](std::string_view bytes) {
          for (const char byte : bytes) {
            file_.model.encode_stray_byte(byte, tokens);
          }
        });
    return tokens;
  }

  std::string decode(std::span<const int32_t> tokens) const override {
    std::string text;
    for (const int32_t token : tokens) {
      EBT_CHECK(token >= 0 && token < vocabulary_size(),
                "cannot decode token {}: the tokenizer has tokens 0 to {}", token,
                vocabulary_size() - 1);
      text += file_.texts[static_cast<size_t>(token)];
    }
    return text;
  }

 private:
  using Tokens = std::vector<int32_t>;

  void encode_text(std::string_view text, bool at_start, Tokens& tokens) const {
    const auto on_token = [&](int32_t id) { tokens.push_back(id); };
    raw_added_tokens_.split(text, on_token, [&](std::string_view raw) {
      const std::string changed = file_.normalizer.empty() ? std::string() : file_.normalizer(raw);
      const std::string_view whole = file_.normalizer.empty() ? raw : changed;
      normalized_added_tokens_.split(whole, on_token, [&](std::string_view part) {
        const bool first = at_start && raw.data() == text.data() && part.data() == whole.data();
        file_.pre_tokenizer.split(part, first,
                                  [&](std::string_view word) { encode_word(word, tokens); });
      });
    });
  }

  void encode_word(std::string_view word, Tokens& tokens) const {
    if (word.size() == 1) {  // sooner encoded than looked up
      file_.model.encode(word, tokens);
      return;
    }
    if (cache_.append(word, tokens)) {
      return;
    }
    const size_t begin = tokens.size();
    file_.model.encode(word, tokens);
    cache_.keep(word, std::span(tokens).subspan(begin));
  }

  BpeFile file_;
  AddedTokenFinder raw_added_tokens_;
  AddedTokenFinder normalized_added_tokens_;
  mutable WordCache cache_;  // holds nothing that could not be computed again
};

}  // namespace

std::shared_ptr<const Tokenizer> make_bpe_tokenizer(std::string_view file, const std::string& what,
                                                    const EndOfText& end_of_text) {
  return std::make_shared<const BpeTokenizer>(parse_bpe_file(file, end_of_text, what));
}

}  // namespace ebt
