// What commands print arrives or they fail, and what they write costs nothing that was there.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

// Models are trained once for all tests.
class Output : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = std::make_unique<TemporaryFolder>();
    text_ = shared_->write("texts/text.txt", real_text());
    const Outcome trained = run_ebt(tiny_training(text_, model()));
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
  }
  static void TearDownTestSuite() { shared_.reset(); }

  static std::string model() { return shared_->file("model"); }

  // Runs a script in which $ebt and $model are what they say; returns its exit code. What it writes
  // to stderr is left in err_.
  int run_script(const std::string& script) {
    const std::string log = folder_.file("err");
    const std::string file = folder_.write(
        "script", "ebt='" EBT_BINARY "'\nmodel='" + model() + "'\ncd '" + folder_.path().string() +
                      "'\n{ " + script + "; } 2>'" + log + "'\n");
    const int status = std::system(("bash '" + file + "'").c_str());
    err_ = read_file(log);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  static std::map<std::string, std::string> contents_of(const std::filesystem::path& folder) {
    std::map<std::string, std::string> contents;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      contents[entry.path().string()] = entry.is_regular_file() ? read_file(entry.path()) : "";
    }
    return contents;
  }

  // Expects a refusal in one sentence, and everything as it was.
  void expect_harmless(const Arguments& arguments, const std::string& part) {
    const auto ours = contents_of(folder_.path());
    const auto theirs = contents_of(shared_->path());
    const Outcome outcome = run_ebt(arguments);
    EXPECT_EQ(outcome.exit_code, 1) << outcome.out << outcome.err;
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 2) << outcome.err;
    EXPECT_TRUE(ours == contents_of(folder_.path())) << outcome.err;
    EXPECT_TRUE(theirs == contents_of(shared_->path())) << outcome.err;
  }

  inline static std::unique_ptr<TemporaryFolder> shared_;
  inline static std::string text_;
  TemporaryFolder folder_;
  std::string err_;
};

const std::vector<std::string> kPrinting = {
    "--help",
    "--version",
    "--version --json",
    "train --help",
    "man",
    "completion bash",
    "inspect --model $model",
    "inspect --model $model --json",
    "generate --model $model --tokens 8",
    "generate --model $model --tokens 8 --json",
    "generate --model $model --tokens 8 --trace",
    "eval --model $model --examples 2",
    "eval --model $model --examples 2 --json",
    "report --model $model --windows 1 --tokens 4",
    "train --data $model/config.json --layers 1 --width 16 --heads 2 --context 16 --batch 2 "
    "--steps "
    "1 --validation-windows 2 --out run --overwrite",
};

TEST_F(Output, ThatIsLostIsAFailure) {
  for (const std::string& command : kPrinting) {
    EXPECT_EQ(run_script("$ebt " + command + " >/dev/full"), 1) << command;
    EXPECT_NE(err_.find("ebt: cannot write to the standard output: No space left on device\n"),
              std::string::npos)
        << command << '\n'
        << err_;
    EXPECT_EQ(run_script("$ebt " + command + " >&-"), 1) << command;
    EXPECT_NE(err_.find("ebt: cannot write to the standard output"), std::string::npos)
        << command << '\n'
        << err_;
  }
}

TEST_F(Output, EndsQuietlyWhereNobodyReads) {
  for (const std::string& command : {kPrinting[0], kPrinting[5], kPrinting[8], kPrinting[12]}) {
    // The reader is gone before anything is written.
    EXPECT_EQ(run_script("{ sleep 0.1; $ebt " + command +
                         " 2>/dev/null; } | true; exit "
                         "${PIPESTATUS[0]}"),
              141)
        << command;
    EXPECT_EQ(err_, "") << command;
  }
}

TEST_F(Output, IsLookedAtWhileALongTextIsWritten) {
  EXPECT_EQ(run_script("$ebt generate --model $model --tokens 2000 >/dev/full"), 1);
  EXPECT_EQ(err_.find("2000 tokens in"), std::string::npos) << "went on to the end: " << err_;
}

TEST_F(Output, NeverGoesToAFileThatTookTheNumberOfAClosedStream) {
  const auto before = contents_of(model());
  EXPECT_EQ(run_script("$ebt inspect --model $model <&- >&- 2>&-"), 1);
  EXPECT_EQ(run_script("$ebt generate --model $model --tokens 3 >&- 2>&-"), 1);
  EXPECT_TRUE(before == contents_of(model()));
}

