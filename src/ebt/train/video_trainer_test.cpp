// Runs on video: what is particular to them, on clips that rotate.
#include <gtest/gtest.h>

#include <filesystem>

#include "ebt/train/run_config.h"
#include "ebt/train/video_task.h"
#include "tests/support/error_text.h"
#include "tests/support/small_clips.h"

namespace ebt {
namespace {

using namespace testing;

VideoTrainConfig small_run(const TemporaryFolder& folder, const std::string& name) {
  VideoTrainConfig config;
  config.model.layers = 1;
  config.model.heads = 2;
  config.model.context = 6;
  config.thinking.steps_max = 2;
  config.thinking.langevin_noise = 0.01;
  config.thinking.step_size_spread = 1.5;
  config.optimizer.learning_rate = 0.01;
  config.data.data = rotating_clips(folder, "clips", 5, 20, 8);
  config.data.validation = 0.2;
  config.run.steps = 12;
  config.run.batch = 4;
  config.run.micro_batch = 3;
  config.run.threads = 1;
  config.run.validate_every = 6;
  config.run.checkpoint_every = 6;
  config.run.precision = "fp32";
  config.run.out = folder.file(name);
  return config;
}

// Takes steps until `count` are taken.
void run_until(VideoTrainer<float>& trainer, int64_t count) {
  VideoTrainer<float>::Observer observer;
  observer.stop_requested = [&] { return trainer.progress().step >= count; };
  EXPECT_FALSE(trainer.run(observer));
}

void expect_same_weights(VideoTrainer<float>& a, VideoTrainer<float>& b) {
  const Tensor<float> x = a.model().edit_weights().all();
  const Tensor<float> y = b.model().edit_weights().all();
  ASSERT_EQ(x.count(), y.count());
  EXPECT_TRUE(std::equal(x.begin(), x.end(), y.begin()));
}

TEST(VideoTrainer, TakesItsWidthFromTheFramesAndIsStoredAsAModelOfVideo) {
  const TemporaryFolder folder;
  const auto trainer = VideoTrainer<float>::start(small_run(folder, "run"));
  EXPECT_EQ(trainer.config().model.width, 8);
  EXPECT_EQ(model_kind(folder.file("run")), ModelKind::kVideo);
  EXPECT_EQ(load_config<VideoTrainConfig>(folder.file("run")).model.width, 8);
  // Of five clips of 20 frames one is kept for validation; each has four windows of 6 + 1.
  EXPECT_EQ(trainer.task().data().training->count(), 16);
  EXPECT_EQ(trainer.task().data().validation->count(), 4);
}

TEST(VideoTrainer, ResumesToTheBit) {
  const TemporaryFolder folder;
  auto whole = VideoTrainer<float>::start(small_run(folder, "whole"));
  EXPECT_TRUE(whole.run());
  {
    auto begun = VideoTrainer<float>::start(small_run(folder, "resumed"));
    run_until(begun, 5);
  }
  auto resumed = VideoTrainer<float>::resume(folder.file("resumed"));
  EXPECT_EQ(resumed.progress().step, 5);
  EXPECT_TRUE(resumed.run());
  expect_same_weights(whole, resumed);
}

TEST(VideoTrainer, NoticesOtherClips) {
  const TemporaryFolder folder;
  const VideoTrainConfig config = small_run(folder, "run");
  { const auto begun = VideoTrainer<float>::start(config); }
  std::filesystem::remove(config.data.data + "/4.npy");
  EXPECT_EQ(error_text([&] { VideoTrainer<float>::resume(config.run.out); }),
            "the clips of '" + config.data.data + "' are no longer those that '" + config.run.out +
                "' was trained on");
  rotating_clips(folder, "clips", 5, 20, 12);
  EXPECT_EQ(
      error_text([&] { VideoTrainer<float>::resume(config.run.out); }),
      "'" + config.data.data + "' holds frames of 12 numbers, and the model is of frames of 8");
}

TEST(VideoTrainer, RefusesARunWithoutClipsBeforeItWritesAnything) {
  const TemporaryFolder folder;
  VideoTrainConfig config = small_run(folder, "run");
  config.model.context = 20;
  EXPECT_NE(error_text([&] { VideoTrainer<float>::start(config); }).find("lower --context"),
            std::string::npos);
  config.data.data = "";
  EXPECT_EQ(error_text([&] { VideoTrainer<float>::start(config); }),
            "--data is missing: name a folder of clips");
  EXPECT_FALSE(std::filesystem::exists(config.run.out));
}

}  // namespace
}  // namespace ebt
