#include "ebt/data/answers/gaps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

using Known = std::vector<uint8_t>;

Known gaps_of(const GapConfig& config, uint64_t number, Known known = Known(100, 1)) {
  RandomDraws draws({3, RandomPurpose::kGaps, number});
  draw_gaps(config, draws, known);
  return known;
}

int64_t asked(const Known& known) { return std::count(known.begin(), known.end(), 0); }

// Places where a gap begins.
int64_t starts(const Known& known) {
  int64_t count = 0;
  for (size_t i = 0; i < known.size(); ++i) {
    count += known[i] == 0 && (i == 0 || known[i - 1] != 0) ? 1 : 0;
  }
  return count;
}

TEST(Gaps, AreTheShareThatWasDrawn) {
  int64_t least = 100;
  int64_t most = 0;
  for (uint64_t i = 0; i < 300; ++i) {
    const int64_t count = asked(gaps_of({GapKind::kMixed, 0.2, 0.6, 5}, i));
    least = std::min(least, count);
    most = std::max(most, count);
  }
  EXPECT_GE(least, 20);
  EXPECT_LT(least, 24);
  EXPECT_LE(most, 60);
  EXPECT_GT(most, 56);
}

TEST(Gaps, OfSpansAreFewerThanScatteredOnes) {
  int64_t in_spans = 0;
  int64_t scattered = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    in_spans += starts(gaps_of({GapKind::kSpans, 0.3, 0.3, 10}, i));
    scattered += starts(gaps_of({GapKind::kScattered, 0.3, 0.3, 10}, i));
  }
  EXPECT_LT(in_spans, 500) << "3 spans of 10 on average, some cut";
  EXPECT_GT(scattered, 1800) << "30 characters, 0.7 of them behind a known one";
}

TEST(Gaps, AskForAtLeastOneTokenAndForNoneThatIsNotThere) {
  EXPECT_EQ(asked(gaps_of({GapKind::kSpans, 0, 0, 5}, 1)), 1);
  EXPECT_EQ(asked(gaps_of({GapKind::kMixed, 1, 1, 5}, 1)), 100);
  EXPECT_EQ(gaps_of({}, 1, {}), Known());
  EXPECT_EQ(gaps_of({GapKind::kSpans, 0, 0, 5}, 1, {0, 0, 1}), (Known{0, 0, 0}));
}

TEST(Gaps, RefuseSharesThatCannotBe) {
  EXPECT_EQ(testing::error_text([] {
              GapConfig{GapKind::kMixed, 0.6, 0.5, 8}.check();
            }),
            "--gap-least: 0.6 is more than --gap-most 0.5");
  EXPECT_EQ(testing::error_text([] {
              GapConfig{GapKind::kMixed, 0.1, 1.5, 8}.check();
            }),
            "--gap-most: 1.5 is not between 0 and 1");
  EXPECT_EQ(testing::error_text([] {
              GapConfig{GapKind::kMixed, 0.1, 0.5, 0}.check();
            }),
            "--gap-span: 0 is not between 1 and 10000");
}

}  // namespace
}  // namespace ebt
