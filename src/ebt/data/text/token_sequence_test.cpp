#include "ebt/data/text/token_sequence.h"

#include <gtest/gtest.h>

#include "ebt/data/tokenizer/tokenizer.h"

namespace ebt {
namespace {

std::vector<int32_t> tokens_of(const TokenSequence& sequence, int64_t first, int64_t count) {
  std::vector<int32_t> tokens(static_cast<size_t>(count));
  sequence.copy_tokens(first, count, tokens.data());
  return tokens;
}

TEST(TokenSequence, PutsASeparatorBetweenDocuments) {
  const TokenSequence sequence({"ab", "c"}, nullptr);
  EXPECT_EQ(sequence.size(), 4);
  EXPECT_EQ(tokens_of(sequence, 0, 4),
            (std::vector<int32_t>{'a', 'b', byte_tokenizer()->document_separator(), 'c'}));
}

TEST(TokenSequence, ReadsBytesAsUnsigned) {
  EXPECT_EQ(TokenSequence({"\xff"}, nullptr).token(0), 255);
}

TEST(TokenSequence, CopiesAnyRange) {
  const TokenSequence sequence({"ab", "c", "defg"}, nullptr);
  const std::vector<int32_t> all = tokens_of(sequence, 0, sequence.size());
  for (int64_t first = 0; first <= sequence.size(); ++first) {
    for (int64_t count = 0; first + count <= sequence.size(); ++count) {
      EXPECT_EQ(tokens_of(sequence, first, count),
                std::vector<int32_t>(all.begin() + first, all.begin() + first + count));
    }
    if (first < sequence.size()) {
      EXPECT_EQ(sequence.token(first), all[static_cast<size_t>(first)]);
    }
  }
}

TEST(TokenSequence, OfNoDocumentsIsEmpty) {
  EXPECT_EQ(TokenSequence().size(), 0);
  EXPECT_EQ(TokenSequence({}, nullptr).size(), 0);
}

TEST(TokenSequence, KeepsItsMemoryAlive) {
  auto owner = std::make_shared<std::string>("text");
  const std::weak_ptr<std::string> watched = owner;
  TokenSequence sequence({*owner}, owner);
  owner.reset();
  EXPECT_FALSE(watched.expired());
  EXPECT_EQ(sequence.token(0), 't');
  sequence = TokenSequence();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace ebt
