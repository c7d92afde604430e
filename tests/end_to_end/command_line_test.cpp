// What the program says about itself, and about command lines that it cannot obey.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

using nlohmann::json;

// The first line of the refusal, without "ebt: ".
std::string refusal(const Arguments& arguments) {
  const Outcome outcome = run_ebt(arguments);
  EXPECT_EQ(outcome.exit_code, 1) << outcome.out << outcome.err;
  EXPECT_EQ(outcome.err.rfind("ebt: ", 0), 0U) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 2) << outcome.err;
  EXPECT_NE(outcome.err.find("\nhint: "), std::string::npos) << outcome.err;
  return outcome.err.substr(5, outcome.err.find('\n') - 5);
}

TEST(CommandLine, SuggestsTheFlagThatWasMeant) {
  EXPECT_EQ(refusal({"train", "--stpes", "3"}), "there is no flag --stpes: did you mean --steps?");
  EXPECT_EQ(refusal({"train", "--learnin-rate=3"}),
            "there is no flag --learnin-rate: did you mean --learning-rate?");
  EXPECT_EQ(refusal({"train", "--no-detahc"}),
            "there is no flag --no-detahc: did you mean --no-detach?");
  EXPECT_EQ(refusal({"generate", "--prom", "x"}),
            "there is no flag --prom: did you mean --prompt?");
  EXPECT_EQ(refusal({"train", "image", "--nosie-level", "1"}).substr(0, 31),
            "there is no flag --nosie-level:");
  EXPECT_EQ(refusal({"--verison"}), "there is no flag --verison: did you mean --version?");
  EXPECT_EQ(refusal({"train", "--xyzzy"}), "there is no flag --xyzzy");
}

TEST(CommandLine, SuggestsTheCommandThatWasMeant) {
  EXPECT_EQ(refusal({"trian"}), "there is no command 'ebt trian': did you mean 'ebt train'?");
  EXPECT_EQ(refusal({"trian", "--steps", "3"}),
            "there is no command 'ebt trian': did you mean 'ebt train'?");
  EXPECT_EQ(refusal({"tokenizer", "trian"}),
            "there is no command 'ebt tokenizer trian': did you mean 'ebt tokenizer train'?");
  EXPECT_EQ(refusal({"train", "imgae"}),
            "there is no command 'ebt train imgae': did you mean 'ebt train image'?");
  EXPECT_EQ(refusal({"inspect", "model"}), "'model' is not expected here: flags begin with --");
  EXPECT_NE(refusal({"data"}).find("needs to know what to do: prepare"), std::string::npos);
}

TEST(CommandLine, SuggestsTheWordThatWasMeant) {
  EXPECT_EQ(refusal({"train", "--type", "adalnn"}),
            "--type must be default, time_embed, adaln or adaln_zero, not 'adalnn': did you mean "
            "'adaln'?");
  EXPECT_NE(refusal({"train", "--precision", "bf61"}).find("did you mean 'bf16'?"),
            std::string::npos);
  EXPECT_NE(refusal({"train", "--size", "smal"}).find("did you mean 'small'?"), std::string::npos);
  EXPECT_NE(refusal({"eval", "--task", "gms8k"}).find("did you mean 'gsm8k'?"), std::string::npos);
}

TEST(CommandLine, SaysInItsOwnWordsWhatIsWrongWithAValue) {
  EXPECT_EQ(refusal({"train", "--steps"}), "--steps needs a value");
  EXPECT_EQ(refusal({"train", "--steps", "1", "--steps", "2"}), "--steps is given more than once");
  EXPECT_EQ(refusal({"train", "--steps", "many"}), "--steps must be a whole number, not many");
  EXPECT_EQ(refusal({"train", "--learning-rate", "fast"}),
            "--learning-rate must be a number, not fast");
  EXPECT_EQ(refusal({"train", "--clip-norm", "inf"}), "--clip-norm must be a number, not inf");
  EXPECT_EQ(refusal({"train", "--tokenizer", ""}),
            "--tokenizer is empty: name a file or folder, or leave it out");
}

TEST(CommandLine, TeachesEveryCommand) {
  for (const Arguments& command : std::vector<Arguments>{{"train"},
                                                         {"train", "image"},
                                                         {"train", "dit"},
                                                         {"eval"},
                                                         {"eval", "image"},
                                                         {"calibrate"},
                                                         {"denoise"},
                                                         {"probe"},
                                                         {"generate"},
                                                         {"inspect"},
                                                         {"report"},
                                                         {"tokenizer", "train"},
                                                         {"data", "prepare"},
                                                         {"lab", "think"},
                                                         {"lab", "compare"},
                                                         {"bench", "train"},
                                                         {"completion"},
                                                         {"man"}}) {
    Arguments words = command;
    words.emplace_back("--help");
    const Outcome outcome = run_ebt(words);
    EXPECT_EQ(outcome.exit_code, 0) << command.back();
    EXPECT_EQ(outcome.err, "") << command.back();
    EXPECT_NE(outcome.out.find("Usage: "), std::string::npos) << outcome.out;
  }
}

TEST(CommandLine, SaysWhatIsMissing) {
  for (const char* command : {"eval", "calibrate", "generate", "inspect", "report", "probe"}) {
    EXPECT_EQ(refusal({command}).rfind("--model is missing", 0), 0U) << command;
  }
  EXPECT_NE(refusal({"denoise"}).find("IN is missing"), std::string::npos);
  EXPECT_NE(refusal({"lab", "compare"}).find("name the folders"), std::string::npos);
  EXPECT_NE(refusal({}).find("no command"), std::string::npos);
}

