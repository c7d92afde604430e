#include "ebt/data/text/token_corpus.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::TemporaryFolder;

// Tokens that are bytes, with a bar for the separator.
std::string text_of(const TokenSequence& tokens) {
  std::string text;
  for (int64_t i = 0; i < tokens.size(); ++i) {
    const int32_t token = tokens.token(i);
    text.push_back(token == byte_tokenizer()->document_separator() ? '|'
                                                                   : static_cast<char>(token));
  }
  return text;
}

TokenCorpus open_bytes(const std::string& path) {
  return TokenCorpus::open({path}, *byte_tokenizer());
}

TEST(TokenCorpus, PutsASeparatorBetweenDocuments) {
  const TemporaryFolder folder;
  folder.write("a", "one");
  folder.write("b", "two");
  EXPECT_EQ(text_of(open_bytes(folder.path().string()).tokens()), "one|two");
}

TEST(TokenCorpus, OfOneTokenIsTooShort) {
  const TemporaryFolder folder;
  const std::string path = folder.write("f", "a");
  EXPECT_EQ(error_text([&] { open_bytes(path).tokens(); }),
            "'" + path + "' is too short: one token leaves nothing to predict");
}

TEST(TokenCorpus, OutlivedByItsTokens) {
  const TemporaryFolder folder;
  TokenSequence tokens;
  {
    const TokenCorpus corpus = open_bytes(folder.write("f.jsonl", R"({"text": "text"})"));
    tokens = TokenCorpus(corpus).tokens();
  }
  EXPECT_EQ(text_of(tokens), "text");
}

// ---- The split.

TEST(CorpusSplit, TakesTheLastPartOfFewDocuments) {
  const TemporaryFolder folder;
  folder.write("a", "0123456");
  folder.write("b", "789");
  const CorpusSplit split = open_bytes(folder.path().string()).split(0.2, 1);
  EXPECT_EQ(text_of(split.training), "0123456|7");
  EXPECT_EQ(text_of(split.validation), "89");
}

TEST(CorpusSplit, CutsBetweenDocumentsWithoutASeparator) {
  const TemporaryFolder folder;
  folder.write("a", "01");
  folder.write("b", "23");
  const CorpusSplit split = open_bytes(folder.path().string()).split(0.5, 1);
  EXPECT_EQ(text_of(split.training), "01");
  EXPECT_EQ(text_of(split.validation), "23");
}

TEST(CorpusSplit, TakesWholeDocumentsSpreadOverMany) {
  const TemporaryFolder folder;
  for (char name = 'a'; name < 'a' + 20; ++name) {
    folder.write(std::string(1, name), std::string(3, name));
  }
  const CorpusSplit split = open_bytes(folder.path().string()).split(0.1, 1);
  EXPECT_EQ(text_of(split.validation), "eee|ooo");
  EXPECT_EQ(split.training.size(), 18 * 4 - 1);
  EXPECT_EQ(text_of(split.training).find("eee"), std::string::npos);
}

TEST(CorpusSplit, KeepsTheShareByBytes) {
  const TemporaryFolder folder;
  std::string lines;
  size_t total = 0;
  for (size_t i = 0; i < 300; ++i) {
    const size_t length = 1 + i * 7919 % 1000 * (i % 50 == 0 ? 20 : 1);
    total += length;
    lines += fmt::format("{{\"text\": \"{}\"}}\n", std::string(length, 'x'));
  }
  const TokenCorpus corpus = open_bytes(folder.write("f.jsonl", lines));
  for (const double share : {0.05, 0.1, 0.5, 0.9}) {
    const auto wanted = share * static_cast<double>(total);
    EXPECT_NEAR(static_cast<double>(corpus.split(share, 1).validation.size()), wanted, 10'500.0);
  }
}

TEST(CorpusSplit, SetsNothingAsideForAShareOfZero) {
  const TemporaryFolder folder;
  const CorpusSplit split = open_bytes(folder.write("f", "0123")).split(0.0, 3);
  EXPECT_EQ(text_of(split.training), "0123");
  EXPECT_EQ(split.validation.size(), 0);
}

TEST(CorpusSplit, RefusesAnImpossibleShare) {
  const TemporaryFolder folder;
  const TokenCorpus corpus = open_bytes(folder.write("f", "0123"));
  for (const char* share : {"1", "-0.1", "nan"}) {
    EXPECT_EQ(
        error_text([&] { corpus.split(std::strtod(share, nullptr), 1); }),
        std::string("the share kept for validation must be at least 0 and below 1, not ") + share);
  }
}

TEST(CorpusSplit, RefusesPartsThatAreTooShort) {
  const TemporaryFolder folder;
  const std::string path = folder.write("f", "0123456789");
  const TokenCorpus corpus = open_bytes(path);
  EXPECT_EQ(error_text([&] { corpus.split(0.2, 1); }), "no error");
  EXPECT_EQ(error_text([&] { corpus.split(0.2, 2); }),
            "'" + path +
                "' is too short: its validation part, with 0.2 of it kept for validation, has 2 "
                "tokens, and a context of 2 needs at least 3");
  EXPECT_EQ(error_text([&] { corpus.split(0.2, 8); }),
            "'" + path +
                "' is too short: its training part, with 0.2 of it kept for validation, has 8 "
                "tokens, and a context of 8 needs at least 9");
}

}  // namespace
}  // namespace ebt
