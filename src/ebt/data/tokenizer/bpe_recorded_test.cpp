// The ids that Hugging Face's own tokenizers give to hard texts, recorded by tests/tokenizers.
#include <gtest/gtest.h>

#include <filesystem>

#include "ebt/data/tokenizer/bpe_tokenizer.h"
#include "ebt/io/file.h"
#include "ebt/io/json.h"

namespace ebt {
namespace {

using nlohmann::json;

TEST(RecordedTokenizers, EncodeAsTheOriginal) {
  const std::string path = std::string(EBT_SOURCE_DIR) + "/tests/golden/tokenizers.json";
  const json file = parse_json(read_text_file(path, kMaxJson_bytes), path);
  ASSERT_GT(file["variants"].size(), 60U);
  ASSERT_GT(file["texts"].size(), 30U);
  for (const json& variant : file["variants"]) {
    json tokenizer_file = file["bases"][variant["base"].get<std::string>()];
    tokenizer_file.merge_patch(variant["patch"]);
    const auto tokenizer = make_bpe_tokenizer(tokenizer_file.dump(), "'t.json'");
    for (size_t i = 0; i < file["texts"].size(); ++i) {
      const json& text = file["texts"][i];
      EXPECT_EQ(json(tokenizer->encode(text.get<std::string>())), variant["ids"][i])
          << variant["name"] << " " << text;
    }
  }
}

}  // namespace
}  // namespace ebt
