#include "ebt/data/text/prepared_data.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>

#include "ebt/core/config_fields.h"
#include "ebt/data/text/token_corpus.h"
#include "ebt/data/text/token_shard.h"
#include "tests/support/error_text.h"
#include "tests/support/small_tokenizer.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

std::vector<int32_t> all_tokens(const TokenSequence& sequence) {
  std::vector<int32_t> tokens(static_cast<size_t>(sequence.size()));
  sequence.copy_tokens(0, sequence.size(), tokens.data());
  return tokens;
}

class Prepared : public ::testing::Test {
 protected:
  PreparedSummary prepare() { return prepare_data({text_}, tokenizer_, out_); }
  std::string refusal() {
    return error_text([&] { prepare(); });
  }
  std::string opening_error(const Tokenizer& tokenizer) {
    return error_text([&] { PreparedData(out_, tokenizer); });
  }
  std::string read(const std::string& name) {
    return read_text_file(fs::path(out_) / name, 100'000'000);
  }
  void change(const std::string& name, size_t at, char byte) {
    std::string bytes = read(name);
    bytes[at] = byte;
    folder_.write("out/" + name, bytes);
  }

  TemporaryFolder folder_;
  std::string text_ = folder_.write("text.jsonl",
                                    "{\"text\": \"hello hell\"}\n{\"text\": \"\"}\n"
                                    "{\"text\": \"he\"}\n{\"text\": \" hello, help\"}\n");
  std::string tokenizer_ = folder_.write("t.json", testing::small_tokenizer().dump());
  std::string out_ = folder_.file("out");
};

TEST_F(Prepared, HoldsTheTokensOfTheText) {
  const PreparedSummary summary = prepare();
  EXPECT_EQ(summary.tokenizer, "tokenizer.json");
  EXPECT_EQ(summary.vocabulary_size, 263);
  EXPECT_EQ(summary.shards, 1);
  EXPECT_EQ(summary.documents, 3);
  EXPECT_EQ(summary.tokens, 10);
  EXPECT_EQ(summary.bytes, 24);
  const auto tokenizer = open_tokenizer(out_);
  EXPECT_EQ(tokenizer->name(), "tokenizer.json");
  const TokenCorpus prepared = TokenCorpus::open({out_}, *tokenizer);
  EXPECT_EQ(all_tokens(prepared.tokens()),
            (std::vector<int32_t>{259, 32, 258, 262, 256, 262, 261, 44, 32, 256, 108, 112}));
  EXPECT_EQ(all_tokens(prepared.tokens()),
            all_tokens(TokenCorpus::open({text_}, *tokenizer).tokens()));
}

TEST_F(Prepared, HoldsBytesToo) {
  tokenizer_ = kByteTokenizer;
  EXPECT_EQ(prepare().vocabulary_size, 257);
  EXPECT_EQ(open_tokenizer(out_), byte_tokenizer());
  EXPECT_EQ(all_tokens(TokenCorpus::open({out_}, *byte_tokenizer()).tokens()),
            all_tokens(TokenCorpus::open({text_}, *byte_tokenizer()).tokens()));
}

TEST_F(Prepared, IsSplitAsTheText) {
  std::string lines;
  for (int i = 0; i < 40; ++i) {
    lines += fmt::format("{{\"text\": \"{}\"}}\n", std::string(static_cast<size_t>(i + 1), 'h'));
  }
  text_ = folder_.write("many.jsonl", lines);
  prepare();
  const auto tokenizer = open_tokenizer(out_);
  const CorpusSplit of_text = TokenCorpus::open({text_}, *tokenizer).split(0.2, 4);
  const CorpusSplit prepared = TokenCorpus::open({out_}, *tokenizer).split(0.2, 4);
  EXPECT_EQ(all_tokens(prepared.training), all_tokens(of_text.training));
  EXPECT_EQ(all_tokens(prepared.validation), all_tokens(of_text.validation));
}

