#include "ebt/data/text/corpus.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/support/compressor.h"
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
  return error_text([&] { Corpus::open({path, "text"}); });
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
  const Corpus corpus = Corpus::open({folder.write("f.txt", "some text\n")});
  ASSERT_EQ(corpus.documents().size(), 1U);
  EXPECT_EQ(text_of(corpus), "some text\n");
}

TEST(Corpus, ReadsAnyBytes) {
  const TemporaryFolder folder;
  const std::string bytes("\0\xff\xfe\n\r", 5);
  EXPECT_EQ(Corpus::open({folder.write("f.bin", bytes)}).documents()[0], bytes);
}

TEST(Corpus, ReadsLargeFiles) {
  const TemporaryFolder folder;
  std::string text(1'000'000, 'x');
  text[654'321] = 'y';
  EXPECT_EQ(Corpus::open({folder.write("f", text)}).documents()[0], text);
}

TEST(Corpus, ReadsAFolderInTheOrderOfPaths) {
  const TemporaryFolder folder;
  folder.write("b.txt", "second");
  folder.write("a/z/deep", "first");
  folder.write("c.JSONL", "{\"text\": \"third\"}\n{\"text\": \"fourth\"}\n");
  folder.write("c.txt.gz", testing::gzip("fifth"));
  folder.write("d", std::string(100'000, 'd'));
  const Corpus corpus = Corpus::open({folder.path().string()});
  ASSERT_EQ(corpus.documents().size(), 6U);
  EXPECT_EQ(text_of(corpus).substr(0, 32), "first|second|third|fourth|fifth|");
  EXPECT_EQ(corpus.documents()[5].size(), 100'000U);
  EXPECT_EQ(corpus.summary().files, 5);
  EXPECT_EQ(corpus.summary().documents, 6);
  EXPECT_EQ(corpus.summary().bytes, 100'027);
}

TEST(Corpus, SkipsHiddenEmptyAndSpecialFiles) {
  const TemporaryFolder folder;
  folder.write("text", "text");
  folder.write("empty", "");
  folder.write(".hidden", "hidden");
  folder.write(".git/config", "hidden");
  std::filesystem::create_directory_symlink(folder.path(), folder.path() / "loop");
  EXPECT_EQ(text_of(Corpus::open({folder.path().string()})), "text");
}

TEST(Corpus, ReadsJsonLines) {
  const TemporaryFolder folder;
  const std::string path = folder.write("f.jsonl",
                                        "{\"id\": 1, \"body\": \"one\\nl\\u00edne\"}\r\n"
                                        "\n"
                                        "{\"body\": \"\"}\n"
                                        "{\"body\": \"two\"}");
  const Corpus corpus = Corpus::open({path, "body"});
  EXPECT_EQ(text_of(corpus), "one\nlíne|two");
}

TEST(Corpus, NamesTheLineThatIsNotJson) {
  const TemporaryFolder folder;
  const std::string good = "{\"text\": \"a\"}\n";
  const std::string hint = "; --skip-bad-lines passes over such lines";
  const auto with_second_line = [&](const std::string& line) {
    return folder.write("f.jsonl", good + line + "\n" + good);
  };
  const std::string path = with_second_line("{\"text\": \"b}");
  EXPECT_EQ(opening_error(path), "line 2 of '" + path +
                                     "' is not valid JSON: column 13: syntax error while parsing "
                                     "value - invalid string: missing closing quote" +
                                     hint);
  with_second_line("[\"b\"]");
  EXPECT_EQ(opening_error(path), "line 2 of '" + path + "' is not a JSON object" + hint);
  with_second_line("{\"body\": \"b\"}");
  EXPECT_EQ(opening_error(path),
            "line 2 of '" + path +
                "' has no field 'text' among \"body\": --text-field names the one with "
                "the text" +
                hint);
  with_second_line("{\"text\": 3}");
  EXPECT_EQ(opening_error(path),
            "line 2 of '" + path + "' has a field 'text' that is not a string" + hint);
}

TEST(Corpus, PassesOverBadLinesWhereItIsAskedTo) {
  const TemporaryFolder folder;
  TextSource source{folder.write("f.jsonl",
                                 "{\"text\": \"a\"}\n{\"text\": NaN}\n{}\n"
                                 "{\"text\": \"b\"}\n")};
  source.skip_bad_lines = true;
  ::testing::internal::CaptureStderr();
  const Corpus corpus = Corpus::open(source);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(text_of(corpus), "a|b");
  EXPECT_EQ(corpus.summary().bad_lines, 2);
  EXPECT_NE(said.find("passed over: line 2 of '" + source.data), std::string::npos) << said;
  EXPECT_NE(said.find("2 bad lines were passed over"), std::string::npos) << said;
  folder.write("f.jsonl", "{\"body\": \"a\"}\n");
  EXPECT_EQ(error_text([&] { Corpus::open(source); }),
            "'" + source.data + "' is empty: there is no text to read, for line 1 of '" +
                source.data +
                "' has no field 'text' among \"body\": --text-field names the one with the text");
}

TEST(Corpus, ReadsAColumnOfATable) {
  const TemporaryFolder folder;
  const std::string path = folder.write("f.csv", "id,body\n1,\"one\nline\"\n2,two\n");
  EXPECT_EQ(text_of(Corpus::open({path, "body"})), "one\nline|two");
  TextSource as_text{path};
  as_text.as = TextFormat::kText;
  EXPECT_EQ(text_of(Corpus::open(as_text)), "id,body\n1,\"one\nline\"\n2,two\n");
}

TEST(Corpus, RefusesATableWithoutTheColumnWhetherOrNotBadLinesArePassedOver) {
  const TemporaryFolder folder;
  TextSource source{folder.write("f.csv", "id,body\n1,one\n2,two\n")};
  for (const bool skip : {false, true}) {
    source.skip_bad_lines = skip;
    EXPECT_EQ(
        error_text([&] { Corpus::open(source); }),
        "line 2 of '" + source.data +
            "' has no field 'text' among \"body\", \"id\": --text-field names the one with the "
            "text");
  }
}

TEST(Corpus, RefusesALinkToNothing) {
  const TemporaryFolder folder;
  folder.write("text", "text");
  std::filesystem::create_symlink("nowhere", folder.path() / "dangling");
  EXPECT_EQ(opening_error(folder.path().string()),
            "cannot read '" + folder.file("dangling") + "': No such file or directory");
}

TEST(Corpus, ReadsTheCmakeManualWithoutAPath) {
  const Corpus corpus = Corpus::open({""});
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
  for (const std::string& path :
       {folder.write("a/f", ""), folder.file("a"), folder.write("f.csv", ""),
        folder.write("g.csv", "text\n"), folder.write("f.jsonl", "\n{\"text\": \"\"}\n")}) {
    EXPECT_EQ(opening_error(path), "'" + path + "' is empty: there is no text to read");
  }
}

}  // namespace
}  // namespace ebt
