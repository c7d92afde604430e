#include "ebt/serve/image_engine.h"

#include <gtest/gtest.h>

#include "ebt/eval/image_quality.h"
#include "tests/support/controlled_denoiser.h"
#include "tests/support/small_images.h"

namespace ebt {
namespace {

using std::chrono::milliseconds;
using testing::ControlledDenoiser;
using testing::DenoiserControls;
using testing::gradient;
using testing::small_image_model;

// An engine over a scripted denoiser, with two places beside the image that is cleaned.
class ImageEngineTest : public ::testing::Test {
 protected:
  ImageEngine& start(ImageArchitecture arch = ImageArchitecture::kEbt) {
    engine_ = std::make_unique<ImageEngine>(
        std::make_unique<ControlledDenoiser>(small_image_model(arch), 3, controls_), 2, metrics_);
    return *engine_;
  }

  static ImageRequest request(bool stream = false, double sigma = 0) {
    ImageRequest request;
    request.image = gradient(20, 13, 3);
    request.options.denoise.steps = 4;
    request.options.stream = stream;
    request.options.adds_noise = sigma > 0;
    request.options.noise = ImageNoise::of_sigma(sigma > 0 ? sigma : 10);
    return request;
  }

  std::shared_ptr<ImageJob> submit(ImageRequest asked) {
    return engine_->submit(engine_->reserve(), std::move(asked));
  }

  // All that is told of a job, until it ends.
  static ImageNews finish(ImageJob& job) {
    ImageNews all;
    for (int i = 0; i < 1000 && !all.result && !all.error; ++i) {
      ImageNews news = job.take(milliseconds(20));
      std::move(news.states.begin(), news.states.end(), std::back_inserter(all.states));
      EXPECT_GE(news.done, all.done);
      all.done = news.done;
      all.result = std::move(news.result);
      all.error = std::move(news.error);
    }
    EXPECT_TRUE(all.result.has_value() != all.error.has_value());
    return all;
  }
  static std::string failure(ImageJob& job) {
    const ImageNews news = finish(job);
    return news.error ? fmt::format("{} {}", news.error->status(), news.error->what()) : "none";
  }
  std::string reservation() {
    try {
      engine_->reserve();
    } catch (const ApiError& error) {
      return fmt::format("{} {}", error.status(), error.what());
    }
    return "reserved";
  }

