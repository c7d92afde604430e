#include "ebt/core/printable.h"

#include <gtest/gtest.h>

#include <string>

namespace ebt {
namespace {

TEST(Printable, LeavesOrdinaryTextAsItIs) {
  for (const char* text : {"", "book.txt", "größe/本.txt", "C:\\x\\new", "\\d+\\x{20}", "\\x41"}) {
    EXPECT_EQ(escape_bytes(text), text);
    EXPECT_EQ(unescape_bytes(text), text);
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, ShowsBytesThatAreNoUtf8) {
  EXPECT_EQ(escape_bytes("a\xff\xfe/\xc3\xa9\xc3"), "a\\xff\\xfe/\xc3\xa9\\xc3");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

TEST(Printable, GivesBackTheSameBytes) {
  for (const std::string bytes : {"\xff", "\\xff", "\\x5c", "\\\\xff\xff", "\\x5cxff", "\\x",
                                  "\\xf", "\\xFF", "\xe2\x80", "a\\x80\xe2\x80\x94"}) {
    EXPECT_EQ(unescape_bytes(escape_bytes(bytes)), bytes) << escape_bytes(bytes);
  }
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all.push_back(static_cast<char>(byte));
  }
  EXPECT_EQ(unescape_bytes(escape_bytes(all)), all);
}

TEST(Printable, IsOneLineThatATerminalDoesNotObey) {
  EXPECT_EQ(printable("a\nb\x1b[31m\x7f"), "a\\nb\\x1b[31m\\x7f");
}

}  // namespace
}  // namespace ebt
