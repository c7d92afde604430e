#include "ebt/io/base64.h"

#include <gtest/gtest.h>

namespace ebt {
namespace {

// The test vectors of RFC 4648.
TEST(Base64, WritesWhatTheStandardSays) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, TakesAnyByte) {
  EXPECT_EQ(base64(std::string("\0\xFF\xFE", 3)), "AP/+");
  EXPECT_EQ(base64(std::string("\xFB\xEF\xBE", 3)), "++++");
}

}  // namespace
}  // namespace ebt
