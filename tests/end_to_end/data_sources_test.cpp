// Text and images from pipes, compressed files and tables, as a shell hands them over.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>

#include "ebt/data/image/image.h"
#include "tests/end_to_end/program.h"
#include "tests/support/compressor.h"
#include "tests/support/tar_builder.h"

namespace ebt::testing {
namespace {

using nlohmann::json;

class DataSources : public ::testing::Test {
 protected:
  // Runs a script of bash, in which `ebt` is the program, and `train` a tiny training of $steps, or
  // 12, with a validation every $every of them, or 6, without --data and --out. The working folder
  // is that of the test.
  Outcome shell(const std::string& script) {
    Arguments words = tiny_training("", "");
    words.erase(words.begin(), words.begin() + 5);
    for (const char* flag : {"--steps", "--validate-every"}) {
      const auto given = std::find(words.begin(), words.end(), flag);
      words.erase(given, given + 2);
    }
    const std::string file = folder_.write(
        "script", fmt::format("set -o pipefail\ncd '{0}'\nebt() {{ '{1}' \"$@\"; }}\n"
                              "train() {{ ebt train {2} --steps ${{steps:-12}} --validate-every "
                              "${{every:-6}} \"$@\"; }}\n{3}\n",
                              folder_.path().string(), EBT_BINARY, fmt::join(words, " "), script));
    const int status = std::system(fmt::format("bash '{0}' >'{1}' 2>'{2}' </dev/null", file,
                                               folder_.file("stdout"), folder_.file("stderr"))
                                       .c_str());
    Outcome outcome;
    outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    outcome.out = read_file(folder_.file("stdout"));
    outcome.err = read_file(folder_.file("stderr"));
    return outcome;
  }
  void expect_success(const std::string& script) {
    const Outcome outcome = shell(script);
    EXPECT_EQ(outcome.exit_code, 0) << script << "\n" << outcome.err;
  }
  void expect_refused(const std::string& script, const std::string& part) {
    const Outcome outcome = shell(script);
    EXPECT_EQ(outcome.exit_code, 1) << script;
    EXPECT_NE(outcome.err.find(part), std::string::npos) << script << "\n" << outcome.err;
  }
  void expect_same_weights(const std::string& a, const std::string& b) {
    EXPECT_EQ(read_file(folder_.file(a + "/model.safetensors")),
              read_file(folder_.file(b + "/model.safetensors")))
        << a << " and " << b;
  }
  // The lines of real_text() as a .jsonl.
  static std::string as_jsonl(const std::string& text) {
    std::string lines;
    for (size_t at = 0; at < text.size(); at += 2000) {
      lines += json({{"text", text.substr(at, 2000)}})
                   .dump(-1, ' ', true, json::error_handler_t::replace) +
               "\n";
    }
    return lines;
  }

