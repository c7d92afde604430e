#include "ebt/think/ddim.h"

#include <gtest/gtest.h>

#include "tests/support/error_text.h"
#include "tests/support/numeric.h"

namespace ebt::testing {
namespace {

TEST(DdimTimesteps, GoEvenlyDownToTheLastPass) {
  EXPECT_EQ(ddim_timesteps(3, 4), (std::vector<int64_t>{3, 2, 1, 0}));
  EXPECT_EQ(ddim_timesteps(99, 1), (std::vector<int64_t>{99}));
  EXPECT_EQ(ddim_timesteps(99, 2), (std::vector<int64_t>{99, 49}));
  EXPECT_EQ(ddim_timesteps(99, 4), (std::vector<int64_t>{99, 74, 49, 24}));
  EXPECT_EQ(ddim_timesteps(1, 300), (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(ddim_timesteps(99, 300).size(), 100U);
  EXPECT_EQ(error_text([] { ddim_timesteps(9, 0); }),
            "diffusion: 0 passes from timestep 9 are none");
}

// A network that knows the noise leads back to the image, in however many passes.
TEST(DdimStep, WithTheTrueNoiseEndsAtTheCleanImage) {
  const NoiseSchedule schedule;
  std::vector<double> clean = normal_draws(2 * 3 * 4, 1);
  for (double& pixel : clean) {
    pixel = std::clamp(pixel / 2, -1.0, 1.0);
  }
  const std::vector<double> noise = normal_draws(static_cast<int64_t>(clean.size()), 2);
  for (const int64_t passes : {1, 3, 100}) {
    const std::vector<int64_t> steps = ddim_timesteps(199, passes);
    std::vector<double> images(clean.size());
    for (size_t i = 0; i < images.size(); ++i) {
      images[i] = schedule.signal(199) * clean[i] + schedule.noise(199) * noise[i];
    }
    // Of two images of 12 values: their noise, and a variance that nobody reads.
    std::vector<double> output(4 * 12, 7.0);
    std::copy_n(noise.begin(), 12, output.begin());
    std::copy_n(noise.begin() + 12, 12, output.begin() + 24);
    for (size_t i = 0; i < steps.size(); ++i) {
      ddim_step<double>(schedule, steps[i], i + 1 < steps.size() ? steps[i + 1] : -1,
                        {output.data(), {2, 6, 2, 2}}, {images.data(), {2, 3, 2, 2}});
    }
    for (size_t i = 0; i < images.size(); ++i) {
      EXPECT_NEAR(images[i], clean[i], 1e-12) << passes << " passes";
    }
  }
}

}  // namespace
}  // namespace ebt::testing
