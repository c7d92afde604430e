#include "lab/fact_table.h"

#include <gtest/gtest.h>

namespace ebt {
namespace {

std::vector<Fact> listed(std::span<const Fact> facts) { return {facts.begin(), facts.end()}; }

TEST(FactTable, FindsTheFactsOfAHeadAndOfARelation) {
  const FactTable table({{7, 1, 3}, {2, 0, 9}, {7, 0, 4}, {7, 1, 2}});
  EXPECT_EQ(table.facts(), (std::vector<Fact>{{2, 0, 9}, {7, 0, 4}, {7, 1, 2}, {7, 1, 3}}));
  EXPECT_EQ(listed(table.of(7)), (std::vector<Fact>{{7, 0, 4}, {7, 1, 2}, {7, 1, 3}}));
  EXPECT_EQ(listed(table.of(7, 1)), (std::vector<Fact>{{7, 1, 2}, {7, 1, 3}}));
  EXPECT_TRUE(table.of(7, 2).empty());
  EXPECT_TRUE(table.of(3).empty());
  EXPECT_TRUE(table.contains({2, 0, 9}));
  EXPECT_FALSE(table.contains({2, 0, 8}));
  EXPECT_EQ(table.heads(), (std::vector<int32_t>{2, 7}));
}

TEST(FactTable, KeepsWhatStandsThereTwice) {
  const FactTable table({{1, 1, 1}, {0, 0, 0}, {1, 1, 1}});
  EXPECT_EQ(table.of(1).size(), 2U);
}

TEST(FactTable, MayBeEmpty) {
  EXPECT_TRUE(FactTable().of(0).empty());
  EXPECT_TRUE(FactTable().heads().empty());
}

}  // namespace
}  // namespace ebt
