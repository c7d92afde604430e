#include "ebt/data/tokenizer/bpe_file.h"

#include <gtest/gtest.h>

#include "ebt/data/tokenizer/bpe_tokenizer.h"
#include "tests/support/error_text.h"
#include "tests/support/small_tokenizer.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using nlohmann::json;
using testing::error_text;
using testing::small_tokenizer;
using testing::TemporaryFolder;
using Tokens = std::vector<int32_t>;

std::shared_ptr<const Tokenizer> made(const json& file) {
  return make_bpe_tokenizer(file.dump(), "'t.json'");
}

std::string refusal(const json& file) {
  return error_text([&] { made(file); });
}

TEST(BpeFile, LeavesIdsWithoutTokensEmpty) {
  json file = small_tokenizer();
  file["model"]["vocab"]["he"] = 300;
  const auto tokenizer = made(file);
  EXPECT_EQ(tokenizer->vocabulary_size(), 301);
  EXPECT_EQ(tokenizer->encode("he hello"), (Tokens{300, 261}));
  EXPECT_EQ(tokenizer->decode(Tokens{300, 256, 299, 261}), "he hello");
}

TEST(BpeFile, EndsTextsWithTheTokenThatIsAskedForOrStated) {
  json file = small_tokenizer();
  file["added_tokens"].push_back({{"id", 263}, {"content", "<stop>"}, {"special", true}});
  const auto separator = [&](const EndOfText& end_of_text) {
    const auto tokenizer = make_bpe_tokenizer(file.dump(), "'t.json'", end_of_text);
    const int32_t id = tokenizer->document_separator();
    EXPECT_EQ(tokenizer->decode({&id, 1}), "");
    return tokenizer->separator_name();
  };
  EXPECT_EQ(separator({}), "<|endoftext|>");
  EXPECT_EQ(separator({.token = "<stop>", .id = {}}), "<stop>");
  EXPECT_EQ(separator({.token = {}, .id = 263}), "<stop>");
  EXPECT_EQ(separator({.token = "hello", .id = {}, .required = true}), "hello");
  EXPECT_EQ(separator({.token = "<none>", .id = {}}), "<|endoftext|>");
  EXPECT_EQ(error_text([&] { separator({.token = "<none>", .id = {}, .required = true}); }),
            "--end-of-text: 't.json' has no token \"<none>\"");
}

TEST(BpeFile, ReadsAFileWithAByteOrderMark) {
  const TemporaryFolder folder;
  const std::string path = folder.write("t.json", "\uFEFF" + small_tokenizer().dump());
  EXPECT_EQ(open_tokenizer(path)->encode("hello"), (Tokens{259}));
}

TEST(BpeFile, NamesWhatItDoesNotSupport) {
  const auto expect = [](const char* pointer, const json& value, const std::string& feature) {
    json file = small_tokenizer();
    file[json::json_pointer(pointer)] = value;
    EXPECT_EQ(refusal(file), "'t.json' uses " + feature + ", which is not supported");
  };
  expect("/model/type", "WordPiece", "a model of type \"WordPiece\"");
  expect("/model/dropout", 0.1, "dropout");
  expect("/model/end_of_word_suffix", "</w>", "\"end_of_word_suffix\"");
  expect("/model/continuing_subword_prefix", "##", "\"continuing_subword_prefix\"");
  expect("/normalizer", {{"type", "Precompiled"}}, "a normalizer of type \"Precompiled\"");
  expect("/pre_tokenizer", {{"type", "BertPreTokenizer"}},
         "a pre-tokenizer of type \"BertPreTokenizer\"");
  expect("/pre_tokenizer",
         {{"type", "Split"}, {"pattern", {{"String", " "}}}, {"behavior", "Scattered"}},
         "the behavior \"Scattered\"");
  expect(
      "/pre_tokenizer",
      {{"type", "Sequence"}, {"pretokenizers", {{{"type", "ByteLevel"}}, {{"type", "ByteLevel"}}}}},
      "ByteLevel twice");
  expect("/decoder", {{"type", "WordPiece"}}, "a decoder of type \"WordPiece\"");
}

TEST(BpeFile, SaysWhatIsWrongWithAFile) {
  const auto expect = [](const char* pointer, const json& value, const std::string& sentence) {
    json file = small_tokenizer();
    file[json::json_pointer(pointer)] = value;
    EXPECT_EQ(refusal(file), "'t.json' " + sentence);
  };
  expect("/model", nullptr, "has no \"model\": it is no tokenizer.json");
  expect("/model/vocab", json::object(), "has no vocabulary");
  expect("/model/vocab/he", -1, "has a token whose id is not a number from 0 to 16777215");
  expect("/model/vocab/he", 2'000'000,
         "has 263 tokens but an id 2000000: too many ids have no token");
  expect("/model/vocab/he", 257, "gives the id 257 to two tokens");
  expect("/model/merges/0", "h", "has a merge \"h\" of one part");
  expect("/model/merges/0", "h z", "merges \"hz\", which is no token");
  expect("/model/merges/0", 7, "has a merge that is neither \"a b\" nor [\"a\", \"b\"]");
  expect("/added_tokens/0/id", 3, "gives the id 3 to two tokens");
  expect("/added_tokens/0/special", false,
         "has no special token that could stand between documents, such as <|endoftext|> or </s>: "
         "name one with --end-of-text");
  expect("/pre_tokenizer", nullptr,
         "has neither ByteLevel, nor \"byte_fallback\", nor an unknown token: not every text could "
         "be written");
  expect("/pre_tokenizer/type", "WhitespaceSplit",
         "has neither ByteLevel, nor \"byte_fallback\", nor an unknown token: not every text could "
         "be written");
  expect("/decoder", nullptr, "has no decoder: a byte-level tokenizer has ByteLevel");
  const auto expect_of_pattern = [&](const char* pattern, const std::string& sentence) {
    expect("/pre_tokenizer",
           {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}},
           "has a regular expression " + sentence);
  };
  expect_of_pattern("(a", "that is none: end pattern with unmatched parenthesis");
  expect_of_pattern("\\p{Hahn}", "that is none: invalid character property name {Hahn}");
  expect_of_pattern("(?u)a", "that is none: undefined group option");
  // Versions of Oniguruma differ in these.
  expect_of_pattern("[[:punct:]]+", "with [:punct:], which is not supported");
  expect_of_pattern("[[:^paper:]]", "with [:paper:], which is not supported");
  expect_of_pattern("a\\R+", "with \\R, which is not supported");
  json file = small_tokenizer();
  file["model"]["vocab"].erase("A");
  file["model"]["vocab"]["AA"] = 65;
  EXPECT_EQ(refusal(file),
            "'t.json' has no token for the byte 65: not every text could be written");
}

}  // namespace
}  // namespace ebt
