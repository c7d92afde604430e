#include "ebt/data/bpe_tokenizer.h"

#include <unordered_map>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/data/bpe_file.h"
#include "ebt/data/byte_pair_merger.h"
#include "ebt/data/unicode.h"
#include "ebt/data/word_cache.h"

namespace ebt {
namespace {

std::string normalized(std::string_view text, const std::vector<NormalForm>& forms) {
  std::string result(text);
  for (const NormalForm form : forms) {
    result = normalized(result, form);
  }
  return result;
}

AddedTokenFinder finder_of(const BpeFile& file, bool normalized_tokens) {
  std::vector<AddedToken> tokens;
  for (AddedToken token : file.added_tokens) {
    if (token.normalized == normalized_tokens) {
      // What is looked for in normalised text must be so itself.
      token.content =
          normalized_tokens ? normalized(token.content, file.normal_forms) : token.content;
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
        normalized_added_tokens_(finder_of(file_, true)) {
    for (const BpeFile::Merge& merge : file_.merges) {
      merger_.add(merge.left, merge.right, merge.merged);
    }
    if (file_.ignore_merges) {
      for (size_t id = 0; id < file_.tokens.size(); ++id) {
        if (!file_.is_added[id]) {
          whole_words_.emplace(file_.tokens[id], static_cast<int32_t>(id));
        }
      }
    }
  }

  int64_t vocabulary_size() const override { return static_cast<int64_t>(file_.tokens.size()); }
  int32_t document_separator() const override { return file_.document_separator; }
  std::string name() const override { return kBpeTokenizerFile; }

  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> tokens;
    tokens.reserve(text.size() / 3);
    split_utf8(
        text, [&](std::string_view part) { encode_text(part, tokens); },
        [&](std::string_view bytes) {
          for (const char byte : bytes) {
            encode_stray_byte(byte, tokens);
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
      text += file_.tokens[static_cast<size_t>(token)];
    }
    return text;
  }

 private:
  using Tokens = std::vector<int32_t>;

  void encode_text(std::string_view text, Tokens& tokens) const {
    const auto on_token = [&](int32_t id) { tokens.push_back(id); };
    const auto on_normalized = [&](std::string_view part) { encode_part(part, 0, tokens); };
    raw_added_tokens_.split(text, on_token, [&](std::string_view part) {
      if (file_.normal_forms.empty()) {
        normalized_added_tokens_.split(part, on_token, on_normalized);
      } else {
        normalized_added_tokens_.split(normalized(part, file_.normal_forms), on_token,
                                       on_normalized);
      }
    });
  }

  void encode_stray_byte(char byte, Tokens& tokens) const {
    const int32_t token = file_.byte_tokens[static_cast<unsigned char>(byte)];
    if (token != BpeFile::kNoToken) {
      tokens.push_back(token);
    } else {
      encode_word("\uFFFD", tokens);
    }
  }

  // Cuts a part by the splits from `next_split` on, and then into words.
  void encode_part(std::string_view part, size_t next_split, Tokens& tokens) const {
    if (next_split < file_.splits.size()) {
      const TextSplit& split = file_.splits[next_split];
      split.pattern.split(part, [&](std::string_view piece, bool matched) {
        if (split.keep == TextSplit::Keep::kEverything ||
            (split.keep == TextSplit::Keep::kMatches) == matched) {
          encode_part(piece, next_split + 1, tokens);
        }
      });
      return;
    }
    std::string prefixed;
    if (file_.add_prefix_space && part.front() != ' ') {
      prefixed = " " + std::string(part);
      part = prefixed;
    }
    if (file_.words.empty()) {
      encode_word(part, tokens);
    } else {
      file_.words.front().pattern.split(
          part, [&](std::string_view word, bool /*matched*/) { encode_word(word, tokens); });
    }
  }

  void encode_word(std::string_view word, Tokens& tokens) const {
    if (word.size() == 1) {
      tokens.push_back(file_.byte_tokens[static_cast<unsigned char>(word[0])]);
      return;
    }
    if (cache_.append(word, tokens)) {
      return;
    }
    Tokens of_word;
    const auto whole = whole_words_.find(std::string(word));
    if (whole != whole_words_.end()) {
      of_word = {whole->second};
    } else {
      of_word.reserve(word.size());
      for (const char byte : word) {
        of_word.push_back(file_.byte_tokens[static_cast<unsigned char>(byte)]);
      }
      merger_.merge(of_word);
    }
    tokens.insert(tokens.end(), of_word.begin(), of_word.end());
    cache_.keep(word, of_word);
  }

  BpeFile file_;
  AddedTokenFinder raw_added_tokens_;
  AddedTokenFinder normalized_added_tokens_;
  BytePairMerger merger_;
  std::unordered_map<std::string, int32_t> whole_words_;  // filled where merges are ignored
  mutable WordCache cache_;  // holds nothing that could not be computed again
};

}  // namespace

std::shared_ptr<const Tokenizer> make_bpe_tokenizer(std::string_view file,
                                                    const std::string& what) {
  return std::make_shared<const BpeTokenizer>(parse_bpe_file(file, what));
}

}  // namespace ebt
