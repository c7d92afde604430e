#include "ebt/report/image_quality_figure.h"

#include <gtest/gtest.h>

namespace ebt {
namespace {

size_t count_of(const std::string& part, const std::string& text) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

ImageRow row_of(const ImageNoise& noise, const std::string& method, int64_t passes, double psnr) {
  ImageRow row{noise, method, passes, {ImageScore{}}, 0};
  row.scores[0].quality.psnr = psnr;
  return row;
}

TEST(ImageQualityFigure, HasAPanelForEveryNoiseAndACurveForEveryModel) {
  ImageGrid grid;
  for (const ImageNoise& noise : {ImageNoise::of_level(0.1), ImageNoise::of_sigma(25)}) {
    grid.rows.push_back(row_of(noise, "noisy input", 0, 15.25));
    grid.rows.push_back(row_of(noise, "non-local means", 0, 22));
    for (const int64_t passes : {1, 2, 3}) {
      grid.rows.push_back(row_of(noise, "EBT", passes, 25 + static_cast<double>(passes)));
    }
    for (const int64_t passes : {1, 100}) {
      grid.rows.push_back(row_of(noise, "DiT", passes, 24));
    }
  }
  const std::string svg = image_quality_figure(grid, "some <images>");
  EXPECT_EQ(count_of("<svg class=\"chart\"", svg), 2U);
  EXPECT_EQ(count_of("class=\"line ", svg), 2U * 3U) << "two models and the filter";
  EXPECT_EQ(count_of("<circle", svg), 2U * 5U);
  EXPECT_NE(svg.find("level 0.1: noisy input 15.25 dB"), std::string::npos);
  EXPECT_NE(svg.find("sigma 25: noisy input"), std::string::npos);
  EXPECT_NE(svg.find("some &lt;images&gt;"), std::string::npos);
}

TEST(ImageQualityFigure, DrawsASinglePoint) {
  ImageGrid grid;
  grid.rows.push_back(row_of(ImageNoise::of_sigma(25), "EBT", 2, 25));
  const std::string svg = image_quality_figure(grid, "");
  EXPECT_EQ(count_of("<circle", svg), 1U);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

}  // namespace
}  // namespace ebt
