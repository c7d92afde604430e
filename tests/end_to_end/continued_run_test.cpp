// Runs that go on for longer, with data elsewhere, or from the weights of another run.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

using json = nlohmann::json;
namespace fs = std::filesystem;

class ContinuedRun : public TextRuns {
 protected:
  std::string train_images(const std::string& name, const std::string& kind,
                           const Arguments& more = {}) const {
    const Outcome outcome = run_ebt(tiny_image_training(folder_.file(name), more, kind));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return folder_.file(name);
  }
  static void expect_refused(const Arguments& arguments, const std::string& part) {
    const Outcome outcome = run_ebt(arguments);
    EXPECT_EQ(outcome.exit_code, 1) << ::testing::PrintToString(arguments);
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
  }
  static json config_of(const std::string& run) {
    return json::parse(read_file(run + "/config.json"));
  }
};

TEST_F(ContinuedRun, TakesMoreStepsThanItWasBegunWith) {
  const std::string run = train("run");
  const Outcome longer = run_ebt({"train", "--resume", run, "--steps", "20"});
  EXPECT_EQ(longer.exit_code, 0) << longer.err;
  EXPECT_NE(longer.err.find("goes on from step 12 to step 20 instead of 12: the learning rate "
                            "follows the cosine of 20 steps from here on"),
            std::string::npos)
      << longer.err;
  EXPECT_EQ(config_of(run)["run"]["steps"], 20);
  const std::vector<json> lines = metrics_without_clock(run);
  EXPECT_EQ(lines.back()["step"], 20);
  // From step 13 on the rate is that of a run of 20 steps.
  const std::string twenty = train("twenty", {"--steps", "20", "--warmup-steps", "1"});
  const std::vector<json> expected = metrics_without_clock(twenty);
  const auto rate_at = [](const std::vector<json>& metrics, int64_t step) {
    for (const json& line : metrics) {
      if (line["step"] == step && line.contains("learning_rate")) {
        return line["learning_rate"].get<double>();
      }
    }
    return 0.0;
  };
  for (const int64_t step : {13, 16, 20}) {
    EXPECT_EQ(rate_at(lines, step), rate_at(expected, step));
  }
  // What is asked for stays: the next time needs no --steps.
  EXPECT_EQ(run_ebt_json({"train", "--resume", run})["steps"], 20);
  expect_refused({"train", "--resume", run, "--steps", "19"},
                 "has taken 20 steps already, and 19 are fewer");
  EXPECT_EQ(config_of(run)["run"]["steps"], 20);
}

TEST_F(ContinuedRun, TakesMoreStepsOnImages) {
  for (const std::string kind : {"image", "dit"}) {
    const std::string run = train_images(kind, kind);
    const Outcome longer = run_ebt({"train", kind, "--resume", run, "--steps", "15"});
    EXPECT_EQ(longer.exit_code, 0) << longer.err;
    EXPECT_NE(longer.err.find("goes on from step 12 to step 15"), std::string::npos) << longer.err;
    EXPECT_EQ(metrics_without_clock(run).back()["step"], 15);
  }
}

