#include "ebt/eval/image_noise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

TEST(ImageNoise, OfALevelIsWhereThePaperPutsIt) {
  const ImageNoise trained = ImageNoise::of_level(0.1);
  EXPECT_EQ(trained.name, "level 0.1");
  EXPECT_EQ(trained.timestep, 99);
  EXPECT_NEAR(trained.signal * trained.signal * (1 + trained.deviation * trained.deviation), 1,
              1e-12)
      << "what the model sees has variance 1 where the image has";
  EXPECT_NEAR(trained.sigma(), 43.2, 0.1);
  EXPECT_EQ(ImageNoise::of_level(0.2).timestep, 199);
  EXPECT_NEAR(ImageNoise::of_level(0.2).sigma(), 91.7, 0.1);
}

TEST(ImageNoise, OfASigmaKeepsItAndFindsTheStep) {
  const ImageNoise noise = ImageNoise::of_sigma(25);
  EXPECT_EQ(noise.name, "sigma 25");
  EXPECT_DOUBLE_EQ(noise.deviation, 25 / 127.5);
  EXPECT_EQ(noise.sigma(), 25);
  EXPECT_NEAR(ImageNoise::of_timestep(noise.timestep).sigma(), 25, 0.4);
  EXPECT_EQ(ImageNoise::of_sigma(0).timestep, 0);
  EXPECT_EQ(ImageNoise::of_sigma(ImageNoise::of_level(0.1).sigma()).timestep, 99);
  EXPECT_EQ(ImageNoise::of_sigma(1e9).timestep, 999);
}

TEST(ImageNoise, IsTheSameOnAnImageWhateverItsStrength) {
  const std::vector<float> clean(5000, 0.5F);
  const auto noisy = [&](double sigma, uint64_t seed, int64_t number) {
    std::vector<float> image(clean.size());
    add_noise(ImageNoise::of_sigma(sigma), seed, number, {clean.data(), {5000}},
              {image.data(), {5000}});
    return image;
  };
  const std::vector<float> weak = noisy(10, 1, 2);
  const std::vector<float> strong = noisy(20, 1, 2);
  double squares = 0;
  for (size_t i = 0; i < weak.size(); ++i) {
    ASSERT_NEAR(strong[i] - 0.5F, 2 * (weak[i] - 0.5F), 1e-5);
    squares += std::pow(static_cast<double>(weak[i]) - 0.5, 2);
  }
  EXPECT_NEAR(std::sqrt(squares / 5000), 10 / 127.5, 0.002);
  EXPECT_EQ(noisy(10, 1, 2), weak);
  EXPECT_NE(noisy(10, 2, 2), weak);
  EXPECT_NE(noisy(10, 1, 3), weak);
}

TEST(ImageNoise, IsScaledAsTheScheduleScalesImages) {
  const ImageNoise noise = ImageNoise::of_level(0.2);
  std::vector<float> image = {1, -0.5F};
  scale_to_model(noise, {image.data(), {2}});
  EXPECT_FLOAT_EQ(image[0], static_cast<float>(noise.signal));
  EXPECT_FLOAT_EQ(image[1], static_cast<float>(noise.signal / -2));
}

TEST(ImageNoise, RefusesWhatIsNone) {
  EXPECT_EQ(error_text([] { ImageNoise::of_sigma(-1); }),
            "noise: a sigma of -1 is negative or not finite");
  EXPECT_EQ(error_text([] { ImageNoise::of_sigma(std::numeric_limits<double>::infinity()); }),
            "noise: a sigma of inf is negative or not finite");
  EXPECT_EQ(error_text([] { ImageNoise::of_level(0); }), "noise level: 0 is not in (0, 1]");
  EXPECT_EQ(error_text([] { ImageNoise::of_timestep(1000); }),
            "noise: timestep 1000 is not between 0 and 999");
}

}  // namespace
}  // namespace ebt