TEST_F(Prepared, IsTheSameOnAnyNumberOfThreads) {
  std::string text;
  while (text.size() < 5'000'000) {
    text += fmt::format("hello number {}\n", text.size() * 7919 % 1000);
  }
  text_ = folder_.write("long.txt", text);
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  prepare();
  const std::string alone = read("shard-00000.tokens");
  omp_set_num_threads(3);
  out_ = folder_.file("again");
  prepare();
  omp_set_num_threads(threads);
  EXPECT_TRUE(read("shard-00000.tokens") == alone);
}

TEST_F(Prepared, GoesOnInTheNextShard) {
  text_ = folder_.write("long.txt", std::string(36'000'000, 'z'));
  tokenizer_ = kByteTokenizer;
  EXPECT_EQ(prepare().shards, 3);
  const PreparedData prepared(out_, *byte_tokenizer());
  EXPECT_EQ(prepared.spans().size(), 3U);
  const TokenSequence tokens = TokenCorpus::open({out_}, *byte_tokenizer()).tokens();
  EXPECT_EQ(tokens.size(), 36'000'000) << "no separators within a document";
}

TEST_F(Prepared, IsRecognised) {
  EXPECT_FALSE(is_prepared_data(""));
  EXPECT_FALSE(is_prepared_data(text_));
  EXPECT_FALSE(is_prepared_data(folder_.path().string()));
  EXPECT_EQ(chosen_tokenizer("", text_), "bytes");
  prepare();
  EXPECT_TRUE(is_prepared_data(out_));
  EXPECT_EQ(chosen_tokenizer("", out_), out_);
  EXPECT_EQ(chosen_tokenizer("t.json", out_), "t.json");
  EXPECT_EQ(error_text([&] { open_text({out_}); }),
            "'" + out_ +
                "' holds tokens already, made by 'ebt data prepare': name the text itself with "
                "--data");
}

TEST_F(Prepared, IsNeverOverwritten) {
  prepare();
  const std::string before = read(kPreparedFile);
  EXPECT_EQ(refusal(),
            "'" + out_ + "' holds prepared data already: choose another folder with --out");
  EXPECT_EQ(read(kPreparedFile), before);
}

TEST_F(Prepared, StartsAgainAfterAnInterruption) {
  prepare();
  const std::string complete = read("shard-00000.tokens");
  fs::remove(fs::path(out_) / kPreparedFile);
  folder_.write("out/shard-00000.tokens", "half");
  folder_.write("out/shard-00007.tokens.tmp", "left by a run on another text");
  EXPECT_EQ(error_text([&] { is_prepared_data(out_); }),
            "the preparation of '" + out_ + "' was interrupted: run 'ebt data prepare' again");
  prepare();
  EXPECT_EQ(read("shard-00000.tokens"), complete);
  EXPECT_FALSE(fs::exists(folder_.file("out/shard-00007.tokens.tmp")));
}

TEST_F(Prepared, LeavesOtherFilesAlone) {
  const std::string model = folder_.write("out/model.safetensors", "weights");
  EXPECT_EQ(refusal(), "'" + out_ +
                           "' holds 'model.safetensors', which is not of prepared data: choose "
                           "another folder with --out");
  EXPECT_TRUE(fs::exists(model));
  fs::remove(model);
  const std::string own = folder_.write("out/tokenizer.json", "somebody's own");
  EXPECT_EQ(refusal(), "'" + out_ +
                           "' holds 'tokenizer.json', which is not of prepared data: choose "
                           "another folder with --out");
  EXPECT_EQ(read("tokenizer.json"), "somebody's own");
}

TEST_F(Prepared, IsNotWrittenIntoItsText) {
  text_ = folder_.path().string();
  EXPECT_EQ(refusal(), "'" + out_ + "' lies within the text '" + text_ +
                           "', and would become part of it: choose another folder with --out");
  EXPECT_FALSE(fs::exists(out_));
}

TEST_F(Prepared, NeedsATextOfWhichTokensRemain) {
  nlohmann::json file = testing::small_tokenizer();
  file["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Split"}, {"pattern", {{"String", "h"}}}, {"behavior", "Removed"}},
        file["pre_tokenizer"]}}};
  tokenizer_ = folder_.write("t.json", file.dump());
  text_ = folder_.write("h.txt", "hhh");
  EXPECT_EQ(refusal(), "'" + text_ + "' has no text of which the tokenizer makes a token");
}