  TemporaryFolder folder_;
  std::string text_ = real_text();
  std::string file_ = folder_.write("text.txt", text_);
};

TEST_F(DataSources, AreTheSameFromAPipeAsFromAFile) {
  folder_.write("text.txt.gz", gzip(text_));
  expect_success("train --data text.txt --out file");
  expect_success("cat text.txt | train --data - --out pipe");
  expect_success("train --data /dev/stdin --out stdin <text.txt");
  expect_success("train --data <(cat text.txt) --out substituted");
  expect_success("mkfifo fifo; cat text.txt >fifo & train --data fifo --out fifo-run");
  expect_success("train --data text.txt.gz --out packed");
  expect_success("cat text.txt.gz | train --data - --out packed-pipe");
  for (const char* run : {"pipe", "stdin", "substituted", "fifo-run", "packed", "packed-pipe"}) {
    expect_same_weights("file", run);
  }
}

TEST_F(DataSources, FromAPipeStayWithTheRun) {
  expect_success("train --data text.txt --out whole");
  expect_success("cat text.txt | steps=1000000 train --data - --out run --minutes 0.0001");
  EXPECT_TRUE(std::filesystem::exists(folder_.file("run/data.stream")));
  // A run that moved takes its text along.
  expect_success("mv run moved");
  expect_success("ebt eval --model moved --threads 1");
  const json config = json::parse(read_file(folder_.file("moved/config.json")));
  EXPECT_EQ(config["data"]["data"], "data.stream");
  EXPECT_EQ(config["data"]["as"], "text");
  expect_success("ebt train --resume moved --minutes 0.0001");
  // Its config starts another run on the same text.
  expect_success("cat text.txt | train --data - --out first");
  expect_success("ebt train --config first/config.json --out again");
  expect_same_weights("whole", "again");
  // Replaced by a run on a file, it leaves no text behind.
  expect_success("train --data text.txt --out moved --overwrite");
  EXPECT_FALSE(std::filesystem::exists(folder_.file("moved/data.stream")));
}

TEST_F(DataSources, FromAPipeThatAreRefusedLeaveNothingBehind) {
  expect_refused("printf '' | train --data - --out out", "standard input");
  expect_refused("printf abc | train --data - --out out", "too short");
  expect_refused("printf 'PK\\003\\004' | train --data - --out out",
                 "standard input is a zip archive, not text");
  expect_refused("train --data /dev/fd/77 --out out", "cannot read '/dev/fd/77'");
  EXPECT_FALSE(std::filesystem::exists(folder_.file("out")));
  // A pipe that is refused must not cost the run that it was to replace.
  expect_success("cat text.txt | train --data - --out run");
  const std::string text = read_file(folder_.file("run/data.stream"));
  const std::string weights = read_file(folder_.file("run/model.safetensors"));
  expect_refused("printf abc | train --data - --out run --overwrite", "too short");
  EXPECT_EQ(read_file(folder_.file("run/data.stream")), text);
  EXPECT_EQ(read_file(folder_.file("run/model.safetensors")), weights);
  expect_success("tail -c 30000 text.txt | train --data - --out run --overwrite");
  EXPECT_EQ(read_file(folder_.file("run/data.stream")), text_.substr(text_.size() - 30000));
}

TEST_F(DataSources, AreReadFromPipesByEveryCommand) {
  expect_success("train --data text.txt --out run");
  const auto result_of = [&](const std::string& script) {
    const Outcome outcome = shell(script);
    EXPECT_EQ(outcome.exit_code, 0) << script << "\n" << outcome.err;
    return json::parse(outcome.out, nullptr, false);
  };
  const std::string eval = "ebt eval --model run --threads 1 --examples 4 --json --data ";
  EXPECT_EQ(result_of("cat text.txt | " + eval + "-")["points"],
            result_of(eval + "text.txt")["points"]);
  EXPECT_EQ(result_of("ebt data prepare --json --out a --data <(cat text.txt)")["tokens"],
            result_of("ebt data prepare --json --out b --data text.txt")["tokens"]);
  expect_success("cat text.txt | ebt calibrate --model run --windows 100 --threads 1 --data -");
  expect_success("cat text.txt | ebt bench tokenizer --data -");
  folder_.write("lambada.jsonl.gz", gzip("{\"text\": \"once upon a time\"}\n"));
  expect_success("ebt eval --model run --threads 1 --task lambada --data lambada.jsonl.gz");
  expect_success(
      "zcat lambada.jsonl.gz | ebt eval --model run --threads 1 --task lambada --data -");
}

TEST_F(DataSources, AreToldWhenTrainingBegins) {
  folder_.write("in/a.jsonl", as_jsonl(text_));
  folder_.write("in/b.JSONL.gz", gzip("{\"text\": \"more\"}\n"));
  const Outcome outcome = shell("train --data in --out run --json");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json data = json::parse(outcome.out)["data"];
  EXPECT_EQ(data["files"], 2);
  EXPECT_EQ(data["documents"], (text_.size() + 1999) / 2000 + 1);
  EXPECT_EQ(data["bad_lines"], 0);
  EXPECT_EQ(data["tokens"], data["bytes"]) << "tokens are bytes";
  EXPECT_NE(outcome.err.find("in', 2 files, "), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find(" documents, "), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find(" epochs"), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.err.find("more than four epochs"), std::string::npos) << outcome.err;
  const Outcome longer = shell("head -c 400 text.txt >s; steps=40 train --data s --out long");
  EXPECT_NE(longer.err.find("more than four epochs"), std::string::npos) << longer.err;
}

TEST_F(DataSources, ThatAreLearnedByHeartAreToldOnce) {
  // What is kept for validation is nothing like the rest.
  folder_.write("odd.txt", std::string(3600, 'a') + std::string(400, 'z'));
  const Outcome outcome =
      shell("every=1 train --data odd.txt --out run --arch transformer_pp --learning-rate 0.01");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::string sentence = "the validation loss rose three times in a row";
  const size_t first = outcome.err.find(sentence);
  ASSERT_NE(first, std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.err.find(sentence, first + 1), std::string::npos) << outcome.err;
}

TEST_F(DataSources, OfBadLinesAreReadWhereTheyMayBePassedOver) {
  const std::string good = as_jsonl(text_);
  folder_.write("good.jsonl", good);
  folder_.write("bad.jsonl",
                "{\"text\": NaN}\n" + good + "{\"text\": \"\\ud800\"}\n{\"body\": 1}\n");
  expect_refused("train --data bad.jsonl --out run",
                 "bad.jsonl' is not valid JSON: column 10: syntax error");
  expect_refused("train --data bad.jsonl --out run", "; --skip-bad-lines passes over such lines");
  expect_success("train --data good.jsonl --out good");
  const Outcome outcome = shell("train --data bad.jsonl --skip-bad-lines --out bad");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("passed over: line 1 of '"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("3 bad lines were passed over"), std::string::npos) << outcome.err;
  expect_same_weights("good", "bad");
}

TEST_F(DataSources, AreExamplesFromTablesAndPipesToo) {
  std::string table = "answer,prompt\n";
  std::string lines;
  for (int i = 0; i < 30; ++i) {
    table += fmt::format("\"{0}\",\"{0},\"\n", i);
    lines += fmt::format("{{\"prompt\": \"{0},\", \"answer\": \"{0}\"}}\n", i);
  }
  folder_.write("table.csv", table);
  folder_.write("lines.ndjson", lines);
  const std::string flags = " --prompt-field prompt --text-field answer";
  expect_success("train --data lines.ndjson --out a" + flags);
  expect_success("train --data table.csv --out b" + flags);
  expect_success("cat lines.ndjson | train --data - --out c" + flags);
  expect_success("cat table.csv | train --data - --as csv --out d" + flags);
  for (const char* run : {"b", "c", "d"}) {
    expect_same_weights("a", run);
  }
  expect_success("ebt train --resume d");
}

// A picture of 8 x 8 pixels.
std::string picture(int seed) {
  Image image{8, 8, 3, {}};
  for (int i = 0; i < 8 * 8 * 3; ++i) {
    image.pixels.push_back(static_cast<uint8_t>(i * seed));
  }
  return encode_png(image);
}

TEST_F(DataSources, OfImagesMayBeCompressedOrComeThroughAPipe) {
  std::string tar;
  for (int i = 0; i < 10; ++i) {
    tar += tar_member(fmt::format("{}_{}.png", i % 2 == 0 ? "cat" : "dog", i), picture(i + 1));
  }
  tar += tar_end();
  folder_.write("x.tar", tar);
  folder_.write("x.tar.gz", gzip(tar));
  const auto train = [&](const std::string& out) {
    return fmt::format("ebt {} ", fmt::join(tiny_image_training(out), " "));
  };
  expect_success(train("a") + "--data x.tar");
  expect_success(train("b") + "--data x.tar.gz");
  expect_success("cat x.tar.gz | " + train("c") + "--data -");
  expect_success(train("d") + "--data <(cat x.tar)");
  for (const char* run : {"b", "c", "d"}) {
    expect_same_weights("a", run);
  }
  expect_success("mv c moved; ebt eval image --model moved --threads 1");
  expect_refused("cat text.txt | " + train("e") + "--data -",
                 "standard input is no tar archive of images");
  EXPECT_FALSE(std::filesystem::exists(folder_.file("e")));
}

TEST_F(DataSources, OfImagesInPartsAreProbedAsParts) {
  for (int i = 0; i < 6; ++i) {
    for (const char* name : {"cat", "dog"}) {
      folder_.write(fmt::format("parts/train/{}/{}.png", name, i), picture(i + 1));
      folder_.write(fmt::format("loose/Train/{}_{}.png", name, i), picture(i + 1));
      if (i < 2) {
        folder_.write(fmt::format("parts/test/{}/{}.png", name, i), picture(i + 7));
        folder_.write(fmt::format("loose/val/{}_{}.png", name, i), picture(i + 7));
      }
    }
  }
  expect_success(fmt::format("ebt {}", fmt::join(tiny_image_training("model"), " ")));
  for (const char* data : {"parts", "loose"}) {
    const Outcome outcome =
        shell(fmt::format("ebt probe --model model --threads 1 --json --data {}", data));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    const json result = json::parse(outcome.out);
    EXPECT_EQ(result["classes"], (json{"cat", "dog"}));
    EXPECT_EQ(result["training_images"], 12);
    EXPECT_EQ(result["test_images"], 4);
  }
}

}  // namespace
}  // namespace ebt::testing
