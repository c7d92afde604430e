#include "ebt/data/tokenizer.h"

#include <gtest/gtest.h>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

TEST(Tokenizer, MakesOneTokenOfEveryByte) {
  EXPECT_EQ(encode("aé"), (std::vector<int32_t>{97, 0xc3, 0xa9}));
  EXPECT_TRUE(encode("").empty());
}

TEST(Tokenizer, DecodesEveryByte) {
  std::string text;
  for (int byte = 0; byte < 256; ++byte) {
    text.push_back(static_cast<char>(byte));
  }
  EXPECT_EQ(decode(encode(text)), text);
}

TEST(Tokenizer, DropsSeparators) {
  EXPECT_EQ(decode(std::vector<int32_t>{97, kDocumentSeparator, 98}), "ab");
}

TEST(Tokenizer, RefusesTokensOutsideTheVocabulary) {
  const auto decoding = [](int32_t token) {
    return testing::error_text([&] { decode(std::vector<int32_t>{token}); });
  };
  EXPECT_EQ(decoding(257), "cannot decode token 257: the byte vocabulary has tokens 0 to 256");
  EXPECT_EQ(decoding(-1), "cannot decode token -1: the byte vocabulary has tokens 0 to 256");
}

}  // namespace
}  // namespace ebt