TEST_F(Prepared, OfAnotherTokenizerIsRefused) {
  prepare();
  EXPECT_EQ(
      opening_error(*byte_tokenizer()),
      fmt::format("'{0}' was prepared with another tokenizer (tokenizer.json, 263 tokens) than "
                  "the one in use (bytes, 257 tokens): prepare the text with this one, or "
                  "train with --tokenizer {0}",
                  out_));
}

TEST_F(Prepared, ThatIsDamagedIsRefused) {
  prepare();
  const auto tokenizer = open_tokenizer(out_);
  const std::string name = "shard-00000.tokens";
  const std::string shard = read(name);
  const std::string what = "'" + folder_.file("out/" + name) + "'";
  const auto error_of = [&](size_t at, char byte) {
    folder_.write("out/" + name, shard);
    change(name, at, byte);
    return opening_error(*tokenizer);
  };
  EXPECT_EQ(error_of(0, 'e'), what + " is no shard of prepared data");
  EXPECT_EQ(error_of(8, 2), what + " has format version 2, and this program reads version 1");
  EXPECT_EQ(error_of(12, 4), what + " stores tokens in 4 bytes, and a vocabulary of 263 takes 2");
  EXPECT_EQ(error_of(16, static_cast<char>(shard[16] + 1)),
            what + " was made with another tokenizer than its folder");
  EXPECT_EQ(error_of(31, 1), what + " is truncated");
  EXPECT_EQ(error_of(32, 8), what + " has 20 bytes of tokens, and its header says 8 tokens");
  for (const size_t at : {size_t{40}, size_t{48}, shard.size() - 1}) {
    EXPECT_EQ(error_of(at, static_cast<char>(shard[at] ^ 1)),
              what + " is damaged: its checksum is another");
  }
  for (const size_t size : {size_t{0}, size_t{47}, shard.size() - 2}) {
    folder_.write("out/" + name, shard.substr(0, size));
    EXPECT_NE(opening_error(*tokenizer), "no error") << size;
  }
  folder_.write("out/" + name, shard);
  EXPECT_EQ(opening_error(*tokenizer), "no error");

  PreparedSummary summary = PreparedData(out_, *tokenizer).summary();
  summary.tokens = 7;
  folder_.write("out/prepared.json", fields_to_json(summary).dump());
  EXPECT_EQ(opening_error(*tokenizer),
            "'" + out_ +
                "' is damaged: its shards have 10 tokens and 3 documents, and prepared.json says 7 "
                "and 3");
  summary.shards = 2;
  folder_.write("out/prepared.json", fields_to_json(summary).dump());
  EXPECT_EQ(opening_error(*tokenizer), "cannot read '" + folder_.file("out/shard-00001.tokens") +
                                           "': No such file or directory");
  summary.format_version = 2;
  folder_.write("out/prepared.json", fields_to_json(summary).dump());
  EXPECT_EQ(opening_error(*tokenizer), "'" + folder_.file("out/prepared.json") +
                                           "' has format version 2, and this program reads "
                                           "version 1");
}

// ---- Pieces of long documents.

TEST(Tokenize, CutsLongDocumentsWithoutLosingAnything) {
  for (const char* unit : {"line of text\n", "no line ends here ", "x", "\u00e9"}) {
    std::string text = "\n";
    while (text.size() < 3'000'000) {
      text += unit;
    }
    std::string joined;
    tokenize({text, "short"}, *byte_tokenizer(), [&](const TokenShard& shard) {
      for (int64_t i = 0; i < shard.count(); ++i) {
        joined.push_back(static_cast<char>(shard.tokens[static_cast<size_t>(2 * i)]));
      }
      EXPECT_EQ(shard.document_ends, (std::vector<uint64_t>{text.size(), text.size() + 5}));
    });
    EXPECT_TRUE(joined == text + "short") << unit;
  }
}

TEST(Tokenize, StoresTokensInAsManyBytesAsTheyTake) {
  EXPECT_EQ(stored_token_bytes(257), 2);
  EXPECT_EQ(stored_token_bytes(65'536), 2);
  EXPECT_EQ(stored_token_bytes(65'537), 4);
}

}  // namespace
}  // namespace ebt