TEST(CommandLine, TellsItsVersionAndWhatItWasBuiltFrom) {
  const Outcome outcome = run_ebt({"--version"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.rfind("ebt ", 0), 0U) << outcome.out;
  const json version = run_ebt_json({"--version"});
  for (const char* key : {"version", "commit", "instruction_set", "bf16_engine"}) {
    EXPECT_FALSE(version.at(key).get<std::string>().empty()) << key;
    EXPECT_NE(outcome.out.find(version.at(key).get<std::string>()), std::string::npos) << key;
  }
  EXPECT_GE(version.at("instruction_sets").size(), 1U);
  EXPECT_GE(version.at("libraries").size(), 5U) << version;
  EXPECT_NE(outcome.out.find("oneDNN " + version["libraries"]["oneDNN"].get<std::string>()),
            std::string::npos);
}

// Models are trained once for all tests.
class Refusals : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    folder_->write("text.txt", real_text());
    for (const auto& [name, arch] : {std::pair("ebt", "ebt"), std::pair("pp", "transformer_pp")}) {
      const Outcome outcome =
          run_ebt(tiny_training(folder_->file("text.txt"), folder_->file(name), {"--arch", arch}));
      ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    }
  }
  static void TearDownTestSuite() { folder_.reset(); }

  inline static std::unique_ptr<TemporaryFolder> folder_;
};

TEST_F(Refusals, AreForFlagsThatATransformerCannotUse) {
  const auto train = [&](const Arguments& more) {
    Arguments words = tiny_training(folder_->file("text.txt"), folder_->file("new"),
                                    {"--arch", "transformer_pp"});
    words.insert(words.end(), more.begin(), more.end());
    const std::string sentence = refusal(words);
    EXPECT_FALSE(std::filesystem::exists(folder_->file("new")));
    return sentence;
  };
  EXPECT_EQ(train({"--recipe", "s2"}),
            "--recipe is for Energy-Based Transformers, not for --arch transformer_pp");
  EXPECT_EQ(train({"--type", "adaln"}),
            "--type is for Energy-Based Transformers, not for --arch transformer_pp");
  for (const char* flag : {"--steps-min", "--steps-max", "--no-detach", "--langevin-noise"}) {
    const Arguments words =
        std::string(flag) == "--no-detach" ? Arguments{flag} : Arguments{flag, "1"};
    EXPECT_NE(train(words).find("is for Energy-Based Transformers"), std::string::npos) << flag;
  }
  for (const char* command : {"generate", "eval", "report"}) {
    EXPECT_NE(refusal({command, "--model", folder_->file("pp"), "--think-steps", "2"})
                  .find("--think-steps is for Energy-Based Transformers: '"),
              std::string::npos)
        << command;
  }
  EXPECT_NE(refusal({"generate", "--model", folder_->file("pp"), "--candidates", "2"})
                .find("--candidates is for Energy-Based"),
            std::string::npos);
  EXPECT_NE(refusal({"eval", "--model", folder_->file("pp"), "--grid", "1,2"})
                .find("--grid is for Energy-Based"),
            std::string::npos);
  EXPECT_NE(refusal({"bench", "train", "--arch", "transformer_pp", "--think-steps", "2"})
                .find("--think-steps is for"),
            std::string::npos);
}

TEST_F(Refusals, AreForFlagsThatContradictEachOther) {
  EXPECT_EQ(refusal({"eval", "--model", folder_->file("ebt"), "--grid", "1", "--think-steps", "2"}),
            "--think-steps means nothing beside --grid: the grid says what to measure");
  EXPECT_EQ(refusal({"eval", "--model", folder_->file("ebt"), "--candidates-grid", "1",
                     "--candidates", "2"}),
            "--candidates means nothing beside --candidates-grid: the grid says what to measure");
  EXPECT_EQ(refusal({"eval", "image", "--model", "x", "--within", "a"}), "--within is for --data");
  EXPECT_EQ(refusal({"denoise", "a.png", "b.png", "--model", "x", "--baseline-steps", "3"}),
            "--baseline-steps is for --baseline");
}

TEST_F(Refusals, LeaveDefaultsOfTheConfigFileAlone) {
  const Outcome outcome = run_ebt({"train", "--config", folder_->file("ebt") + "/config.json",
                                   "--arch", "transformer_pp", "--out", folder_->file("again")});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

// Absurd values: one sentence each, and nothing left behind.
TEST_F(Refusals, AreForAbsurdValues) {
  const std::vector<std::pair<std::string, std::vector<const char*>>> flags = {
      {"generate", {"--threads", "--think-steps", "--tokens", "--temperature", "--top-p"}},
      {"eval", {"--examples", "--batch", "--candidates", "--stop-change"}},
      {"report", {"--windows", "--think-steps"}},
  };
  const std::string page = folder_->file("page.html");
  for (const auto& [command, names] : flags) {
    for (const std::string name : names) {
      for (const char* value : {"-7", "1e999", "nan", "inf", ""}) {
        Arguments words = {command, "--model", folder_->file("ebt"), name, value};
        if (command == "report") {
          words.insert(words.end(), {"--out", page});
        }
        const std::string sentence = refusal(words);
        EXPECT_NE(sentence.find(name.substr(2)), std::string::npos)
            << name << ' ' << value << ": " << sentence;
      }
    }
  }
  EXPECT_FALSE(std::filesystem::exists(page));
}

}  // namespace
}  // namespace ebt::testing