TEST_F(Output, ComesFromAProcessThatIsCalledEbt) {
  EXPECT_EQ(run_script("$ebt train --data '" + text_ +
                       "' --layers 1 --width 16 --heads 2 --context 16 --steps 100000 --out run "
                       ">/dev/null 2>&1 & process=$!; "
                       "for i in {1..100}; do [[ -e run ]] && break; sleep 0.1; done; "
                       "name=$(cat /proc/$process/comm); kill -KILL $process; [[ $name == ebt ]]"),
            0);
}

TEST_F(Output, NeverReplacesAFileOfAModel) {
  const std::string config = model() + "/config.json";
  const Arguments report = {"report", "--model", model(), "--windows", "1", "--tokens", "1"};
  const auto with = [](Arguments words, const Arguments& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  expect_harmless(with(report, {"--out", config}), "belongs to a model");
  expect_harmless(with(report, {"--out", model() + "/../model/./model.safetensors"}),
                  "belongs to a model");
  expect_harmless(with(report, {"--out", model() + "/calibration.json"}), "belongs to a model");
  expect_harmless(with(report, {"--out", folder_.file("a.html"), "--figure", config}),
                  "--figure: '" + config + "' belongs to a model");
  expect_harmless(with(report, {"--out", folder_.file("a"), "--figure", folder_.file("a")}),
                  "--out and --figure are both");
  expect_harmless({"calibrate", "--model", model(), "--figure", model() + "/metrics.jsonl"},
                  "belongs to a model");
  expect_harmless({"tokenizer", "train", "--data", text_, "--out", model() + "/tokenizer.model"},
                  "belongs to a model");
  expect_harmless({"data", "prepare", "--data", text_, "--out", model()}, "holds a model");
  expect_harmless({"lab", "think", "--quick", "--out", model()}, "holds a model");
}

TEST_F(Output, NeverReplacesWhatIsRead) {
  const std::string text = folder_.write("other.txt", real_text());
  std::filesystem::create_symlink(text, folder_.file("link.html"));
  std::filesystem::create_hard_link(text, folder_.file("hard.html"));
  for (const char* name : {"other.txt", "link.html", "hard.html"}) {
    expect_harmless({"report", "--model", model(), "--data", text, "--out", folder_.file(name)},
                    "is what --data reads");
  }
  expect_harmless({"eval", "--model", model(), "--data", text, "--out", text},
                  "is what --data reads");
  expect_harmless({"report", "--model", model(), "--data", folder_.path().string(), "--out",
                   folder_.file("report.html")},
                  "lies within the text");
  expect_harmless(tiny_training(folder_.path().string(), folder_.file("run")),
                  "lies within the text");
}

TEST_F(Output, IsRefusedBeforeTheWorkWhereItCannotBe) {
  const Arguments report = {"report", "--model", model(), "--out"};
  const auto to = [&](const std::string& out) {
    Arguments words = report;
    words.push_back(out);
    return words;
  };
  expect_harmless(to(folder_.file("none/report.html")), "there is no folder");
  expect_harmless(to(folder_.path().string()), "is a folder, not a file");
  expect_harmless(to("/dev/null"), "is not a regular file");
  expect_harmless(to(""), "--out is empty");
  expect_harmless({"eval", "--model", model(), "--out", text_}, "cannot make the folder");
}

TEST_F(Output, KeepsKindsOfFoldersApart) {
  const std::string prepared = folder_.file("prepared");
  ASSERT_EQ(run_ebt({"data", "prepare", "--data", text_, "--out", prepared}).exit_code, 0);
  expect_harmless(tiny_training(text_, prepared), "holds prepared data");
  expect_harmless({"report", "--model", model(), "--out", prepared + "/prepared.json"},
                  "belongs to prepared data");
  folder_.write("lab/lab.json", "{}");
  folder_.write("lab/report.html", "answers");
  expect_harmless({"lab", "compare", folder_.file("lab"), folder_.file("lab"), "--out",
                   folder_.file("lab/report.html")},
                  "belongs to an experiment");
}

TEST_F(Output, MayStandBesideAModelAndBeWrittenAnew) {
  const std::string page = folder_.file("run/page.html");
  ASSERT_EQ(run_ebt(tiny_training(text_, folder_.file("run"))).exit_code, 0);
  for (int time = 0; time < 2; ++time) {
    const Outcome outcome = run_ebt({"report", "--model", folder_.file("run"), "--windows", "1",
                                     "--tokens", "1", "--out", page});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  EXPECT_NE(read_file(page).find("</html>"), std::string::npos);
}

}  // namespace
}  // namespace ebt::testing
