#include "ebt/data/corpus.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "ebt/data/tokenizer.h"
#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::TemporaryFolder;

std::string text_of(const TokenSequence& tokens) {
  std::string text;
  for (int64_t i = 0; i < tokens.size(); ++i) {
    const int32_t token = tokens.token(i);
    text.push_back(token == byte_tokenizer()->document_separator() ? '|'
                                                                   : static_cast<char>(token));
  }
  return text;
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
  EXPECT_EQ(text_of(corpus.tokens()), "some text\n");
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
  EXPECT_EQ(text_of(Corpus::open(folder.path().string(), "text").tokens()), "text");
}

TEST(Corpus, ReadsJsonLines) {
  const TemporaryFolder folder;
  const std::string path = folder.write("f.jsonl",
                                        "{\"id\": 1, \"body\": \"one\\nl\\u00edne\"}\r\n"
                                        "\n"
                                        "{\"body\": \"\"}\n"
                                        "{\"body\": \"two\"}");
  const Corpus corpus = Corpus::open(path, "body");
  EXPECT_EQ(text_of(corpus.tokens()), "one\nlíne|two");
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
  EXPECT_GT(corpus.tokens().size(), 1'000'000);
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

TEST(Corpus, OfOneTokenIsTooShort) {
  const TemporaryFolder folder;
  const std::string path = folder.write("f", "a");
  EXPECT_EQ(error_text([&] { Corpus::open(path, "text").tokens(); }),
            "'" + path + "' is too short: one token leaves nothing to predict");
}

TEST(Corpus, OutlivedByItsTokens) {
  const TemporaryFolder folder;
  TokenSequence tokens;
  {
    const Corpus corpus = Corpus::open(folder.write("f.jsonl", R"({"text": "text"})"), "text");
    tokens = Corpus(corpus).tokens();
  }
  EXPECT_EQ(text_of(tokens), "text");
}

// ---- The split.

TEST(CorpusSplit, TakesTheLastPartOfFewDocuments) {
  const TemporaryFolder folder;
  folder.write("a", "0123456");
  folder.write("b", "789");
  const CorpusSplit split = Corpus::open(folder.path().string(), "text").split(0.2, 1);
  EXPECT_EQ(text_of(split.training), "0123456|7");
  EXPECT_EQ(text_of(split.validation), "89");
}

TEST(CorpusSplit, CutsBetweenDocumentsWithoutASeparator) {
  const TemporaryFolder folder;
  folder.write("a", "01");
  folder.write("b", "23");
  const CorpusSplit split = Corpus::open(folder.path().string(), "text").split(0.5, 1);
  EXPECT_EQ(text_of(split.training), "01");
  EXPECT_EQ(text_of(split.validation), "23");
}

TEST(CorpusSplit, TakesWholeDocumentsSpreadOverMany) {
  const TemporaryFolder folder;
  for (char name = 'a'; name < 'a' + 20; ++name) {
    folder.write(std::string(1, name), std::string(3, name));
  }
  const CorpusSplit split = Corpus::open(folder.path().string(), "text").split(0.1, 1);
  EXPECT_EQ(text_of(split.validation), "eee|ooo");
  EXPECT_EQ(split.training.size(), 18 * 4 - 1);
  EXPECT_EQ(text_of(split.training).find("eee"), std::string::npos);
}

TEST(CorpusSplit, KeepsTheShareByBytes) {
  const TemporaryFolder folder;
  std::string lines;
  size_t total = 0;
  for (size_t i = 0; i < 300; ++i) {
    const size_t length = 1 + i * 7919 % 1000 * (i % 50 == 0 ? 20 : 1);
    total += length;
    lines += fmt::format("{{\"text\": \"{}\"}}\n", std::string(length, 'x'));
  }
  const Corpus corpus = Corpus::open(folder.write("f.jsonl", lines), "text");
  for (const double share : {0.05, 0.1, 0.5, 0.9}) {
    const auto wanted = share * static_cast<double>(total);
    EXPECT_NEAR(static_cast<double>(corpus.split(share, 1).validation.size()), wanted, 10'500.0);
  }
}

TEST(CorpusSplit, SetsNothingAsideForAShareOfZero) {
  const TemporaryFolder folder;
  const CorpusSplit split = Corpus::open(folder.write("f", "0123"), "text").split(0.0, 3);
  EXPECT_EQ(text_of(split.training), "0123");
  EXPECT_EQ(split.validation.size(), 0);
}

TEST(CorpusSplit, RefusesAnImpossibleShare) {
  const TemporaryFolder folder;
  const Corpus corpus = Corpus::open(folder.write("f", "0123"), "text");
  for (const char* share : {"1", "-0.1", "nan"}) {
    EXPECT_EQ(
        error_text([&] { corpus.split(std::strtod(share, nullptr), 1); }),
        std::string("the share kept for validation must be at least 0 and below 1, not ") + share);
  }
}

TEST(CorpusSplit, RefusesPartsThatAreTooShort) {
  const TemporaryFolder folder;
  const std::string path = folder.write("f", "0123456789");
  const Corpus corpus = Corpus::open(path, "text");
  EXPECT_EQ(error_text([&] { corpus.split(0.2, 1); }), "no error");
  EXPECT_EQ(error_text([&] { corpus.split(0.2, 2); }),
            "'" + path +
                "' is too short: its validation part, with 0.2 of it kept for validation, has 2 "
                "tokens, and a context of 2 needs at least 3");
  EXPECT_EQ(error_text([&] { corpus.split(0.2, 8); }),
            "'" + path +
                "' is too short: its training part, with 0.2 of it kept for validation, has 8 "
                "tokens, and a context of 8 needs at least 9");
}

}  // namespace
}  // namespace ebt