TEST_F(ContinuedRun, ChangesItsIntervals) {
  const std::string run = train("run", {"--steps", "40"});
  const Outcome outcome = run_ebt({"train", "--resume", run, "--steps", "44", "--validate-every",
                                   "2", "--checkpoint-every", "3"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("step 42: validation"), std::string::npos) << outcome.err;
  EXPECT_EQ(config_of(run)["run"]["validate-every"], 2);
  EXPECT_EQ(config_of(run)["run"]["checkpoint-every"], 3);
}

TEST_F(ContinuedRun, FindsItsTextWhereItWasMovedTo) {
  const std::string run = train("run");
  fs::rename(text_, folder_.file("moved.txt"));
  expect_refused({"train", "--resume", run}, "No such file");
  EXPECT_EQ(run_ebt({"train", "--resume", run, "--data", folder_.file("moved.txt")}).exit_code, 0);
  EXPECT_EQ(config_of(run)["data"]["data"], folder_.file("moved.txt"));
  EXPECT_EQ(run_ebt({"train", "--resume", run}).exit_code, 0);
}

TEST_F(ContinuedRun, RefusesAnotherTextOfTheSameSize) {
  const std::string run = train("run");
  const std::string config = read_file(run + "/config.json");
  std::string other = real_text();
  other[other.size() / 2] ^= 1;
  folder_.write("other.txt", other);
  expect_refused({"train", "--resume", run, "--data", folder_.file("other.txt")},
                 "no longer the same text");
  EXPECT_EQ(read_file(run + "/config.json"), config);
  folder_.write("text.txt", other);
  expect_refused({"train", "--resume", run}, "no longer the same text");
}

TEST_F(ContinuedRun, StartsFromTheWeightsOfAnother) {
  for (const Arguments& kind :
       {Arguments{"--recipe", "s2", "--replay-rows", "4"}, Arguments{"--arch", "transformer_pp"}}) {
    const std::string base = train("base" + kind[1], kind);
    const std::string weights = read_file(base + "/model.safetensors");
    const std::string out = folder_.file("tuned" + kind[1]);
    // At a learning rate of almost nothing, what is saved is what it started from.
    const Outcome outcome = run_ebt({"train", "--data", text_, "--from", base, "--out", out,
                                     "--steps", "2", "--learning-rate", "1e-30", "--batch", "4",
                                     "--step-size-lr", "1e-30", "--threads", "1"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(config_of(out)["model"], config_of(base)["model"]);
    EXPECT_EQ(config_of(out)["thinking"]["steps-max"], config_of(base)["thinking"]["steps-max"]);
    EXPECT_EQ(config_of(out)["run"]["from"], base);
    const json measured = run_ebt_json({"eval", "--model", out, "--examples", "4"});
    const json expected = run_ebt_json({"eval", "--model", base, "--examples", "4"});
    EXPECT_EQ(measured["points"][0]["loss"], expected["points"][0]["loss"]);
    EXPECT_EQ(read_file(base + "/model.safetensors"), weights);
  }
}

TEST_F(ContinuedRun, StartsFromTheWeightsOfAnotherOnImages) {
  for (const std::string kind : {"image", "dit"}) {
    const std::string base = train_images("base-" + kind, kind);
    const std::string out = folder_.file("tuned-" + kind);
    const Outcome outcome = run_ebt({"train", kind, "--from", base, "--out", out, "--steps", "2",
                                     "--batch", "4", "--threads", "1"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(config_of(out)["model"], config_of(base)["model"]);
  }
  expect_refused({"train", "image", "--from", folder_.file("base-dit"), "--out", folder_.file("x")},
                 "describes a model of 'ebt train dit'");
}

TEST_F(ContinuedRun, SaysWhyItCannotStartFromAnother) {
  const std::string base = train("base");
  const auto from_base = [&](const Arguments& more) {
    Arguments words = {"train", "--data", text_, "--from", base, "--out", folder_.file("out")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  expect_refused(from_base({"--width", "32"}),
                 "the model of '" + base + "' has \"width\" 16, and this run's has 32");
  expect_refused(from_base({"--size", "xxs"}), "the model of '" + base + "' has \"");
  expect_refused(from_base({"--arch", "transformer_pp"}), "has \"arch\" \"ebt\"");
  ASSERT_EQ(run_ebt({"tokenizer", "train", "--data", text_, "--vocab-size", "400", "--out",
                     folder_.file("t.model")})
                .exit_code,
            0);
  expect_refused(from_base({"--tokenizer", folder_.file("t.model")}), "knows the 257 tokens");
  expect_refused({"train", "--from", folder_.file("none"), "--out", folder_.file("out")}, "none");
  expect_refused({"train", "image", "--from", base, "--out", folder_.file("out")},
                 "holds a model of text, not of images");
  EXPECT_FALSE(fs::exists(folder_.file("out")));
  expect_refused({"train", "--data", text_, "--from", base, "--out", base, "--overwrite"},
                 "--from");
  EXPECT_TRUE(fs::exists(base + "/model.safetensors"));
}

}  // namespace
}  // namespace ebt::testing
