// `ebt denoise`, `ebt eval image` and `ebt probe`, on tiny models.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <sstream>

#include "ebt/data/image/image.h"
#include "tests/end_to_end/program.h"
#include "tests/support/image_set.h"

namespace ebt::testing {
namespace {

using nlohmann::json;

// Models are trained once for all tests.
class Denoising : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    models_ = std::make_unique<TemporaryFolder>();
    train("ebt", "image", {"--steps", "400", "--validate-every", "400"});
    train("dit", "dit", {});
    train("grey", "image", {"--channels", "1"});
    train("larger", "dit", {"--image-height", "16"});
    std::filesystem::create_directories(models_->file("text"));
    const Outcome text = run_ebt(tiny_training(models_->write("text.txt", real_text()),
                                               models_->file("text"), {"--overwrite"}));
    ASSERT_EQ(text.exit_code, 0) << text.err;
  }
  static void TearDownTestSuite() { models_.reset(); }

  static void train(const std::string& name, const std::string& kind, const Arguments& more) {
    const Outcome outcome = run_ebt(tiny_image_training(models_->file(name), more, kind));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  static std::string model(const std::string& name = "ebt") { return models_->file(name); }

  std::string image(const std::string& name, int64_t height, int64_t width, int64_t channels = 3,
                    uint32_t seed = 1) {
    std::filesystem::create_directories(std::filesystem::path(folder_.file(name)).parent_path());
    write_image(folder_.file(name), waves(height, width, channels, seed));
    return folder_.file(name);
  }
  // Six images of two classes, and a file that is none.
  std::string images() {
    for (uint32_t i = 0; i < 3; ++i) {
      image("images/wide_" + std::to_string(i) + ".png", 9, 20, 3, i);
      image("images/tall_" + std::to_string(i) + ".png", 30, 8, 3, 10 + i);
    }
    folder_.write("images/broken.png", "no image");
    return folder_.file("images");
  }

  static Arguments with(Arguments arguments, const Arguments& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  Arguments denoise(const std::string& in, const std::string& out,
                    const Arguments& more = {}) const {
    return with({"denoise", in, folder_.file(out), "--model", model(), "--threads", "1"}, more);
  }
  static Arguments eval(const Arguments& more) {
    return with({"eval", "image", "--model", model(), "--threads", "1", "--grid", "1,2"}, more);
  }
  static Arguments probe(const Arguments& more) {
    return with({"probe", "--model", model(), "--threads", "1"}, more);
  }
  // Without what the clock measured.
  static json without_times(json value) {
    if (value.is_object()) {
      value.erase("ms_per_image");
      value.erase("seconds");
    }
    for (json& part : value) {
      if (part.is_structured()) {
        part = without_times(part);
      }
    }
    return value;
  }

  static std::unique_ptr<TemporaryFolder> models_;
  TemporaryFolder folder_;
};

std::unique_ptr<TemporaryFolder> Denoising::models_;

TEST_F(Denoising, TakesImagesOfAnySize) {
  for (const auto& [height, width, channels] :
       {std::array<int64_t, 3>{8, 8, 3}, {1, 1, 3}, {37, 5, 3}, {19, 50, 1}}) {
    const std::string in = image("in.png", height, width, channels);
    const json result = run_ebt_json(denoise(in, "out.jpg"));
    const Image out = read_image(folder_.file("out.jpg"));
    EXPECT_EQ(out.height, height);
    EXPECT_EQ(out.width, width);
    EXPECT_EQ(out.channels, channels);
    EXPECT_EQ(result["height"], height);
    EXPECT_EQ(result["tiles"] == 1, height <= 8 && width <= 8);
    EXPECT_EQ(result["steps"], 3);
    EXPECT_EQ(result["energy"].size(), 4U);
    EXPECT_EQ(result["timestep"], 99) << "as noisy as those it was trained on";
    EXPECT_FALSE(result.contains("denoised")) << "nothing to compare with";
  }
}

TEST_F(Denoising, AddsNoiseAndTellsWhatIsLeftOfIt) {
  const std::string in = image("in.png", 40, 40);
  const json result = run_ebt_json(denoise(
      in, "out.png",
      {"--sigma", "92", "--trace", "--baseline", model("dit"), "--baseline-steps", "5",
       "--contact-sheet", folder_.file("sheet.svg"), "--energy-map", folder_.file("map.png")}));
  EXPECT_NEAR(result["noisy"]["psnr"].get<double>(), 11, 1);
  ASSERT_EQ(result["psnr_by_step"].size(), 4U);
  EXPECT_GT(result["psnr_by_step"][1].get<double>(), result["noisy"]["psnr"].get<double>() + 0.5)
      << "a step, as in training";
  EXPECT_EQ(result["psnr_by_step"][3], result["denoised"]["psnr"]);
  EXPECT_TRUE(result["baseline"]["psnr"].is_number());
  EXPECT_EQ(result["sigma"], 92);
  const std::string sheet = read_file(folder_.file("sheet.svg"));
  for (const char* word : {"original", "noisy", "step 3", "DiT", "energy", "PSNR, dB"}) {
    EXPECT_NE(sheet.find(word), std::string::npos) << word;
  }
  EXPECT_EQ(read_image(folder_.file("map.png")).width, 280) << "40 pixels, enlarged";
  EXPECT_EQ(without_times(run_ebt_json(denoise(in, "2.png", {"--sigma", "92"})))["denoised"],
            result["denoised"]);
  EXPECT_NE(run_ebt_json(denoise(in, "3.png", {"--sigma", "92", "--seed", "1"}))["denoised"],
            result["denoised"]);
}

TEST_F(Denoising, PrintsItsTrace) {
  const Outcome outcome =
      run_ebt(denoise(image("in.png", 8, 8), "out.png", {"--sigma", "25", "--trace"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  std::istringstream lines(outcome.out);
  std::string line;
  for (int step = 0; step <= 3; ++step) {
    std::getline(lines, line);
    EXPECT_EQ(line.rfind("step " + std::to_string(step), 0), 0U) << line;
    EXPECT_NE(line.find("energy "), std::string::npos) << line;
    EXPECT_NE(line.find("PSNR "), std::string::npos) << line;
  }
  std::getline(lines, line);
  EXPECT_EQ(line.rfind("wrote " + folder_.file("out.png") + ": 8 x 8 pixels in 1 tile, 3 steps", 0),
            0U)
      << line;
}

TEST_F(Denoising, DependsOnBatchesAndThreadsByRoundingsAtMost) {
  const std::string in = image("in.png", 45, 61);
  run_ebt_json(denoise(in, "one.png", {"--batch", "1", "--precision", "fp32"}));
  run_ebt_json({"denoise", in, folder_.file("many.png"), "--model", model(), "--batch", "50",
                "--threads", "2", "--precision", "fp32"});
  const Image one = read_image(folder_.file("one.png"));
  const Image many = read_image(folder_.file("many.png"));
  for (size_t i = 0; i < one.pixels.size(); ++i) {
    ASSERT_LE(std::abs(one.pixels[i] - many.pixels[i]), 1) << i;
  }
}

TEST_F(Denoising, StopsWhereTheEnergyHasConverged) {
  const std::string in = image("in.png", 24, 24);
  const json fixed = run_ebt_json(denoise(in, "out.png", {"--steps", "6"}));
  EXPECT_EQ(fixed["steps_per_tile"], 6);
  const json result =
      run_ebt_json(denoise(in, "out.png", {"--steps", "6", "--energy-tolerance", "1e9"}));
  EXPECT_EQ(result["steps_per_tile"], 1) << "no step gains so much";
}

TEST_F(Denoising, TakesAWholeFolderAndLeavesOutWhatIsNoImage) {
  const Outcome outcome = run_ebt(denoise(images(), "cleaned"));
  EXPECT_EQ(outcome.exit_code, 1) << "not all is well";
  EXPECT_NE(outcome.err.find("left out: "), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("broken.png"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("ebt: 1 of 7 images could not be denoised\n"), std::string::npos)
      << outcome.err;
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 6);
  EXPECT_EQ(read_image(folder_.file("cleaned/tall_2.png")).height, 30);
  std::filesystem::remove(folder_.file("images/broken.png"));
  const json result = run_ebt_json(denoise(folder_.file("images"), "again"));
  EXPECT_EQ(result["images"].size(), 6U);
  EXPECT_EQ(result["bad_images"], 0);
}

TEST_F(Denoising, RefusesWhatItCannotDenoise) {
  const std::string in = image("in.png", 12, 12);
  const Arguments none = {"denoise"};
  expect_refused(none, "IN is missing");
  expect_refused({"denoise", in}, "OUT is missing");
  expect_refused({"denoise", in, folder_.file("out.png")}, "--model is missing");
  expect_refused(denoise(folder_.file("none.png"), "out.png"), "none.png");
  expect_refused(denoise(folder_.write("text.png", "abc"), "out.png"), "text.png");
  expect_refused(denoise(in, "out.gif"), "OUT: '" + folder_.file("out.gif") + "' ends in neither");
  expect_refused(denoise(in, "in.png"), "is what IN reads");
  expect_refused(denoise(in, "no/folder/out.png"), "out.png");
  expect_refused(denoise(in, "out.png", {"--steps", "-1"}), "--steps must be at least 0");
  expect_refused(denoise(in, "out.png", {"--batch", "0"}), "--batch must be at least 1");
  expect_refused(denoise(in, "out.png", {"--overlap", "7"}),
                 "an overlap of 7 pixels leaves a tile of 8");
  expect_refused(denoise(in, "out.png", {"--sigma", "-5"}), "--sigma must be between 0 and 10000");
  expect_refused(denoise(in, "out.png", {"--input-sigma", "nan"}), "--input-sigma must be");
  expect_refused(denoise(in, "out.png", {"--sigma", "5", "--input-sigma", "5"}),
                 "leave out --input-sigma");
  expect_refused(denoise(in, "out.png", {"--energy-tolerance", "-1"}), "--energy-tolerance");
  expect_refused(denoise(in, "out.png", {"--precision", "fp8"}), "--precision");
  expect_refused(denoise(in, "out.png", {"--energy-map", "map.txt"}), "--energy-map: 'map.txt'");
  expect_refused(denoise(in, "out.png", {"--baseline", model("grey")}), "of other channels");
  expect_refused(denoise(images(), "out", {"--trace"}), "are for a single image");
  expect_refused(denoise(folder_.file("images"), "images"), "OUT is the folder that is read");
  const auto with_model = [&](const std::string& name, const Arguments& more) {
    return with({"denoise", in, folder_.file("out.png"), "--model", model(name)}, more);
  };
  expect_refused(with_model("dit", {"--energy-map", folder_.file("map.png")}), "has no energy");
  expect_refused(with_model("grey", {}), "has colours, and the model is one of grey images");
  expect_refused(with_model("text", {}), "text");
  EXPECT_FALSE(std::filesystem::exists(folder_.file("out.png")));
}

TEST_F(Denoising, IsMeasuredOverPassesBesideDit) {
  const std::string out = folder_.file("results");
  const json result =
      run_ebt_json(eval({"--baseline", model("dit"), "--data", images(), "--dit-grid", "1,4",
                         "--out", out, "--levels", "0.1", "--sigmas", "25"}));
  ASSERT_EQ(result["points"].size(), 12U);
  EXPECT_EQ(result["points"][0]["method"], "noisy input");
  EXPECT_EQ(result["points"][1]["method"], "non-local means");
  EXPECT_EQ(result["points"][3]["method"], "EBT");
  EXPECT_EQ(result["points"][3]["passes"], 2);
  EXPECT_EQ(result["points"][5]["method"], "DiT");
  EXPECT_EQ(result["points"][11]["noise"], "sigma 25");
  for (const json& point : result["points"]) {
    EXPECT_EQ(point["images"], 6);
    EXPECT_GT(point["psnr"].get<double>(), 3);
    EXPECT_LT(point["psnr"].get<double>(), 50);
    EXPECT_EQ(point.contains("energy"), point["method"] == "EBT");
  }
  EXPECT_EQ(result["bad_images"]["count"], 1);
  EXPECT_EQ(json::parse(read_file(out + "/eval-image.json"))["points"], result["points"]);
  const std::string csv = read_file(out + "/eval-image.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 12 * 6);
  EXPECT_NE(csv.find("\nsigma 25,DiT,4,wide_1.png,"), std::string::npos) << csv;
  EXPECT_NE(read_file(out + "/eval-image.svg").find("DiT"), std::string::npos);
}

TEST_F(Denoising, IsMeasuredOnTheImagesKeptOutOfTraining) {
  const json result = run_ebt_json(eval({"--images", "5", "--no-filter"}));
  EXPECT_EQ(result["description"], "5 images of dead leaves, drawn for validation");
  ASSERT_EQ(result["points"].size(), 2U * 3U) << "level 0.1 and 0.2";
  EXPECT_EQ(result["points"][5]["noise"], "level 0.2");
  EXPECT_EQ(without_times(run_ebt_json(eval({"--images", "5", "--no-filter"}))),
            without_times(result));
  EXPECT_NE(
      run_ebt_json(eval({"--images", "5", "--no-filter", "--seed", "4"}))["points"][0]["psnr"],
      result["points"][0]["psnr"]);
  const Outcome table = run_ebt(eval({"--images", "5"}));
  EXPECT_NE(table.out.find("level 0.2  noisy input"), std::string::npos) << table.out;
}

TEST_F(Denoising, RefusesWhatItCannotMeasure) {
  expect_refused({"eval", "image"}, "--model is missing");
  expect_refused(eval({"--within", "x"}), "--within is for --data");
  expect_refused(eval({"--data", folder_.file("none")}), "none");
  expect_refused(eval({"--levels", "0.1,2"}), "noise level: 2 is not in (0, 1]");
  expect_refused(eval({"--levels", "x"}), "--levels must be numbers from 0 with commas");
  expect_refused(eval({"--sigmas", "0"}), "--sigmas: without noise");
  expect_refused({"eval", "image", "--model", model(), "--grid", "0,1"},
                 "--grid must be whole numbers from 1");
  expect_refused(eval({"--baseline", model("dit"), "--dit-grid", "3,3"}),
                 "--dit-grid repeats the value 3");
  expect_refused(eval({"--baseline", model("larger")}), "which only --sigmas can compare");
  expect_refused(eval({"--images", "-1"}), "--images must be at least 0");
  expect_refused({"eval", "image", "--model", model("text")}, "text");
}

TEST_F(Denoising, IsProbedForWhatItSees) {
  const json result =
      run_ebt_json(probe({"--baseline", model("dit"), "--data", images(), "--held-out", "0.34"}));
  EXPECT_EQ(result["classes"], (json{"broken", "tall", "wide"}))
      << "the class of a file without '_' is its name";
  ASSERT_EQ(result["probes"].size(), 3U);
  EXPECT_EQ(result["probes"][0]["features"], "EBT");
  EXPECT_EQ(result["probes"][0]["width"], 16);
  EXPECT_EQ(result["probes"][1]["features"], "DiT");
  EXPECT_EQ(result["probes"][2]["features"], "pixels");
  EXPECT_EQ(result["probes"][2]["width"], 192);
  for (const json& one : result["probes"]) {
    EXPECT_EQ(one["training_top1"], 1) << "as many features as that tell few images apart";
    EXPECT_EQ(one["top5"], 1) << "of three classes";
  }
  EXPECT_NE(run_ebt(probe({"--data", folder_.file("images"), "--held-out", "0.34"}))
                .out.find("always the most frequent class"),
            std::string::npos);
}

TEST_F(Denoising, IsProbedOnOtherFilesThanItLearnsFrom) {
  for (uint32_t i = 0; i < 4; ++i) {
    image("both/train/a_" + std::to_string(i) + ".png", 8, 8, 3, i);
    image("both/train/b_" + std::to_string(i) + ".png", 8, 8, 3, 31 + 5 * i);
    image("both/test/b_" + std::to_string(i) + ".png", 8, 8, 3, 31 + 5 * i);
  }
  const Arguments both = {"--data", folder_.file("both"), "--within",
                          "train/", "--test-within",      "test/"};
  const json result = run_ebt_json(probe(both));
  EXPECT_EQ(result["training_images"], 8);
  EXPECT_EQ(result["test_images"], 4);
  EXPECT_EQ(result["probes"].back()["features"], "pixels");
  EXPECT_EQ(result["probes"].back()["top1"], 1) << "the same images";
  image("both/test/c_1.png", 8, 8, 3, 9);
  expect_refused(probe(both), "is of class 'c', of which there are no images to learn from");
}

TEST_F(Denoising, RefusesWhatItCannotProbe) {
  expect_refused({"probe"}, "--model is missing");
  expect_refused(probe({}), "dead leaves, which have no classes");
  image("one/a_1.png", 8, 8);
  image("one/a_2.png", 8, 8);
  const std::string one = folder_.file("one");
  expect_refused(probe({"--data", one, "--held-out", "0.5"}), "all images are of class 'a'");
  expect_refused(probe({"--data", one, "--held-out", "0.1"}),
                 "leaves 2 images to learn from and 0");
  expect_refused(probe({"--data", one, "--held-out", "1"}), "--held-out must be between 0 and 1");
  expect_refused(probe({"--data", one, "--baseline", model("dit"), "--timestep", "1000"}),
                 "--timestep must be below 1000");
  expect_refused(probe({"--data", one, "--l2", "-1"}), "--l2 must be between");
  expect_refused(probe({"--data", one, "--baseline", model("larger")}), "of another size");
}

}  // namespace
}  // namespace ebt::testing
