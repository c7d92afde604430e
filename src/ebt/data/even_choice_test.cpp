#include "ebt/data/even_choice.h"

#include <gtest/gtest.h>

namespace ebt {
namespace {

TEST(SpreadPlaces, CoverTheWholeEvenly) {
  EXPECT_EQ(spread_place(0, 3, 9), 0);
  EXPECT_EQ(spread_place(1, 3, 9), 3);
  EXPECT_EQ(spread_place(2, 3, 9), 6);
  EXPECT_EQ(limited(0, 9), 9);
  EXPECT_EQ(limited(20, 9), 9);
  EXPECT_EQ(limited(2, 9), 2);
}

TEST(EvenChoice, TakesOfTheFirstAsManyAsTheirShareDemands) {
  EXPECT_EQ(choose_evenly(2, 5), (std::vector<bool>{false, false, true, false, true}));
  EXPECT_EQ(choose_evenly(0, 2), (std::vector<bool>{false, false}));
  EXPECT_EQ(choose_evenly(2, 2), (std::vector<bool>{true, true}));
}

}  // namespace
}  // namespace ebt
