#include "ebt/data/tokenizer/tokenizer.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "ebt/io/file.h"
#include "tests/support/error_text.h"
#include "tests/support/small_tokenizer.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using nlohmann::json;
using testing::TemporaryFolder;

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

// Files beside a tokenizer.json say which token ends a text; a copy says it too.
TEST(OpenTokenizer, TakesTheEndOfTextThatTheFolderStates) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  json file = testing::small_tokenizer();
  file["added_tokens"].push_back({{"id", 263}, {"content", "<stop>"}, {"special", true}});
  file["added_tokens"].push_back({{"id", 264}, {"content", "<halt>"}, {"special", true}});
  folder.write("tokenizer.json", file.dump());
  const auto separator = [&] { return open_tokenizer(path)->document_separator(); };
  EXPECT_EQ(separator(), 262);
  folder.write("generation_config.json", R"({"eos_token_id": [263, 262]})");
  EXPECT_EQ(separator(), 263);
  folder.write("special_tokens_map.json", R"({"eos_token": {"content": "<halt>"}})");
  EXPECT_EQ(separator(), 264);
  folder.write("tokenizer_config.json", R"({"eos_token": "<stop>", "chat_template": "x"})");
  EXPECT_EQ(separator(), 263);
  const auto asked_for = open_tokenizer(path, "<halt>");
  EXPECT_EQ(asked_for->document_separator(), 264);
  EXPECT_EQ(testing::error_text([&] { open_tokenizer(path, "<none>"); }),
            "--end-of-text: '" + folder.file("tokenizer.json") + "' has no token \"<none>\"");
  EXPECT_EQ(testing::error_text([&] { open_tokenizer("bytes", "<none>"); }),
            "--end-of-text: bytes have a separator of their own");

  std::filesystem::create_directory(folder.file("copy"));
  copy_tokenizer(path, *asked_for, folder.file("copy"));
  EXPECT_EQ(open_tokenizer(folder.file("copy"))->document_separator(), 264);
  copy_tokenizer(path, *asked_for, path);
  EXPECT_EQ(separator(), 264);
  EXPECT_EQ(
      json::parse(read_text_file(folder.file("tokenizer_config.json"), 1000))["chat_template"], "x")
      << "what else a file says is kept";
}

TEST(OpenTokenizer, SaysWhatIsNoTokenizer) {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& content) {
    return testing::error_text([&] { open_tokenizer(folder.write("t", content)); });
  };
  const std::string file = "'" + folder.file("t") + "'";
  EXPECT_EQ(refusal(""), file + " is empty: it is no tokenizer");
  EXPECT_EQ(refusal("[1]"), file + " is not a SentencePiece model, nor a tokenizer.json");
  EXPECT_EQ(refusal("plain text"), file + " is not a SentencePiece model, nor a tokenizer.json");
  EXPECT_EQ(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
            file + " is a Git LFS pointer, not a tokenizer");
  EXPECT_EQ(refusal("<!DOCTYPE html>\n<html></html>\n"),
            file + " is an HTML page, not a tokenizer");
  EXPECT_EQ(testing::error_text([&] { open_tokenizer(folder.path().string()); }),
            "the folder '" + folder.path().string() +
                "' holds neither a tokenizer (tokenizer.json or tokenizer.model) nor a model");
}

}  // namespace
}  // namespace ebt
