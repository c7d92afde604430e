// From a text to a tokenizer, to prepared data, to a model that writes with it.
#include <gtest/gtest.h>

#include <algorithm>

#include "ebt/data/tokenizer/sentence_piece.h"
#include "ebt/data/tokenizer/tokenizer.h"
#include "tests/end_to_end/program.h"
#include "tests/support/small_tokenizer.h"

namespace ebt::testing {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

class Tokenizers : public ::testing::Test {
 protected:
  // A tokenizer that the program learned, where it can; else a small one.
  std::string tokenizer() {
    if (!has_sentence_piece()) {
      return folder_.write("small.json", small_tokenizer().dump());
    }
    const std::string file = folder_.file("book.model");
    const json result =
        run_ebt_json({"tokenizer", "train", "--data", text_, "--vocab-size", "400", "--out", file});
    EXPECT_EQ(result["vocab_size"], 400);
    EXPECT_EQ(result["type"], "bpe");
    EXPECT_EQ(result["text_bytes"], real_text().size());
    EXPECT_GT(result["bytes_per_token"], 1.2);
    return file;
  }
  std::string train(const std::string& data, const std::string& name, const Arguments& more = {}) {
    const Outcome outcome = run_ebt(tiny_training(data, folder_.file(name), more));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return folder_.file(name);
  }
  // Expects exit code 1 and a sentence with `part`.
  static void expect_refused(const Arguments& arguments, const std::string& part) {
    const Outcome outcome = run_ebt(arguments);
    EXPECT_EQ(outcome.exit_code, 1) << outcome.signal;
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
    // The sentence and the hint, whether or not progress was shown before.
    const std::string last = outcome.err.substr(outcome.err.find("ebt: "));
    EXPECT_EQ(std::count(last.begin(), last.end(), '\n'), 2) << outcome.err;
  }

