// Completion as the shells themselves compute it, and the manual page.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

class Completion : public ::testing::Test {
 protected:
  // What a shell prints that runs a script in the folder.
  std::string output_of(const std::string& shell, const std::string& script) {
    folder_.write("script", script);
    const std::string out = folder_.file("out");
    const std::string command = "cd '" + folder_.path().string() + "' && " + shell +
                                " ./script >'" + out + "' 2>&1 </dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0) << read_file(out);
    return read_file(out);
  }
  static bool has(const std::string& program) {
    return std::system(("command -v " + program + " >/dev/null").c_str()) == 0;
  }
  std::string script_of(const std::string& shell) {
    const Outcome outcome = run_ebt({"completion", shell});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome.out;
  }

  TemporaryFolder folder_;
};

TEST_F(Completion, OfBashKnowsCommandsFlagsWordsAndPaths) {
  folder_.write("some/a file.txt", "");
  folder_.write("some/folder/b", "");
  const std::string asked =
      script_of("bash") +
      "try() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _ebt; echo \"${COMPREPLY[*]}\"; }\n"
      "IFS=,\n"
      "try ebt trai\n"
      "try ebt train --learn\n"
      "try ebt train im\n"
      "try ebt train image --noise-l\n"
      "try ebt train --precision ''\n"
      "try ebt train --precision = b\n"
      "try ebt bench image --arch ''\n"
      "try ebt train --steps ''\n"
      "try ebt eval --model some/\n"
      "try ebt eval --data some/\n"
      "try ebt train --out train im\n"
      "try ebt train --no-det\n"
      "try ebt completion ''\n";
  EXPECT_EQ(output_of("bash", asked),
            "train\n"
            "--learning-rate\n"
            "image\n"
            "--noise-level\n"
            "auto,fp32,bf16\n"
            "bf16\n"
            "ebt,dit\n"
            "\n"
            "some/folder\n"
            "some/a file.txt,some/folder\n"
            "image\n"
            "--no-detach\n"
            "bash,zsh\n");
}

// The functions that zsh's own completion would call print what they are given.
TEST_F(Completion, OfZshKnowsCommandsFlagsWordsAndPaths) {
  if (!has("zsh")) {
    GTEST_SKIP() << "zsh is not installed";
  }
  folder_.write("_ebt", script_of("zsh"));
  const std::string out = output_of("zsh -f",
                                    "_arguments() { print -rl -- $@; }\n"
                                    "_describe() { print -rl -- ${(P)2}; }\n"
                                    "try() { words=(\"$@\"); CURRENT=$#; source ./_ebt; }\n"
                                    "try ebt trai\n"
                                    "try ebt train image --n\n"
                                    "try ebt train --arch ''\n");
  for (const char* line : {"\ntrain:Train a model on text", "\n--noise-level=[", "\n--help[",
                           ":value: ", "\n--arch=[architecture", ":word:(ebt transformer_pp)\n",
                           ":folder:_files -/\n"}) {
    EXPECT_NE(("\n" + out).find(line), std::string::npos) << line << '\n' << out;
  }
}

TEST_F(Completion, ManualPageIsValidAndHasEveryFlag) {
  const Outcome outcome = run_ebt({"man"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const char* part : {".TH EBT 1", "\\fB\\-\\-learning\\-rate\\fR", ".SS \"ebt train image\"",
                           "\\fB\\-\\-detach\\fR, \\fB\\-\\-no\\-detach\\fR", "EXIT STATUS"}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part;
  }
  if (!has("groff")) {
    GTEST_SKIP() << "groff is not installed: nothing judges the page";
  }
  folder_.write("ebt.1", outcome.out);
  EXPECT_EQ(output_of("sh", "groff -man -ww -z -Tutf8 -K utf8 ebt.1"), "");
}

}  // namespace
}  // namespace ebt::testing
