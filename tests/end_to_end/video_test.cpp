// Video as a user meets it: trained, interrupted, measured, and refused.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/end_to_end/program.h"
#include "tests/support/small_clips.h"

namespace ebt::testing {
namespace {

using nlohmann::json;

class VideoRuns : public ::testing::Test {
 protected:
  Arguments training(const std::string& name, const Arguments& more = {},
                     const std::string& data = "", const std::string& heads = "2") const {
    Arguments all = {"train",
                     "video",
                     "--out",
                     folder_.file(name),
                     "--data",
                     data.empty() ? clips_ : data,
                     "--layers",
                     "2",
                     "--heads",
                     heads,
                     "--context",
                     "8",
                     "--batch",
                     "8",
                     "--learning-rate",
                     "0.01",
                     "--precision",
                     "fp32",
                     "--validate-every",
                     "50"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  TemporaryFolder folder_;
  std::string clips_ = rotating_clips(folder_, "clips", 20, 25, 8);
};

TEST_F(VideoRuns, LearnsWhatRepeatingTheLastFrameDoesNot) {
  // An energy needs a norm that leaves a candidate's size visible (docs/architecture.md).
  const Arguments thinks = {"--norm-eps",       "1", "--step-size", "5", "--no-detach",
                            "--ffn-multiplier", "4"};
  for (const char* arch : {"ebt", "transformer_pp"}) {
    Arguments more = {"--steps", "400", "--arch", arch};
    if (std::string(arch) == "ebt") {
      more.insert(more.end(), thinks.begin(), thinks.end());
    }
    const json trained = run_ebt_json(training(arch, more));
    EXPECT_EQ(trained["data"]["clips"], 20);
    EXPECT_EQ(trained["data"]["windows"], 18 * 3);
    EXPECT_EQ(trained["validation"]["frames"], 2 * 3 * 8);
    EXPECT_EQ(run_ebt_json({"inspect", "--model", folder_.file(arch)})["config"]["width"], 8);

    const json kept = run_ebt_json({"eval", "video", "--model", folder_.file(arch)});
    EXPECT_EQ(kept["frames"], 2 * 3 * 8);
    EXPECT_EQ(kept["steps"].size(), std::string(arch) == "ebt" ? 2U : 1U);
    EXPECT_LT(kept["steps"].back()["smooth_l1"].get<double>(),
              0.5 * kept["last_frame"]["smooth_l1"].get<double>())
        << arch << kept.dump();
    EXPECT_GT(kept["steps"].back()["cosine"], kept["last_frame"]["cosine"]) << arch;
  }
  // A table for people; of other clips, and longer.
  const Outcome outcome = run_ebt(
      {"eval", "video", "--model", folder_.file("ebt"), "--data", clips_, "--think-steps", "3"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("last frame"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("after step 2"), std::string::npos) << outcome.out;
}

TEST_F(VideoRuns, EndTheSameWhereverTheyWereInterrupted) {
  ASSERT_EQ(run_ebt(training("whole", {"--steps", "12", "--checkpoint-every", "5"})).exit_code, 0);
  ASSERT_EQ(run_ebt(training("parts", {"--steps", "12", "--checkpoint-every", "5", "--minutes",
                                       "1e-9", "--threads", "2"}))
                .exit_code,
            0);
  const json resumed = run_ebt_json({"train", "video", "--resume", folder_.file("parts")});
  EXPECT_EQ(resumed["finished"], true);
  EXPECT_EQ(read_file(folder_.file("whole") + "/model.safetensors"),
            read_file(folder_.file("parts") + "/model.safetensors"));
}

TEST_F(VideoRuns, RefuseBadClipsInOneSentence) {
  const auto expect_refused = [&](const Arguments& arguments, const std::string& part) {
    const Outcome outcome = run_ebt(arguments);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
  };
  expect_refused({"train", "video", "--out", folder_.file("out")}, "--data is missing");
  folder_.write("short/a.npy", npy_bytes("<f4", "(2, 8)", std::string(64, '\0')));
  expect_refused(training("out", {}, folder_.file("short")), "lower --context");
  folder_.write("cut/a.npy", npy_bytes("<f4", "(90, 8)", std::string(64, '\0')));
  expect_refused(training("out", {}, folder_.file("cut")), "is truncated");
  expect_refused(training("out", {}, "", "3"), "--heads");
  EXPECT_FALSE(std::filesystem::exists(folder_.file("out")));
  ASSERT_EQ(run_ebt(training("baseline", {"--steps", "2", "--arch", "transformer_pp"})).exit_code,
            0);
  expect_refused({"eval", "video", "--model", folder_.file("baseline"), "--think-steps", "2"},
                 "--think-steps is for Energy-Based Transformers");
  expect_refused({"generate", "--model", folder_.file("baseline"), "--prompt", "x"},
                 "holds a model of video, not of text");
}

}  // namespace
}  // namespace ebt::testing
