#include "ebt/report/shell.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "ebt/io/file.h"
#include "ebt/report/markup.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

TEST(Shell, LeavesPlainWordsAsTheyAre) {
  EXPECT_EQ(shell_word("models/book-2.bin"), "models/book-2.bin");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("~"), "'~'");
}

TEST(Shell, ReadsEveryWordBack) {
  const testing::TemporaryFolder folder;
  std::string every_byte;
  for (int byte = 1; byte < 256; ++byte) {
    every_byte += static_cast<char>(byte);
  }
  for (const std::string& word :
       {std::string("it's"), std::string("$HOME `id` \"x\" \\ ! * ?"), std::string("--flag"),
        std::string("two\nlines\ttab\r"), std::string("na\u00EFve \u65E5\u672C"),
        std::string("\xFF\x80"), std::string("\u202Eturned"), std::string("#no comment; &"),
        every_byte}) {
    const std::string text = shell_word(word);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_EQ(shown_text(text), text);
    const std::string script = folder.write("script", "printf %s " + text);
    const std::string out = folder.file("out");
    ASSERT_EQ(std::system(("bash " + script + " >" + out).c_str()), 0) << text;
    EXPECT_EQ(read_text_file(out, 1000), word) << text;
  }
}

TEST(Shell, FlagsAreWhatDiffersFromTheUsual) {
  const Json usual = {
      {"steps", 4}, {"scale", 0.1}, {"detach", true}, {"trace", false}, {"name", ""}};
  EXPECT_EQ(shell_flags(usual, usual), "");
  const Json chosen = {
      {"steps", -5}, {"scale", 0.1}, {"detach", false}, {"trace", true}, {"name", "a b"}};
  EXPECT_EQ(shell_flags(chosen, usual), " --steps=-5 --no-detach --trace --name 'a b'");
}

}  // namespace
}  // namespace ebt
