// Training on images as a user meets it: from nothing, from files, interrupted, and refused.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "ebt/data/image/image.h"
#include "tests/end_to_end/program.h"

namespace ebt::testing {
namespace {

using nlohmann::json;
using Seconds = std::chrono::duration<double>;

// Everything that draws random numbers, or is learned.
const Arguments kStateful = {"--recipe", "s2", "--step-size-learnable"};

class ImageTraining : public ::testing::Test {
 protected:
  std::string train(const std::string& name, const Arguments& more = {},
                    const std::string& kind = "image") {
    const Outcome outcome = run_ebt(tiny_image_training(folder_.file(name), more, kind));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return folder_.file(name);
  }
  Arguments stateful(const std::string& name, Arguments more) const {
    more.insert(more.end(), kStateful.begin(), kStateful.end());
    return tiny_image_training(folder_.file(name), more);
  }
  void expect_no_training(const Arguments& more, const std::string& part) {
    expect_refused(tiny_image_training(folder_.file("out"), more), part);
    EXPECT_FALSE(std::filesystem::exists(folder_.file("out")));
  }
  // A folder of twelve small images.
  std::string images() {
    std::filesystem::create_directories(folder_.file("images"));
    for (int i = 0; i < 12; ++i) {
      Image image{9, 10, 3, {}};
      for (int value = 0; value < 9 * 10 * 3; ++value) {
        image.pixels.push_back(static_cast<uint8_t>(value * (i + 3) % 256));
      }
      write_image(folder_.file("images/" + std::to_string(i) + ".png"), image);
    }
    return folder_.file("images");
  }

