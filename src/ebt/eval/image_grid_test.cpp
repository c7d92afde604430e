#include "ebt/eval/image_grid.h"

#include <gtest/gtest.h>

#include <limits>
#include <sstream>

namespace ebt {
namespace {

ImageScore score_of(const std::string& image, double mse, std::optional<double> energy = {}) {
  ImageScore score;
  score.image = image;
  score.quality.mse = mse;
  score.quality.unit_mse = mse / 65025;
  score.quality.psnr = psnr_of(mse);
  score.quality.ssim = 1 / (1 + mse);
  score.energy = energy;
  return score;
}

ImageGrid small_grid() {
  ImageGrid grid;
  grid.description = "2 images of 'x'";
  const ImageNoise noise = ImageNoise::of_sigma(25);
  grid.rows.push_back(
      {noise, "noisy input", 0, {score_of("a.png", 600), score_of("b, \"2\".png", 650)}, 0});
  grid.rows.push_back(
      {noise, "EBT", 3, {score_of("a.png", 60, 0.25), score_of("b, \"2\".png", 6, 0.75)}, 0.5});
  return grid;
}

TEST(ImageGrid, TakesMeansOverImages) {
  const ImageGrid grid = small_grid();
  const ImageRow& row = grid.rows[1];
  EXPECT_DOUBLE_EQ(row.mse(), 33);
  EXPECT_DOUBLE_EQ(row.unit_mse(), 33 / 65025.0);
  EXPECT_DOUBLE_EQ(row.psnr(), (psnr_of(60) + psnr_of(6)) / 2) << "not that of the mean";
  EXPECT_DOUBLE_EQ(row.ssim(), (1 / 61.0 + 1 / 7.0) / 2);
  EXPECT_EQ(row.energy(), 0.5);
  EXPECT_EQ(grid.rows[0].energy(), std::nullopt);
}

TEST(ImageGrid, IsATableForPeople) {
  ImageGrid grid = small_grid();
  const std::string table = grid.to_table();
  EXPECT_EQ(table.rfind("image: 2 images of 'x'\n\nnoise", 0), 0U) << table;
  EXPECT_NE(table.find("sigma 25  noisy input       -"), std::string::npos) << table;
  EXPECT_NE(table.find("          EBT               3"), std::string::npos) << table;
  EXPECT_NE(table.find("  250\n"), std::string::npos) << "milliseconds an image: " << table;
  EXPECT_EQ(table.find("not be read"), std::string::npos);
  grid.bad_images = 1;
  EXPECT_NE(grid.to_table().find("1 image could not be read, and is left out\n"),
            std::string::npos);
}

TEST(ImageGrid, IsAnObject) {
  const Json object = small_grid().to_json();
  EXPECT_EQ(object["description"], "2 images of 'x'");
  ASSERT_EQ(object["points"].size(), 2U);
  EXPECT_FALSE(object["points"][0].contains("passes"));
  EXPECT_FALSE(object["points"][0].contains("energy"));
  const Json& point = object["points"][1];
  EXPECT_EQ(point["method"], "EBT");
  EXPECT_EQ(point["passes"], 3);
  EXPECT_EQ(point["images"], 2);
  EXPECT_EQ(point["sigma"], 25);
  EXPECT_EQ(point["mse"], 33);
  EXPECT_EQ(point["energy"], 0.5);
  EXPECT_EQ(point["ms_per_image"], 250);
  ImageGrid exact = small_grid();
  exact.rows[0].scores[0] = score_of("a.png", 0);
  EXPECT_NE(exact.to_json().dump().find("\"psnr\":null"), std::string::npos);
}

TEST(ImageGrid, HasALineForEveryImageOfEveryRow) {
  std::istringstream csv(small_grid().to_csv());
  std::vector<std::string> lines;
  for (std::string line; std::getline(csv, line);) {
    lines.push_back(line);
  }
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(lines[0], "noise,method,passes,image,psnr,ssim,mse,unit_mse,energy");
  EXPECT_EQ(lines[1].rfind("sigma 25,noisy input,,a.png,20.34", 0), 0U) << lines[1];
  EXPECT_EQ(lines[1].back(), ',') << "no energy";
  EXPECT_EQ(lines[4].rfind("sigma 25,EBT,3,\"b, \"\"2\"\".png\",", 0), 0U) << lines[4];
  EXPECT_EQ(lines[4].substr(lines[4].rfind(',')), ",0.75");
}

}  // namespace
}  // namespace ebt
