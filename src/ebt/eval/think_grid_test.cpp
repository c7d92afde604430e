#include "ebt/eval/think_grid.h"

#include <gtest/gtest.h>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

TEST(ThinkGrid, IsEveryCombination) {
  ThinkOptions base;
  base.langevin_noise = 3;
  const std::vector<ThinkOptions> all = ThinkGrid{"1,2,8", "1,4", "0,0.5"}.options(base);
  ASSERT_EQ(all.size(), 12U);
  EXPECT_EQ(all[0].steps, 1);
  EXPECT_EQ(all[1].steps, 2);
  EXPECT_EQ(all[3].stop_change, 0.5);
  EXPECT_EQ(all[5].candidates, 1);
  EXPECT_EQ(all[11].steps, 8);
  EXPECT_EQ(all[11].candidates, 4);
  EXPECT_EQ(all[11].stop_change, 0.5);
  for (const ThinkOptions& one : all) {
    EXPECT_EQ(one.langevin_noise, 3);
  }
}

TEST(ThinkGrid, OfNothingIsTheBase) {
  ThinkOptions base;
  base.steps = 5;
  base.candidates = 2;
  const std::vector<ThinkOptions> one = ThinkGrid{}.options(base);
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].steps, 5);
  EXPECT_EQ(one[0].candidates, 2);
}

TEST(ThinkGrid, RefusesWhatIsNoListOfValues) {
  const auto error_of = [](const ThinkGrid& grid) { return error_text([&] { grid.options({}); }); };
  EXPECT_EQ(error_of({"1,,2", "", ""}),
            "--grid must be whole numbers from 1 with commas between them, not '1,,2'");
  EXPECT_EQ(error_of({"0", "", ""}),
            "--grid must be whole numbers from 1 with commas between them, not '0'");
  EXPECT_EQ(error_of({"1,2,1", "", ""}), "--grid repeats the value 1");
  EXPECT_EQ(error_of({"", "2.5", ""}),
            "--candidates-grid must be whole numbers from 1 with commas between them, not '2.5'");
  EXPECT_EQ(error_of({"", "", "0.1,"}),
            "--stop-grid must be numbers from 0 with commas between them, not '0.1,'");
  EXPECT_EQ(error_of({"", "", "nan"}),
            "--stop-grid must be numbers from 0 with commas between them, not 'nan'");
  EXPECT_EQ(error_of({"", "5000", ""}), "candidates: 5000 is not a whole number from 1 to 1024");
}

}  // namespace
}  // namespace ebt