  Metrics metrics_;
  std::shared_ptr<DenoiserControls> controls_ = std::make_shared<DenoiserControls>();
  std::unique_ptr<ImageEngine> engine_;
};

TEST_F(ImageEngineTest, CleansAnImageAsTheLibraryDoes) {
  start();
  const ImageNews news = finish(*submit(request()));
  ASSERT_TRUE(news.result);
  const DenoisedImage& result = *news.result;
  EXPECT_TRUE(news.states.empty());
  EXPECT_EQ(news.done, 1);
  const ImageRequest asked = request();
  std::vector<float> planes(asked.image.pixels.size());
  to_planes(asked.image, 0, 0, {planes.data(), {3, 20, 13}});
  scale_to_model(asked.options.noise, {planes.data(), {3, 20, 13}});
  ControlledDenoiser denoiser(small_image_model(), 3, controls_);
  const TiledResult expected =
      denoise_tiled(denoiser, {planes.data(), {3, 20, 13}}, asked.options.denoise, {}, nullptr);
  EXPECT_EQ(decode_image(result.png, "x").pixels,
            from_planes({expected.image.data(), {3, 20, 13}}).pixels);
  EXPECT_EQ(result.energy, expected.energy);
  EXPECT_EQ(result.patch_energy.values, expected.patch_energy.values);
  EXPECT_EQ(result.width, 13);
  EXPECT_EQ(result.height, 20);
  EXPECT_EQ(result.tiles, expected.tiles);
  EXPECT_EQ(result.steps, 4);
  EXPECT_EQ(result.steps_of_tiles, 4 * expected.tiles);
  EXPECT_TRUE(result.psnr.empty() && result.noisy.empty());
}

TEST_F(ImageEngineTest, AddsNoiseAndTellsWhatIsLeftOfIt) {
  start();
  const DenoisedImage result = *finish(*submit(request(false, 25))).result;
  const Image clean = request().image;
  const Image noisy = decode_image(result.noisy, "x");
  ASSERT_EQ(result.psnr.size(), 5U);
  EXPECT_EQ(result.psnr.front(), psnr_of(mean_squared_error(noisy, clean)));
  EXPECT_EQ(result.psnr.back(), psnr_of(mean_squared_error(decode_image(result.png, "x"), clean)));
  EXPECT_NEAR(result.psnr.front(), psnr_of(25.0 * 25.0), 1);
  const DenoisedImage again = *finish(*submit(request(false, 25))).result;
  EXPECT_EQ(again.noisy, result.noisy) << "the noise follows from the seed";
  ImageRequest other = request(false, 25);
  other.options.seed = 1;
  EXPECT_NE(finish(*submit(other)).result->noisy, result.noisy);
}

TEST_F(ImageEngineTest, TellsEveryStateOfAStream) {
  start();
  const DenoisedImage whole = *finish(*submit(request(false, 25))).result;
  const ImageNews news = finish(*submit(request(true, 25)));
  ASSERT_EQ(news.states.size(), 5U);
  for (size_t i = 0; i < 5; ++i) {
    const ImageState& state = news.states[i];
    EXPECT_EQ(state.step, static_cast<int64_t>(i));
    EXPECT_EQ(state.energy, whole.energy[i]);
    EXPECT_EQ(state.psnr, whole.psnr[i]);
    EXPECT_EQ(state.patch_energy.values.size(), 5U * 4U);
  }
  EXPECT_EQ(news.states.front().png, whole.noisy);
  EXPECT_EQ(news.states.back().png, whole.png);
  EXPECT_EQ(news.states.back().patch_energy.values, whole.patch_energy.values);
  EXPECT_TRUE(news.result->png.empty()) << "the last state has it";
}

TEST_F(ImageEngineTest, OfDitHasNoEnergies) {
  start(ImageArchitecture::kDit);
  const ImageNews news = finish(*submit(request(true)));
  ASSERT_EQ(news.states.size(), 5U);
  EXPECT_FALSE(news.states[2].energy || news.states[2].psnr);
  EXPECT_TRUE(news.states[2].patch_energy.values.empty());
  EXPECT_EQ(decode_image(news.states[0].png, "x").pixels, request().image.pixels)
      << "what was given, not scaled";
}

TEST_F(ImageEngineTest, LeavesAGreyImageGrey) {
  start();
  ImageRequest grey = request(true, 10);
  grey.image = gradient(20, 13, 1);
  const ImageNews news = finish(*submit(grey));
  for (const ImageState& state : news.states) {
    EXPECT_EQ(decode_image(state.png, "x").channels, 1);
  }
}

TEST_F(ImageEngineTest, HasSoManyPlacesAndNoMore) {
  controls_->held = true;
  start();
  const auto first = submit(request());
  const auto second = submit(request());
  {
    const ImagePlace place = engine_->reserve();  // whose image has not arrived
    EXPECT_EQ(reservation(),
              "429 The server is busy: all 3 places for images are taken. Try again later.");
  }
  EXPECT_EQ(reservation(), "reserved") << "and given back at once";
  const auto third = submit(request());
  EXPECT_EQ(reservation().substr(0, 3), "429");
  controls_->held = false;
  for (const auto& job : {first, second, third}) {
    EXPECT_TRUE(finish(*job).result);
  }
  EXPECT_EQ(reservation(), "reserved");
  EXPECT_EQ(metrics_.images_waiting, 0);
}

TEST_F(ImageEngineTest, CancelsWhatWaitsAtOnceAndWhatRunsAtItsNextStep) {
  controls_->held = true;
  start();
  const auto running = submit(request());
  while (metrics_.images_running == 0) {
    std::this_thread::yield();
  }
  const auto waiting = submit(request());
  const std::string stopped = "503 The server was stopped before the answer was finished.";
  engine_->cancel(waiting);
  EXPECT_EQ(failure(*waiting), stopped);
  engine_->cancel(waiting);  // again: nothing happens
  engine_->cancel(running);
  controls_->held = false;
  EXPECT_EQ(failure(*running), stopped);
  EXPECT_EQ(controls_->steps, 1);
  EXPECT_TRUE(finish(*submit(request())).result);
}

TEST_F(ImageEngineTest, CancelsAllWhenItEnds) {
  controls_->held = true;
  start();
  const auto running = submit(request());
  while (metrics_.images_running == 0) {
    std::this_thread::yield();
  }
  const auto waiting = submit(request());
  engine_->cancel_all();
  EXPECT_EQ(failure(*waiting).substr(0, 3), "503");
  const auto late = submit(request());
  controls_->held = false;
  EXPECT_EQ(failure(*running).substr(0, 3), "503");
  EXPECT_TRUE(finish(*late).result) << "only what there was is cancelled";
  controls_->held = true;
  const auto cut = submit(request());
  const auto last = submit(request());
  std::thread ending([&] { engine_.reset(); });
  EXPECT_EQ(failure(*last).substr(0, 3), "503") << "while the engine is held";
  controls_->held = false;
  ending.join();
  EXPECT_EQ(failure(*cut).substr(0, 3), "503");
}

TEST_F(ImageEngineTest, AFailureConcernsItsImageAlone) {
  start();
  controls_->diverges = true;
  EXPECT_EQ(failure(*submit(request())),
            "400 Cleaning the image failed: the energy of an image is not finite after 1 steps.");
  controls_->diverges = false;
  controls_->memory_ends = true;
  EXPECT_EQ(failure(*submit(request())), "503 The server has not enough memory for this.");
  controls_->memory_ends = false;
  EXPECT_TRUE(finish(*submit(request())).result);
  EXPECT_EQ(reservation(), "reserved");
}

}  // namespace
}  // namespace ebt
