#include "ebt/data/tokenizer.h"

#include <gtest/gtest.h>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

TEST(ByteTokenizer, MakesOneTokenOfEveryByte) {
  EXPECT_EQ(byte_tokenizer()->encode("aé"), (std::vector<int32_t>{97, 0xc3, 0xa9}));
  EXPECT_TRUE(byte_tokenizer()->encode("").empty());
  EXPECT_EQ(byte_tokenizer()->vocabulary_size(), 257);
  EXPECT_EQ(byte_tokenizer()->document_separator(), 256);
}

TEST(ByteTokenizer, DecodesEveryByte) {
  std::string text;
  for (int byte = 0; byte < 256; ++byte) {
    text.push_back(static_cast<char>(byte));
  }
  EXPECT_EQ(byte_tokenizer()->decode(byte_tokenizer()->encode(text)), text);
}

TEST(ByteTokenizer, DropsSeparators) {
  EXPECT_EQ(byte_tokenizer()->decode(std::vector<int32_t>{97, 256, 98}), "ab");
}

TEST(ByteTokenizer, RefusesTokensOutsideTheVocabulary) {
  const auto decoding = [](int32_t token) {
    return testing::error_text([&] { byte_tokenizer()->decode(std::vector<int32_t>{token}); });
  };
  EXPECT_EQ(decoding(257), "cannot decode token 257: the byte vocabulary has tokens 0 to 256");
  EXPECT_EQ(decoding(-1), "cannot decode token -1: the byte vocabulary has tokens 0 to 256");
}

TEST(ByteTokenizer, IsOpenedByItsName) {
  EXPECT_EQ(open_tokenizer("bytes"), byte_tokenizer());
  EXPECT_EQ(open_tokenizer("bytes")->name(), "bytes");
}

}  // namespace
}  // namespace ebt
