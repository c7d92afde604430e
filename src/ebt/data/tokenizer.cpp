#include "ebt/data/tokenizer.h"

#include "ebt/core/error.h"

namespace ebt {
namespace {

class ByteTokenizer : public Tokenizer {
 public:
  int64_t vocabulary_size() const override { return kSeparator + 1; }
  int32_t document_separator() const override { return kSeparator; }

  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> tokens;
    tokens.reserve(text.size());
    for (const char byte : text) {
      tokens.push_back(static_cast<unsigned char>(byte));
    }
    return tokens;
  }

  std::string decode(std::span<const int32_t> tokens) const override {
    std::string text;
    text.reserve(tokens.size());
    for (const int32_t token : tokens) {
      EBT_CHECK(token >= 0 && token <= kSeparator,
                "cannot decode token {}: the byte vocabulary has tokens 0 to {}", token,
                kSeparator);
      if (token != kSeparator) {
        text.push_back(static_cast<char>(token));
      }
    }
    return text;
  }

  std::string name() const override { return kByteTokenizer; }

 private:
  static constexpr int32_t kSeparator = 256;
};

}  // namespace

std::shared_ptr<const Tokenizer> byte_tokenizer() {
  static const auto tokenizer = std::make_shared<const ByteTokenizer>();
  return tokenizer;
}

std::shared_ptr<const Tokenizer> open_tokenizer(const std::string& path) {
  EBT_CHECK(path == kByteTokenizer, "'{}' is no tokenizer: the only one is '{}'", path,
            kByteTokenizer);
  return byte_tokenizer();
}

}  // namespace ebt
