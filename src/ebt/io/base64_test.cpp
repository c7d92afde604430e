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

TEST(Base64, IsReadAsItIsWritten) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(from_base64(base64(bytes)), bytes) << i;
    bytes += static_cast<char>(i * 7);
  }
}

TEST(Base64, RefusesWhatItNeverWrites) {
  for (const char* text :
       {"Z", "Zg", "Zg=", "Zm9", "Zg==Zg==", "Z===", "====", "=m9v", "Zm=v", "Zg= ", "Zm9v\n",
        "Zm 9", "Zm9v!AAA", "Zm-v", "Zm_v", "Zh==", "Zm9=", "\xffm9v"}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace ebt