  TemporaryFolder folder_;
  std::string text_ = folder_.write("text.txt", real_text());
};

TEST_F(Tokenizers, AreLearnedAndUsedFromPreparedDataToGeneration) {
  const std::string file = tokenizer();
  const std::string shards = folder_.file("shards");
  const json prepared =
      run_ebt_json({"data", "prepare", "--data", text_, "--tokenizer", file, "--out", shards});
  EXPECT_EQ(prepared["prepared"], shards);
  EXPECT_EQ(prepared["documents"], 1);
  EXPECT_EQ(prepared["bytes"], real_text().size());
  EXPECT_LT(prepared["tokens"], prepared["bytes"]);

  const std::string from_tokens = train(shards, "from tokens");
  const std::string from_text = train(text_, "from text", {"--tokenizer", file});
  EXPECT_EQ(read_file(from_tokens + "/model.safetensors"),
            read_file(from_text + "/model.safetensors"));
  EXPECT_EQ(metrics_without_clock(from_tokens), metrics_without_clock(from_text));

  // The model needs neither the text's tokenizer nor the shards.
  fs::remove(file);
  const std::string model = folder_.file("moved");
  fs::rename(from_text, model);
  const auto evaluate = [&](const std::string& data) {
    return run_ebt_json({"eval", "--model", model, "--data", data})["points"][0];
  };
  const json of_text = evaluate(text_);
  const json of_shards = evaluate(shards);
  EXPECT_EQ(of_text["tokens"], prepared["tokens"].get<int64_t>() - 1);
  EXPECT_LE(of_text["bytes"], real_text().size());
  EXPECT_GE(of_text["bytes"], real_text().size() - 20) << "all but the first token";
  for (const char* field : {"tokens", "bytes", "loss"}) {
    EXPECT_EQ(of_shards[field], of_text[field]) << field;
  }
  const json generated =
      run_ebt_json({"generate", "--model", model, "--prompt", "const é ", "--tokens", "8"});
  std::vector<int32_t> tokens;
  for (const json& token : generated["tokens"]) {
    tokens.push_back(token["token"]);
  }
  EXPECT_EQ(json(open_tokenizer(model)->decode(tokens))
                .dump(-1, ' ', false, json::error_handler_t::replace),
            generated["text"].dump());
}

TEST_F(Tokenizers, StartARunFromTheConfigOfAnother) {
  const std::string first = train(text_, "first", {"--tokenizer", tokenizer()});
  const std::string again = folder_.file("again");
  const Outcome outcome = run_ebt({"train", "--config", first + "/config.json", "--out", again});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_same_run(first, again);
  // Replacing a run by one of the same tokenizer does not lose it.
  const Outcome replaced = run_ebt(
      {"train", "--config", first + "/config.json", "--out", first, "--seed", "4", "--overwrite"});
  EXPECT_EQ(replaced.exit_code, 0) << replaced.err;
}

TEST_F(Tokenizers, AreRefusedWhereTheyDoNotFit) {
  const std::string small = folder_.write("small.json", small_tokenizer().dump());
  const std::string shards = folder_.file("shards");
  run_ebt_json({"data", "prepare", "--data", text_, "--tokenizer", small, "--out", shards});
  expect_refused(tiny_training(shards, folder_.file("out"), {"--tokenizer", "bytes"}),
                 "was prepared with another tokenizer");
  const std::string bytes = train(text_, "bytes");
  expect_refused({"eval", "--model", bytes, "--data", shards},
                 "was prepared with another tokenizer");
  expect_refused(tiny_training(text_, folder_.file("out"), {"--tokenizer", text_}),
                 has_sentence_piece() ? "is not a SentencePiece model" : "built without");
  expect_refused(tiny_training(text_, folder_.file("out"), {"--tokenizer", "/nowhere/t.json"}),
                 "cannot read '/nowhere/t.json'");
  EXPECT_FALSE(fs::exists(folder_.file("out")));
  expect_refused({"data", "prepare", "--data", shards, "--out", folder_.file("out")},
                 "holds tokens already");
  expect_refused({"data", "prepare", "--data", text_, "--out", shards}, "holds prepared data");
  folder_.write("other/file", "");
  expect_refused({"data", "prepare", "--data", text_, "--out", folder_.file("other")},
                 "which is not of prepared data");
  expect_refused({"tokenizer", "train", "--data", text_, "--out", small}, "exists already");

  // The tokenizer of a model that was replaced by a larger one.
  const std::string model = train(shards, "model");
  json larger = small_tokenizer();
  larger["added_tokens"].push_back({{"id", 263}, {"content", "<more>"}});
  folder_.write("model/tokenizer.json", larger.dump());
  for (const char* command : {"eval", "generate"}) {
    expect_refused({command, "--model", model},
                   "describes a model of 263 tokens, but its tokenizer has 264");
  }
}

TEST_F(Tokenizers, AreLearnedOnlyAsLargeAsTheTextAllows) {
  if (!has_sentence_piece()) {
    GTEST_SKIP() << "built without SentencePiece";
  }
  const std::string out = folder_.file("t.model");
  expect_refused(
      {"tokenizer", "train", "--data", folder_.write("short.txt", "a few words"), "--out", out},
      "cannot learn 4096 tokens from this text: it yields 259 to about 28");
  expect_refused({"tokenizer", "train", "--data", text_, "--vocab-size", "10", "--out", out},
                 "--vocab-size: 10 is not between 259 and 1000000");
  expect_refused({"tokenizer", "train", "--data", text_, "--type", "wordpiece", "--out", out},
                 "bpe");
  EXPECT_FALSE(fs::exists(out));
}

TEST_F(Tokenizers, EncodeAndDecode) {
  const std::string file = tokenizer();
  const std::string bytes = folder_.write("bytes", "  a\u2581 \xff\xc3\r\n\t" + real_text());
  const json encoded = run_ebt_json({"tokenizer", "encode", "--tokenizer", file, "--file", bytes});
  EXPECT_EQ(encoded["tokens"].get<std::vector<int32_t>>(),
            open_tokenizer(file)->encode(read_file(bytes)));
  EXPECT_EQ(encoded["texts"].size(), encoded["tokens"].size());
  const Outcome ids = run_ebt({"tokenizer", "encode", "--tokenizer", file, "--file", bytes});
  const Outcome copy = run_ebt(
      {"tokenizer", "decode", "--tokenizer", file, "--file", folder_.write("ids", ids.out)});
  EXPECT_EQ(copy.out, read_file(bytes)) << copy.err;

  const std::string small = folder_.write("small.json", small_tokenizer().dump());
  EXPECT_EQ(run_ebt({"tokenizer", "encode", "--tokenizer", small, "hello", "he"}).out,
            "259 32 256\n");
  EXPECT_EQ(run_ebt({"tokenizer", "encode", "--tokenizer", small, ""}).out, "\n");
  EXPECT_EQ(run_ebt({"tokenizer", "decode", "--tokenizer", small, "259", "32", "256"}).out,
            "hello he");
  EXPECT_EQ(run_ebt_json({"tokenizer", "decode", "--tokenizer", small, "[259, 255]"})["text"],
            "hello\uFFFD");
  expect_refused({"tokenizer", "decode", "--tokenizer", small, "263"},
                 "cannot decode token 263: the tokenizer has tokens 0 to 262");
  expect_refused({"tokenizer", "decode", "--tokenizer", small, "--", "-1"},
                 "cannot decode token -1: the tokenizer has tokens 0 to 262");
  expect_refused({"tokenizer", "decode", "--tokenizer", small, "12", "twelve"},
                 "\"twelve\" is not the id of a token");
  expect_refused({"tokenizer", "decode", "--tokenizer", small, "99999999999"},
                 "\"99999999999\" is not the id of a token");
  expect_refused({"tokenizer", "encode", "hello", "--file", bytes}, "--file: there are words");
}

// The folder of a model and prepared data say themselves which token ends a text.
TEST_F(Tokenizers, EndTextsWithTheTokenThatIsAskedFor) {
  json file = small_tokenizer();
  file["added_tokens"][0]["content"] = "<stop here>";
  const std::string odd = folder_.write("odd.json", file.dump());
  const Arguments asked_for = {"--tokenizer", odd, "--end-of-text", "<stop here>"};
  expect_refused(tiny_training(text_, folder_.file("out"), {"--tokenizer", odd}),
                 "name one with --end-of-text");
  const std::string model = train(text_, "model", asked_for);
  const std::string shards = folder_.file("shards");
  Arguments prepare = {"data", "prepare", "--data", text_, "--out", shards};
  prepare.insert(prepare.end(), asked_for.begin(), asked_for.end());
  run_ebt_json(prepare);
  expect_same_run(model, train(shards, "from shards"));
  EXPECT_EQ(run_ebt_json({"tokenizer", "encode", "--tokenizer", model, "he"})["end_of_text"], 262);
  EXPECT_EQ(run_ebt({"generate", "--model", model, "--prompt", "he", "--tokens", "2"}).exit_code,
            0);
}

TEST_F(Tokenizers, SplitByWhatOnigurumaMatches) {
  json file = small_tokenizer();
  file["model"]["vocab"]["na"] = 262;
  file["model"]["merges"].push_back("n a");
  file["added_tokens"][0]["id"] = 263;
  file["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Split"},
         {"pattern", {{"Regex", "[\\p{L}&&[^\\p{Han}n]]+"}}},
         {"behavior", "Isolated"}},
        {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}};
  const std::string path = folder_.write("t.json", file.dump());
  EXPECT_EQ(run_ebt({"tokenizer", "encode", "--tokenizer", path, "hena"}).out, "256 110 97\n");
}

TEST_F(Tokenizers, AreMeasured) {
  const std::string small = folder_.write("small.json", small_tokenizer().dump());
  const json result = run_ebt_json({"bench", "tokenizer", "--tokenizer", small, "--data", text_});
  EXPECT_EQ(result["text_bytes"], real_text().size());
  EXPECT_GT(result["encode_bytes_per_second"], 0);
  EXPECT_NE(run_ebt({"bench", "tokenizer", "--data", text_}).out.find("MB/s"), std::string::npos);
}

TEST(TokenizerHelp, TeachesEveryCommand) {
  for (const Arguments& command : {Arguments{"tokenizer", "train"},
                                   {"tokenizer", "encode"},
                                   {"tokenizer", "decode"},
                                   {"data", "prepare"},
                                   {"bench", "tokenizer"}}) {
    const Outcome outcome = run_ebt({command[0], command[1], "--help"});
    EXPECT_EQ(outcome.exit_code, 0) << command[0];
    EXPECT_NE(outcome.out.find("Examples:"), std::string::npos) << command[0];
    EXPECT_NE(outcome.out.find("--json"), std::string::npos) << command[0];
  }
}

}  // namespace
}  // namespace ebt::testing
