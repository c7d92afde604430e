// Numbers are those of any number of threads, whatever the environment grants of what is asked for.
#include <gtest/gtest.h>

#include "ebt/data/image/image.h"
#include "tests/end_to_end/program.h"
#include "tests/support/image_set.h"

namespace ebt::testing {
namespace {

struct Environment {
  const char* name;
  Arguments threads;
  Limits limits;
};

// OMP_DYNAMIC grants as many as the load of the machine leaves.
std::vector<Environment> environments() {
  return {
      {"two threads", {"--threads", "2"}, {}},
      {"OMP_THREAD_LIMIT=1", {"--threads", "4"}, {.environment = {"OMP_THREAD_LIMIT=1"}}},
      {"OMP_THREAD_LIMIT=3", {"--threads", "4"}, {.environment = {"OMP_THREAD_LIMIT=3"}}},
      {"OMP_DYNAMIC", {"--threads", "4"}, {.environment = {"OMP_DYNAMIC=true"}}},
      {"OMP_NUM_THREADS", {"--threads", "0"}, {.environment = {"OMP_NUM_THREADS=3"}}},
      {"nested", {"--threads", "0"}, {.environment = {"OMP_NUM_THREADS=3,2", "OMP_NESTED=true"}}},
      {"one core", {"--threads", "4"}, {.one_core = true}},
  };
}

class Threads : public ::testing::Test {
 protected:
  // What the program leaves in `file`, or on stdout, must be what it does with one thread.
  void expect_same_everywhere(const std::string& file, const Arguments& command) {
    const auto result_of = [&](const Arguments& threads, const Limits& limits) {
      Arguments arguments = command;
      arguments.insert(arguments.end(), threads.begin(), threads.end());
      const Outcome outcome = run_ebt(arguments, limits);
      EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
      return file.empty() ? outcome.out : read_file(folder_.file(file));
    };
    const std::string alone = result_of({"--threads", "1"}, {});
    ASSERT_GT(alone.size(), 1U);
    for (const Environment& environment : environments()) {
      EXPECT_TRUE(result_of(environment.threads, environment.limits) == alone) << environment.name;
    }
  }
  void expect_same_training(const Arguments& command) {
    for (const char* precision : {"fp32", "bf16"}) {
      SCOPED_TRACE(precision);
      Arguments arguments = command;
      for (const char* word :
           {"--precision", precision, "--width", "64", "--heads", "2", "--layers", "1", "--steps",
            "2", "--batch", "4", "--overwrite", "--out"}) {
        arguments.emplace_back(word);
      }
      arguments.push_back(folder_.file("run"));
      expect_same_everywhere("run/model.safetensors", arguments);
    }
  }

  TemporaryFolder folder_;
  std::string text_ = folder_.write("text.txt", real_text());
  const Arguments of_text_ = {"train", "--data", text_, "--context", "64", "--validation-windows",
                              "2"};
  const Arguments of_images_ = {"train",         "image", "--image-height",      "16",
                                "--image-width", "16",    "--validation-images", "2"};
};

TEST_F(Threads, LeaveNoTraceInTheWeightsOfTextModels) {
  Arguments s2 = of_text_;
  s2.insert(s2.end(), {"--recipe", "s2", "--replay-rows", "4"});
  expect_same_training(s2);
  Arguments baseline = of_text_;
  baseline.insert(baseline.end(), {"--arch", "transformer_pp"});
  expect_same_training(baseline);
}

TEST_F(Threads, LeaveNoTraceInTheWeightsOfImageModels) {
  expect_same_training(of_images_);
  Arguments dit = of_images_;
  dit[1] = "dit";
  expect_same_training(dit);
}

TEST_F(Threads, LeaveNoTraceInWhatModelsOfTextSay) {
  const std::string model = folder_.file("model");
  ASSERT_EQ(run_ebt(tiny_training(text_, model, {"--width", "64", "--context", "64"})).exit_code,
            0);
  for (const char* precision : {"fp32", "bf16"}) {
    SCOPED_TRACE(precision);
    expect_same_everywhere("", {"generate", "--model", model, "--precision", precision, "--tokens",
                                "8", "--prompt", "the"});
    expect_same_everywhere("",
                           {"eval", "--model", model, "--precision", precision, "--examples", "2"});
  }
}

TEST_F(Threads, LeaveNoTraceInWhatModelsOfImagesSee) {
  const std::string model = folder_.file("model");
  ASSERT_EQ(run_ebt(tiny_image_training(model, {"--width", "64"})).exit_code, 0);
  const std::string image = folder_.file("in.png");
  write_image(image, waves(20, 30, 3, 1));
  for (const char* precision : {"fp32", "bf16"}) {
    SCOPED_TRACE(precision);
    expect_same_everywhere("out.png", {"denoise", image, folder_.file("out.png"), "--model", model,
                                       "--precision", precision});
  }
}

}  // namespace
}  // namespace ebt::testing