  TemporaryFolder folder_;
};

TEST_F(ImageTraining, LearnsWithoutAnyDataAndShowsWhatItMade) {
  const std::string model = folder_.file("model");
  const json result = run_ebt_json(tiny_image_training(model));
  EXPECT_EQ(result["finished"], true);
  EXPECT_EQ(result["step"], 12);
  EXPECT_EQ(result["images"], 48);
  EXPECT_EQ(result["validation"]["step"], 12);
  EXPECT_EQ(result["validation"]["images"], 8);
  EXPECT_TRUE(result["validation"]["psnr"].is_number());
  EXPECT_EQ(result["validation"]["psnr_per_step"].size(), 1U);
  EXPECT_EQ(result["bad_images"]["count"], 0);

  const json inspected = run_ebt_json({"inspect", "--model", model});
  EXPECT_EQ(inspected["step"], 12);
  EXPECT_EQ(inspected["parameters"], result["parameters"]);
  EXPECT_EQ(inspected["config"]["image-height"], 8);
  EXPECT_EQ(inspected["config"]["noise-level"], 0.1);
  EXPECT_GT(inspected["training_bytes"].get<double>(), 0);
  const Outcome text = run_ebt({"inspect", "--model", model});
  EXPECT_NE(text.out.find("ebt of images with "), std::string::npos) << text.out;
}

TEST_F(ImageTraining, TrainsTheDiffusionTransformer) {
  const json result = run_ebt_json(tiny_image_training(folder_.file("dit"), {}, "dit"));
  EXPECT_TRUE(result["validation"]["noise_mse"].is_number());
  EXPECT_FALSE(result["validation"].contains("psnr"));
  EXPECT_EQ(run_ebt_json({"inspect", "--model", folder_.file("dit")})["config"]["arch"], "dit");
}

TEST_F(ImageTraining, LearnsToThinkLonger) {
  const std::string model = train("s2", {"--recipe", "s2", "--langevin-noise", "0.02"});
  const json config = run_ebt_json({"inspect", "--model", model})["config"];
  EXPECT_EQ(config["steps-min"], 2);
  EXPECT_EQ(config["steps-max"], 3);
  EXPECT_EQ(config["truncate"], true);
  EXPECT_EQ(config["step-size-learnable"], false);
  EXPECT_EQ(config["step-size-spread"], 2);
  EXPECT_EQ(config["langevin-noise"], 0.02) << "flags override the recipe";
}

TEST_F(ImageTraining, PassesOverFilesThatAreNoImagesAndSaysSo) {
  const std::string data = images();
  folder_.write("images/broken.png", "no image");
  // The words of subcommands are good names for folders.
  const json result = run_ebt_json(
      tiny_image_training(folder_.file("image"), {"--data", data, "--validation", "0"}));
  EXPECT_EQ(result["finished"], true);
  EXPECT_FALSE(result.contains("validation"));
  EXPECT_EQ(result["bad_images"]["count"], 1);
  EXPECT_NE(result["bad_images"]["first"][0].get<std::string>().find("broken.png"),
            std::string::npos);
  const Outcome outcome =
      run_ebt(tiny_image_training(folder_.file("again"), {"--data", data, "--validation", "0"}));
  EXPECT_NE(outcome.err.find("learns from 13 files of '" + data + "'"), std::string::npos)
      << outcome.err;
  EXPECT_NE(outcome.err.find("passed over: "), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("1 of the image files cannot be used"), std::string::npos)
      << outcome.err;
}

TEST_F(ImageTraining, SurvivesBeingKilledAtRandomMoments) {
  constexpr int kKills = 8;
  const Arguments steps = {"--steps", "120", "--checkpoint-every", "9"};
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(run_ebt(stateful("whole", steps)).exit_code, 0);
  const Seconds whole = std::chrono::steady_clock::now() - start;

  const std::string run = folder_.file("killed");
  const auto begin_or_resume = [&]() -> Arguments {
    if (std::filesystem::exists(run + "/config.json")) {
      return {"train", "image", "--resume", run, "--threads", "2"};
    }
    return stateful("killed", steps);
  };
  std::mt19937 random(7);
  std::uniform_real_distribution<double> lifetime(0.0, whole.count() / 8);
  int kills = 0;
  for (int life = 0; life < kKills; ++life) {
    Program program(begin_or_resume());
    std::this_thread::sleep_for(Seconds(lifetime(random)));
    program.send(SIGKILL);
    const Outcome outcome = program.wait();
    ASSERT_TRUE(outcome.signal == SIGKILL || outcome.exit_code == 0) << outcome.err;
    kills += outcome.signal == SIGKILL ? 1 : 0;
  }
  EXPECT_GE(kills, kKills / 2);
  const Outcome outcome = run_ebt(begin_or_resume());
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_same_run(folder_.file("whole"), run);
}

TEST_F(ImageTraining, StopsWhenItsTimeIsOverAndGoesOn) {
  const std::string run = folder_.file("run");
  const Arguments steps = {"--steps", "100000", "--minutes", "0.002"};
  const Outcome stopped = run_ebt(tiny_image_training(run, steps));
  EXPECT_EQ(stopped.exit_code, 0);
  EXPECT_NE(stopped.err.find("go on with: ebt train image --resume " + run), std::string::npos)
      << stopped.err;
  const int64_t first = run_ebt_json({"inspect", "--model", run})["step"];
  EXPECT_GT(first, 0);
  const json later = run_ebt_json({"train", "image", "--resume", run, "--minutes", "0.002"});
  EXPECT_EQ(later["finished"], false);
  EXPECT_GT(later["step"].get<int64_t>(), first);
}

TEST_F(ImageTraining, RepeatsARunFromItsStoredConfig) {
  for (const char* kind : {"image", "dit"}) {
    const std::string first = train(std::string(kind) + "1", {}, kind);
    const std::string again = folder_.file(std::string(kind) + "2");
    const Outcome outcome =
        run_ebt({"train", kind, "--config", first + "/config.json", "--out", again});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    expect_same_run(first, again);
  }
}

TEST_F(ImageTraining, KeepsARunUnlessToldToOverwriteIt) {
  const std::string model = train("model");
  const std::string weights = read_file(model + "/model.safetensors");
  expect_refused(tiny_image_training(model, {"--seed", "4"}), "--overwrite");
  expect_refused(tiny_image_training(model, {"--overwrite", "--data", folder_.file("none")}),
                 "none");
  EXPECT_EQ(read_file(model + "/model.safetensors"), weights) << "a refused run cost the old one";
  const Outcome replaced = run_ebt(tiny_image_training(model, {"--seed", "4", "--overwrite"}));
  EXPECT_EQ(replaced.exit_code, 0) << replaced.err;
  EXPECT_NE(read_file(model + "/model.safetensors"), weights);
}

TEST_F(ImageTraining, TellsTextImagesAndDiffusionApart) {
  const std::string image = train("image");
  const std::string dit = train("dit", {}, "dit");
  const std::string text = folder_.file("text");
  ASSERT_EQ(run_ebt(tiny_training(folder_.write("text.txt", real_text()), text)).exit_code, 0);

  for (const char* command : {"eval", "calibrate", "generate", "report"}) {
    expect_refused({command, "--model", image}, "'" + image +
                                                    "' holds a model of images, not of "
                                                    "text: it is for 'ebt denoise'");
  }
  expect_refused({"train", "--resume", image}, "holds a model of images, not of text");
  expect_refused({"train", "image", "--resume", text}, "'" + text +
                                                           "' holds a model of text, not "
                                                           "of images: it is for 'ebt generate'");
  expect_refused({"train", "image", "--resume", dit},
                 "'" + dit +
                     "' holds a model of 'ebt train dit': continue it with ebt train dit "
                     "--resume " +
                     dit);
  expect_refused({"train", "dit", "--config", image + "/config.json"},
                 "describes a model of 'ebt train image': use that command");
}

TEST_F(ImageTraining, ChangesNothingThatWouldMakeItAnotherRun) {
  const std::string run = train("run");
  expect_refused({"train", "image", "--resume", run, "--batch", "99"},
                 "--batch cannot change with --resume");
  EXPECT_EQ(run_ebt({"train", "image", "--resume", run, "--threads", "2"}).exit_code, 0);
}

TEST_F(ImageTraining, NoticesThatTheFilesHaveChanged) {
  const std::string run = train("run", {"--data", images()});
  std::filesystem::copy(folder_.file("images/1.png"), folder_.file("images/more.png"));
  expect_refused({"train", "image", "--resume", run}, "are no longer those that");
}

TEST_F(ImageTraining, RefusesWhatIsImpossible) {
  expect_no_training({"--data", folder_.file("none")}, "none");
  std::filesystem::create_directory(folder_.file("nothing"));
  expect_no_training({"--data", folder_.file("nothing")}, "nothing");
  expect_no_training({"--within", "train/"}, "--within");
  expect_no_training({"--patch", "3"}, "--image-height: 8 is not a multiple of the patch (3)");
  expect_no_training({"--channels", "4"}, "--channels");
  expect_no_training({"--minutes", "-1"}, "--minutes: -1 is not a number from 0");
  expect_no_training({"--recipe", "s3"}, "--recipe must be s1 or s2");
  expect_no_training({"--context", "16"}, "--context");
  expect_no_training({"--layers", "1000", "--width", "65536"}, "memory");
  expect_refused({"train", "--steps", "4", "image"},
                 "--steps stands before 'image', whose flags belong behind it");
  expect_refused({"train", "dit", "--recipe", "s2"}, "--recipe");
}

TEST_F(ImageTraining, LeavesNoModelBehindOnAFullDisk) {
  const Outcome outcome =
      run_ebt(tiny_image_training(folder_.file("out")), Limits{.file_bytes = 4096});
  EXPECT_EQ(outcome.exit_code, 1) << "signal " << outcome.signal;
  EXPECT_EQ(outcome.err.rfind("ebt: ", 0), 0U) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(folder_.file("out/model.safetensors")));
}

TEST(ImageTrainingHelp, TeachesBothCommands) {
  for (const char* kind : {"image", "dit"}) {
    const Outcome outcome = run_ebt({"train", kind, "--help"});
    EXPECT_EQ(outcome.exit_code, 0) << kind;
    EXPECT_NE(outcome.out.find("Examples:"), std::string::npos) << kind;
    EXPECT_NE(outcome.out.find("--minutes"), std::string::npos) << kind;
  }
  EXPECT_NE(run_ebt({"train", "--help"}).out.find("ebt train image"), std::string::npos);
}

}  // namespace
}  // namespace ebt::testing
