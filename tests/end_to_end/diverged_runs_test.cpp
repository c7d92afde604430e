// What a run that diverges says and leaves, and what commands say of such weights.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <limits>

#include "ebt/data/image/image.h"
#include "tests/end_to_end/program.h"
#include "tests/support/image_set.h"

namespace ebt::testing {
namespace {

using nlohmann::json;

class DivergedRuns : public ::testing::Test {
 protected:
  // Expects exit code 1 and, behind "ebt: ", one sentence with `part` and a hint or no more.
  static void expect_refused(const Outcome& outcome, const std::string& part) {
    EXPECT_EQ(outcome.exit_code, 1) << "signal " << outcome.signal << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err.find("ebt: "), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
  }
  // Makes the last weight of a model no number.
  static void spoil(const std::string& model) {
    std::fstream file(model + "/model.safetensors",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-4, std::ios::end);
    const float value = std::numeric_limits<float>::quiet_NaN();
    file.write(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  static Arguments with(Arguments arguments, const Arguments& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  TemporaryFolder folder_;
  // Words in an order of their own: where a run ends that diverges depends on every byte it reads.
  static std::string words() {
    const char* const vocabulary[] = {"the",      "of",     "energy", "model", "thinks", "about",
                                      "every",    "answer", "step",   "by",    "and",    "then",
                                      "descends", "until",  "it",     "rests"};
    std::string text;
    for (uint64_t state = 1; text.size() < 40'000;) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      text += vocabulary[(state >> 33U) % std::size(vocabulary)];
      text += ' ';
    }
    text.resize(40'000);
    return text;
  }

  std::string text_ = folder_.write("text.txt", words());
};

// Thinking starts from zeros: validations draw other noise than evaluations do, which in a run that
// has diverged is not small.
TEST_F(DivergedRuns, AreMeasuredAlikeByTrainingAndEval) {
  for (const char* precision : {"fp32", "bf16"}) {
    for (const char* rate : {"0.001", "1"}) {
      SCOPED_TRACE(std::string(precision) + ", learning rate " + rate);
      const std::string model = folder_.file("model");
      const json trained = run_ebt_json({"train",
                                         "--data",
                                         text_,
                                         "--out",
                                         model,
                                         "--overwrite",
                                         "--width",
                                         "64",
                                         "--heads",
                                         "2",
                                         "--layers",
                                         "2",
                                         "--context",
                                         "32",
                                         "--batch",
                                         "4",
                                         "--steps",
                                         "40",
                                         "--validation",
                                         "0.03",
                                         "--validation-windows",
                                         "0",
                                         "--initial",
                                         "zeros",
                                         "--learning-rate",
                                         rate,
                                         "--precision",
                                         precision});
      const json evaluated = run_ebt_json({"eval", "--model", model, "--precision", precision});
      const double own = trained["validation"]["loss"];
      EXPECT_NEAR(own, evaluated["points"][0]["loss"].get<double>(), 0.001 * own);
    }
  }
}

TEST_F(DivergedRuns, FailUnlessTheirWeightsAreGood) {
  const Arguments steep = {"--learning-rate", "1e9", "--max-bad-steps", "100", "--json"};
  const auto expect_failure = [&](const Arguments& command, bool must_fail) {
    const Outcome outcome = run_ebt(command);
    if (outcome.exit_code == 0 && !must_fail) {
      EXPECT_TRUE(json::parse(outcome.out)["validation"]["loss"].is_number()) << outcome.out;
      return;
    }
    expect_refused(outcome, "training stopped at step 12 because ");
    EXPECT_NE(outcome.err.find("keeps the last good checkpoint"), std::string::npos);
  };
  for (const char* recipe : {"s1", "s2"}) {
    const std::string model = folder_.file(recipe);
    expect_failure(tiny_training(text_, model, with(steep, {"--recipe", recipe})), true);
    EXPECT_EQ(run_ebt({"eval", "--model", model, "--examples", "1"}).exit_code, 0);
  }
  expect_failure(tiny_training(text_, folder_.file("none"), with(steep, {"--validation", "0"})),
                 true);
  expect_failure(
      tiny_training(text_, folder_.file("baseline"), with(steep, {"--arch", "transformer_pp"})),
      false);
  for (const char* kind : {"image", "dit"}) {
    expect_failure(tiny_image_training(folder_.file(kind), steep, kind), false);
  }
}

TEST_F(DivergedRuns, AreNamedByEveryCommandThatOpensTheirWeights) {
  const std::string text = folder_.file("text");
  const std::string images = folder_.file("images");
  ASSERT_EQ(run_ebt(tiny_training(text_, text)).exit_code, 0);
  ASSERT_EQ(run_ebt(tiny_image_training(images)).exit_code, 0);
  const std::string image = folder_.file("in.png");
  write_image(image, waves(8, 8, 3, 1));
  spoil(text);
  spoil(images);
  const std::vector<std::pair<std::string, Arguments>> commands = {
      {text, {"eval"}},
      {text, {"generate"}},
      {text, {"calibrate"}},
      {text, {"report", "--out", folder_.file("report.html")}},
      {text, {"serve", "--port", "0"}},
      {images, {"eval", "image"}},
      {images, {"probe", "--data", folder_.file("")}},
      {images, {"denoise", image, folder_.file("out.png")}},
  };
  for (const auto& [model, command] : commands) {
    SCOPED_TRACE(command[0]);
    expect_refused(run_ebt(with(command, {"--model", model})),
                   "'" + model + "/model.safetensors': the weights '");
  }
  expect_refused(run_ebt({"train", "--resume", text}), "' are not finite (number ");
}

}  // namespace
}  // namespace ebt::testing
