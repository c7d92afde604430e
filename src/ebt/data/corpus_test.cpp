#include "ebt/data/corpus.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::TemporaryFolder;

// The documents with a bar between them.
std::string text_of(const Corpus& corpus) {
  return fmt::format("{}", fmt::join(corpus.documents(), "|"));
}

std::string opening_error(const std::string& path) {
  return error_text([&] { Corpus::open(path, "text"); });
}

// Sets a variable of the environment as long as it lives.
class Environment {
 public:
  Environment(std::string name, const std::string& value) : name_(std::move(name)) {
    old_ = getenv(name_.c_str());
    setenv(name_.c_str(), value.c_str(), 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { setenv(name_.c_str(), old_.c_str(), 1); }

 private:
  std::string name_;
  std::string old_;
};

TEST(Corpus, ReadsAFileAsOneDocument) {
  const TemporaryFolder folder;
  const Corpus corpus = Corpus::open(folder.write("f.txt", "some text\n"), "text");
  ASSERT_EQ(corpus.documents().size(), 1U);
  EXPECT_EQ(text_of(corpus), "some text\n");
}

TEST(Corpus, ReadsAnyBytes) {
  const TemporaryFolder folder;
  const std::string bytes("\0\xff\xfe\n\r", 5);
  EXPECT_EQ(Corpus::open(folder.write("f.bin", bytes), "text").documents()[0], bytes);
}

TEST(Corpus, ReadsLargeFiles) {
  const TemporaryFolder folder;
  std::string text(1'000'000, 'x');
  text[654'321] = 'y';
  EXPECT_EQ(Corpus::open(folder.write("f", text), "text").documents()[0], text);
}

TEST(Corpus, ReadsAFolderInTheOrderOfPaths) {
  const TemporaryFolder folder;
  folder.write("b.txt", "second");
  folder.write("a/z/deep", "first");
  folder.write("c.jsonl", "not JSON, and that is fine");
  folder.write("d", std::string(100'000, 'd'));
  const Corpus corpus = Corpus::open(folder.path().string(), "text");
  ASSERT_EQ(corpus.documents().size(), 4U);
  EXPECT_EQ(corpus.documents()[0], "first");
  EXPECT_EQ(corpus.documents()[1], "second");
  EXPECT_EQ(corpus.documents()[2], "not JSON, and that is fine");
  EXPECT_EQ(corpus.documents()[3].size(), 100'000U);
}

TEST(Corpus, SkipsHiddenEmptyAndSpecialFiles) {
  const TemporaryFolder folder;
  folder.write("text", "text");
  folder.write("empty", "");
  folder.write(".hidden", "hidden");
  folder.write(".git/config", "hidden");
  std::filesystem::create_directory_symlink(folder.path(), folder.path() / "loop");
  std::filesystem::create_symlink("nowhere", folder.path() / "dangling");
  EXPECT_EQ(text_of(Corpus::open(folder.path().string(), "text")), "text");
}

TEST(Corpus, ReadsJsonLines) {
  const TemporaryFolder folder;
  const std::string path = folder.write("f.jsonl",
                                        "{\"id\": 1, \"body\": \"one\\nl\\u00edne\"}\r\n"
                                        "\n"
                                        "{\"body\": \"\"}\n"
                                        "{\"body\": \"two\"}");
  const Corpus corpus = Corpus::open(path, "body");
  EXPECT_EQ(text_of(corpus), "one\nlíne|two");
}

TEST(Corpus, NamesTheLineThatIsNotJson) {
  const TemporaryFolder folder;
  const std::string good = "{\"text\": \"a\"}\n";
  const auto with_second_line = [&](const std::string& line) {
    return folder.write("f.jsonl", good + line + "\n" + good);
  };
  const std::string path = with_second_line("{\"text\": \"b}");
  EXPECT_EQ(opening_error(path), "line 2 of '" + path +
                                     "' is not valid JSON: column 13: syntax error while parsing "
                                     "value - invalid string: missing closing quote");
  with_second_line("[\"b\"]");
  EXPECT_EQ(opening_error(path), "line 2 of '" + path + "' is not a JSON object");
  with_second_line("{\"body\": \"b\"}");
  EXPECT_EQ(
      opening_error(path),
      "line 2 of '" + path + "' has no field 'text': --text-field names the one with the text");
  with_second_line("{\"text\": 3}");
  EXPECT_EQ(opening_error(path),
            "line 2 of '" + path + "' has a field 'text' that is not a string");
}

TEST(Corpus, ReadsTheCmakeManualWithoutAPath) {
  const Corpus corpus = Corpus::open("", "text");
  EXPECT_GT(corpus.documents()[0].size(), 1'000'000U);
  EXPECT_NE(corpus.documents()[0].find("add_executable"), std::string_view::npos);
}

TEST(Corpus, SaysThatCmakeIsMissing) {
  const Environment path("PATH", "/nowhere");
  EXPECT_EQ(opening_error(""),
            "without --data the corpus is the manual that 'cmake --help-full' prints, and that "
            "failed: install cmake or name a corpus");
}

TEST(Corpus, SaysThatItIsMissing) {
  EXPECT_EQ(opening_error("/nowhere/f"), "cannot read '/nowhere/f': No such file or directory");
  EXPECT_EQ(opening_error("/nowhere/f.jsonl"),
            "cannot read '/nowhere/f.jsonl': No such file or directory");
}

TEST(Corpus, SaysThatItIsEmpty) {
  const TemporaryFolder folder;
  for (const std::string& path : {folder.write("a/f", ""), folder.file("a"),
                                  folder.write("f.jsonl", "\n{\"text\": \"\"}\n")}) {
    EXPECT_EQ(opening_error(path), "'" + path + "' is empty: there is no text to read");
  }
}

}  // namespace
}  // namespace ebt
