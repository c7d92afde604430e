// Models of whole answers as a user meets them: drawn puzzles, training, thinking longer, and what
// is refused.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

using nlohmann::json;

class Answers : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_.file(name); }
  // Small sudokus with so many holes.
  std::string puzzles(const std::string& holes, int count, const std::string& name) const {
    const Outcome outcome =
        run_ebt({"data", "puzzle", "sudoku", "--boxes", "2x2", "--holes", holes, "--count",
                 std::to_string(count), "--seed", holes.substr(0, 1), "--out", file(name)});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return file(name);
  }
  // `ebt train infill` of a model that learns them in seconds.
  Arguments training(const std::string& name, const Arguments& more = {},
                     const std::string& grid = "4x4", const std::string& boxes = "2x2") const {
    Arguments arguments = {"train",
                           "infill",
                           "--data",
                           file("train.csv"),
                           "--grid",
                           grid,
                           "--boxes",
                           boxes,
                           "--layers",
                           "1",
                           "--width",
                           "16",
                           "--heads",
                           "2",
                           "--batch",
                           "8",
                           "--steps",
                           "24",
                           "--seed",
                           "1",
                           "--out",
                           file(name),
                           "--checkpoint-every",
                           "7",
                           "--validate-every",
                           "12",
                           "--validation-rows",
                           "16"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  TemporaryFolder folder_;
};

TEST_F(Answers, AreFoundByThinkingLongerThanOneStep) {
  puzzles("4-7", 2000, "train.csv");
  const std::string hard = puzzles("8", 100, "hard.csv");
  const json trained = run_ebt_json({"train",           "infill",
                                     "--data",          file("train.csv"),
                                     "--grid",          "4x4",
                                     "--boxes",         "2x2",
                                     "--layers",        "2",
                                     "--width",         "32",
                                     "--heads",         "2",
                                     "--batch",         "32",
                                     "--steps",         "400",
                                     "--steps-max",     "4",
                                     "--learning-rate", "3e-3",
                                     "--seed",          "1",
                                     "--out",           file("solver"),
                                     "--precision",     "fp32"});
  EXPECT_EQ(trained["finished"], true);
  EXPECT_EQ(trained["data"]["rows"], 1800);
  EXPECT_GT(trained["validation"]["solved"].get<double>(), 0.85);
  EXPECT_EQ(trained["validation"]["solved_per_step"].size(), 4U);

  const Arguments evaluation = {"eval",     "infill", "--model",       file("solver"),
                                "--data",   hard,     "--think-steps", "12",
                                "--search", "0",      "--batch"};
  const auto measure = [&](const std::string& batch, const Arguments& more) {
    Arguments all = evaluation;
    all.push_back(batch);
    all.insert(all.end(), more.begin(), more.end());
    json result = run_ebt_json(all);
    result.erase("seconds");
    return result;
  };
  const json one = measure("64", {"--restarts", "1"});
  EXPECT_EQ(one["rows"], 100);
  ASSERT_EQ(one["by_step"].size(), 12U);
  EXPECT_EQ(one["by_step"][11], one["solved"]);
  EXPECT_GT(one["solved"].get<double>(), one["by_step"][0].get<double>() + 0.2);
  EXPECT_EQ(measure("7", {"--restarts", "1"}), one) << "results depend on the batch";
  const json four = measure("64", {"--restarts", "4"});
  EXPECT_EQ(four["by_step"], one["by_step"]);
  EXPECT_GE(four["any_solved"], four["solved"]);
  EXPECT_EQ(four["by_passes"].size(), 4U);
  EXPECT_EQ(four["by_passes"][3]["passes"], 48);
  // Any valid answer of a sudoku is the one of the data.
  EXPECT_EQ(measure("64", {"--restarts", "1", "--puzzle", "sudoku"}), one);

  const Outcome table = run_ebt({"eval", "infill", "--model", file("solver"), "--data", hard,
                                 "--think-steps", "4", "--out", file("results")});
  EXPECT_NE(table.out.find("one thought"), std::string::npos) << table.out;
  EXPECT_TRUE(std::filesystem::exists(file("results/eval-infill.csv")));

  const json inspected = run_ebt_json({"inspect", "--model", file("solver")});
  EXPECT_EQ(inspected["step"], 400);
  expect_refused({"generate", "--model", file("solver")},
                 "holds a model of whole answers, not of text");
}

TEST_F(Answers, AreLearnedAlikeOnAnyNumberOfThreadsAndAfterAnyStop) {
  puzzles("4-7", 100, "train.csv");
  for (const Arguments& kind : {Arguments{"--precision", "fp32"},
                                Arguments{"--precision", "bf16", "--learned-steps", "2",
                                          "--langevin-noise", "0.1", "--step-size-spread", "2"},
                                Arguments{"--arch", "looped"}}) {
    Arguments with = kind;
    ASSERT_EQ(run_ebt(training("whole", with)).exit_code, 0);
    with.insert(with.end(), {"--threads", "1", "--minutes", "0.0005"});
    ASSERT_EQ(run_ebt(training("stopped", with)).exit_code, 0);
    const json stopped = run_ebt_json({"inspect", "--model", file("stopped")});
    EXPECT_LT(stopped["step"], 24);
    ASSERT_EQ(run_ebt({"train", "infill", "--resume", file("stopped"), "--threads", "2"}).exit_code,
              0);
    expect_same_run(file("whole"), file("stopped"));
    std::filesystem::remove_all(file("whole"));
    std::filesystem::remove_all(file("stopped"));
  }
}

TEST_F(Answers, OfRivalsAreJudgedByTheirConfidence) {
  puzzles("4-7", 100, "train.csv");
  for (const std::string arch : {"feed_forward", "looped"}) {
    ASSERT_EQ(run_ebt(training(arch, {"--arch", arch})).exit_code, 0);
    const json result = run_ebt_json(
        {"eval", "infill", "--model", file(arch), "--think-steps", "3", "--restarts", "2"});
    EXPECT_EQ(result["by_step"].size(), 3U);
    EXPECT_FALSE(result.contains("energy_by_step"));
    expect_refused({"eval", "infill", "--model", file(arch), "--select", "energy"}, "energy");
  }
}

TEST_F(Answers, AreAskedForInQuestionsAndInTextsToo) {
  folder_.write("sums.jsonl", R"({"prompt": "1+2=", "answer": "3"}
{"prompt": "4+5=", "answer": "9"}
{"prompt": "2+2=", "answer": "4"}
{"prompt": "9+9=", "answer": "18"}
)");
  const auto train = [&](const Arguments& data, const std::string& name) {
    Arguments all = {"train", "infill",  "--layers", "1",       "--width", "16",    "--heads",
                     "2",     "--batch", "4",        "--steps", "6",       "--out", file(name)};
    all.insert(all.end(), data.begin(), data.end());
    return run_ebt_json(all);
  };
  EXPECT_EQ(train({"--data", file("sums.jsonl"), "--validation", "0.25"}, "sums")["data"]["rows"],
            3);
  folder_.write("text.txt", real_text());
  const json text = train({"--data", file("text.txt"), "--row-length", "32"}, "gaps");
  EXPECT_EQ(text["finished"], true);
  EXPECT_TRUE(text["validation"]["accuracy"].is_number());
}

TEST_F(Answers, ThatCannotBeLearnedFromAreRefusedInOneSentence) {
  puzzles("4-7", 40, "train.csv");
  expect_refused({"train", "infill", "--out", file("none")}, "name a file of puzzles");
  expect_refused(training("none", {}, "3x5"), "3x5");
  expect_refused(training("none", {}, "4x4", "3x3"), "3x3");
  expect_refused(training("none", {"--arch", "transformer_pp"}), "ebt, feed_forward or looped");
  expect_refused(training("none", {"--learned-steps", "-1"}), "learned-steps");
  EXPECT_FALSE(std::filesystem::exists(file("none")));
  ASSERT_EQ(run_ebt(training("model")).exit_code, 0);
  folder_.write("other.csv", "puzzle,solution\n0123,4123\n");
  expect_refused({"eval", "infill", "--model", file("model"), "--data", file("other.csv")},
                 "other.csv");
  // Data that have changed since.
  puzzles("4-6", 40, "train.csv");
  expect_refused({"train", "infill", "--resume", file("model"), "--steps", "30"},
                 "no longer those");
}

}  // namespace
}  // namespace ebt::testing
