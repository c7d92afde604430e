#include "ebt/data/notation.h"

#include <gtest/gtest.h>

#include "tests/support/error_text.h"

namespace ebt {
namespace {

using testing::error_text;

TEST(Notation, OfExtentsIsRowsTimesColumns) {
  const Extents extents = parse_extents("--boxes", "2x13");
  EXPECT_EQ(extents.rows, 2);
  EXPECT_EQ(extents.columns, 13);
  for (const char* text :
       {"", "x", "2x", "x3", "2X3", "2x3x4", "-2x3", "0x3", "2 x 3", "2x9999999"}) {
    EXPECT_EQ(error_text([&] { parse_extents("--boxes", text); }),
              fmt::format("--boxes: \"{}\" is not rows x columns, as 2x3", text));
  }
}

TEST(Notation, OfARangeMayBeOneNumber) {
  EXPECT_EQ(parse_range("--holes", "6-16").least, 6);
  EXPECT_EQ(parse_range("--holes", "6-16").most, 16);
  EXPECT_EQ(parse_range("--holes", "20").least, 20);
  EXPECT_EQ(parse_range("--holes", "20").most, 20);
  for (const char* text : {"", "-", "6-", "-6", "6--7", "6-7-8", "six", "99999999999999999999"}) {
    EXPECT_EQ(error_text([&] { parse_range("--holes", text); }),
              fmt::format("--holes: \"{}\" is neither a number nor a range, as 6-16", text));
  }
  EXPECT_EQ(error_text([] { parse_range("--holes", "16-6"); }),
            "--holes: the range 16-6 ends before it begins");
}

}  // namespace
}  // namespace ebt
