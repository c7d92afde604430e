#include "ebt/data/text/text_input.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/compressor.h"
#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::gzip;
using testing::TemporaryFolder;
using namespace std::string_view_literals;

class TextInputs : public ::testing::Test {
 protected:
  std::string format_of(const std::string& name, std::string_view bytes = "text",
                        TextFormat as = TextFormat::kAuto) {
    return enum_name(open_text_input(folder_.write(name, bytes), as).format);
  }
  // What is wrong with a file, without its folder.
  std::string refusal(const std::string& name, std::string_view bytes,
                      TextFormat as = TextFormat::kAuto) {
    return without_folder(error_text([&] { open_text_input(folder_.write(name, bytes), as); }));
  }
  // "line 1 of 'F': ..." of every record, and of what is bad; which ends it, unless `skip`.
  std::string records_of(const std::string& name, std::string_view bytes, bool skip = false) {
    TextInput input = open_text_input(folder_.write(name, bytes), TextFormat::kAuto);
    BadLines bad(skip, "; see the flag");
    std::string records;
    const auto read = [&] {
      for_each_record(input, bad, [&](const std::string& what, const nlohmann::json& object) {
        records += fmt::format("{}: {}\n", what, object.dump());
      });
    };
    std::string error = error_text(read);
    if (error != "no error") {
      records += error + "\n";
    }
    if (bad.count() > 0) {
      records += fmt::format("bad {}: {}\n", bad.count(), bad.sentences().front());
    }
    return without_folder(records);
  }
  std::string without_folder(std::string text) const {
    const std::string folder = folder_.path().string() + "/";
    for (size_t at = 0; (at = text.find(folder, at)) != std::string::npos;) {
      text.erase(at, folder.size());
    }
    return text;
  }

  TemporaryFolder folder_;
};

TEST_F(TextInputs, AreWhatTheirNamesSay) {
  for (const char* name :
       {"a.jsonl", "a.JSONL", "a.ndjson", "a.NdJson", "a.b.jsonl", "a.jsonlines"}) {
    EXPECT_EQ(format_of(name), "jsonl") << name;
    EXPECT_EQ(format_of(name + std::string(".gz"), gzip("text")), "jsonl") << name;
    EXPECT_EQ(format_of(name + std::string(".GZ"), gzip("text")), "jsonl") << name;
  }
  EXPECT_EQ(format_of("a.csv"), "csv");
  EXPECT_EQ(format_of("a.CSV.gz", gzip("text")), "csv");
  EXPECT_EQ(format_of("a.tsv"), "tsv");
  for (const char* name : {"a.txt", "a", "a.md", "jsonl", "a.jsonl.txt", "a.html", "a.csv.bak"}) {
    EXPECT_EQ(format_of(name), "text") << name;
  }
  if (testing::reads_zstd()) {
    EXPECT_EQ(format_of("a.ndjson.zst", testing::zstd("text")), "jsonl");
  }
}

TEST_F(TextInputs, WithoutATellingNameAreWhatTheyBeginWith) {
  for (const char* name : {"a.json", "part-00000", "A.JSON"}) {
    EXPECT_EQ(format_of(name, "{\"a\": \"}\\\"\\n\"}\n{\"a\": 2}\n"), "jsonl") << name;
    EXPECT_EQ(format_of(name, "\xEF\xBB\xBF{\"a\": 1}\r\n\r\n{\"a\": 2}"), "jsonl") << name;
    EXPECT_EQ(format_of(name, "\n [ {\"a\": 1},\n {\"a\": 2}]"), "jsonl") << name;
    EXPECT_EQ(format_of(name, "{\"a\": \"" + std::string(100'000, 'x') + "\"}\n{}"), "jsonl")
        << name;
    EXPECT_EQ(format_of(name, "{\"a\": 1}"), "text") << name << ": one object is a text";
    EXPECT_EQ(format_of(name, "{\n  \"a\": 1\n}\n"), "text") << name;
    EXPECT_EQ(format_of(name, "[1, 2]"), "text") << name;
    EXPECT_EQ(format_of(name, ""), "text") << name;
  }
  EXPECT_EQ(format_of("a.txt", "{\"a\": 1}\n{\"a\": 2}\n"), "text") << "its name says so";
  EXPECT_EQ(format_of("c4.json.gz", gzip("{\"a\": 1}\n{\"a\": 2}\n")), "jsonl");
}

TEST_F(TextInputs, AreWhatTheUserSays) {
  EXPECT_EQ(format_of("a.txt", "text", TextFormat::kJsonl), "jsonl");
  EXPECT_EQ(format_of("a.jsonl", "text", TextFormat::kText), "text");
  EXPECT_EQ(format_of("a.jsonl", "text", TextFormat::kCsv), "csv");
  const std::string packed = gzip("text");
  TextInput bytes = open_text_input(folder_.write("a.jsonl.gz", packed), TextFormat::kBytes);
  EXPECT_EQ(bytes.format, TextFormat::kText);
  EXPECT_EQ(bytes.bytes->peek(1000), packed);
  TextInput text = open_text_input(folder_.file("a.jsonl.gz"), TextFormat::kText);
  EXPECT_EQ(text.bytes->peek(1000), "text");
}

TEST_F(TextInputs, ThatAreNoTextAreRefusedByName) {
  EXPECT_EQ(
      refusal("a.txt", "PK\x03\x04 and so on"),
      "'a.txt' is a zip archive, not text: unpack it first, or read its bytes as they are with "
      "--as bytes");
  EXPECT_EQ(
      refusal("a.jsonl", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
      "'a.jsonl' is a Git LFS pointer, not text: fetch the file itself with 'git lfs pull', or "
      "read its bytes as they are with --as bytes");
  EXPECT_EQ(refusal("a.txt", "\x89PNG\r\n\x1a\n"),
            "'a.txt' is a PNG image, not text: read its bytes as they are with --as bytes");
  EXPECT_EQ(
      refusal("a.csv",
              "\xff\xfe"
              "a\0"sv),
      "'a.csv' is UTF-16 text, not text: convert it to UTF-8, as with 'iconv -t UTF-8', or read "
      "its bytes as they are with --as bytes");
  EXPECT_EQ(
      refusal("a.tar.gz", gzip(std::string(257, 'x') + "ustar")),
      "'a.tar.gz' holds a tar archive, not text: unpack it: a folder of files is read, or read "
      "its bytes as they are with --as bytes");
  EXPECT_EQ(refusal("a.gz", gzip(gzip("text"))).substr(0, 34),
            "'a.gz' holds a gzip file, not text");
  EXPECT_EQ(
      refusal("a.jsonl.gz", "{\"text\": \"a\"}\n"),
      "'a.jsonl.gz' is named as a compressed file and is none: rename it, or read its bytes as "
      "they are with --as bytes");
  EXPECT_EQ(refusal("a.bin", "PK\x03\x04", TextFormat::kBytes), "no error");
  EXPECT_EQ(refusal("a.html", "<!DOCTYPE html><p>text"), "no error");
}

TEST_F(TextInputs, OfAFolderAreOpenedInOrder) {
  folder_.write("in/b.txt", "b");
  folder_.write("in/a/deep.jsonl", "{}");
  folder_.write("in/.hidden.zip", "PK\x03\x04");
  std::string opened;
  const auto read = [&] {
    for_each_text_input(folder_.file("in"), TextFormat::kAuto,
                        [&](TextInput& input, const std::string& /*path*/) {
                          opened += without_folder(input.name) + enum_name(input.format) + " ";
                        });
  };
  read();
  EXPECT_EQ(opened, "'in/a/deep.jsonl'jsonl 'in/b.txt'text ");
  folder_.write("in/c.zip", "PK\x03\x04");
  EXPECT_EQ(without_folder(error_text(read)),
            "'in/c.zip' is a zip archive, not text: unpack it first, or read its bytes as they are "
            "with --as bytes");
  std::filesystem::create_symlink("nowhere", folder_.path() / "in/d.txt");
  EXPECT_TRUE(without_folder(error_text(read))
                  .ends_with("--as bytes; 1 more files of 'in' cannot be read as text either"))
      << error_text(read);
  std::filesystem::remove(folder_.path() / "in/c.zip");
  EXPECT_EQ(without_folder(error_text(read)), "cannot read 'in/d.txt': No such file or directory");
}

TEST_F(TextInputs, HaveRecordsOfOneLineEach) {
  EXPECT_EQ(records_of("a.jsonl", "{\"a\": 1}\r\n\n \t\n{\"a\": \"\\u00e9\"}"),
            "line 1 of 'a.jsonl': {\"a\":1}\nline 4 of 'a.jsonl': {\"a\":\"é\"}\n");
  EXPECT_EQ(records_of("a.jsonl", ""), "");
}

TEST_F(TextInputs, HaveRecordsOfOneArray) {
  EXPECT_EQ(records_of("a.json", " [{\"a\": \"],}\\\"\"}\n,{\"b\": [1, {}]} ]\n"),
            "object 1 of 'a.json': {\"a\":\"],}\\\"\"}\nobject 2 of 'a.json': {\"b\":[1,{}]}\n");
  EXPECT_EQ(records_of("a.json", "[{\"a\": 1}, 2, {\"a\": NaN}, {\"a\": 3}]", true),
            "object 1 of 'a.json': {\"a\":1}\nobject 4 of 'a.json': {\"a\":3}\n"
            "bad 2: object 2 of 'a.json' is not a JSON object\n");
  EXPECT_EQ(records_of("a.json", "[{\"a\": 1}, {\"a\""),
            "object 1 of 'a.json': {\"a\":1}\n'a.json' is truncated: its array has no end\n");
  EXPECT_EQ(records_of("a.json", "[{\"a\": 1}] {\"a\": 2}"),
            "'a.json' is not valid JSON: something stands behind its array\n");
}

TEST_F(TextInputs, HaveRecordsOfTables) {
  EXPECT_EQ(records_of("a.csv", "\xEF\xBB\xBFid,text\r\n1,\"one,\ntwo\"\r\n2,three\r\n"),
            "line 2 of 'a.csv': {\"id\":\"1\",\"text\":\"one,\\ntwo\"}\n"
            "line 4 of 'a.csv': {\"id\":\"2\",\"text\":\"three\"}\n");
  EXPECT_EQ(records_of("a.tsv", "id\ttext\n1\tone, two\n"),
            "line 2 of 'a.tsv': {\"id\":\"1\",\"text\":\"one, two\"}\n");
  EXPECT_EQ(records_of("a.csv", "id,text\n1\n2,b,c\n3,\"x\n", true),
            "bad 3: line 2 of 'a.csv' has 1 fields, and the first line names 2\n");
  EXPECT_EQ(records_of("a.csv", "id,id\n"), "line 1 of 'a.csv' names the column \"id\" twice\n");
  EXPECT_EQ(records_of("a.csv", "id,text\n1,caf\xe9\n"),
            "line 2 of 'a.csv' is not UTF-8: convert it, as with 'iconv -t UTF-8'; see the flag\n"
            "");
}

TEST_F(TextInputs, NameTheirBadLinesAndCountThem) {
  const std::string good = "{\"a\": 1}\n";
  const std::string seen = "line 1 of 'a.jsonl': {\"a\":1}\n";
  for (const char* bad :
       {"{\"a\": NaN}", "{\"a\": \"\\ud800\"}", "{\"a\": \"\xff\"}", "[1]", "{\"a\": 1", "text"}) {
    const std::string text = good + bad + "\n" + good;
    EXPECT_TRUE(records_of("a.jsonl", text).starts_with(seen + "line 2 of 'a.jsonl' is not "))
        << bad;
    EXPECT_TRUE(records_of("a.jsonl", text).ends_with("; see the flag\n")) << bad;
    EXPECT_TRUE(records_of("a.jsonl", text, true)
                    .starts_with(seen + "line 3 of 'a.jsonl': {\"a\":1}\nbad 1: line 2 of "))
        << bad;
  }
}

// What cannot be read at all is no bad line.
TEST_F(TextInputs, ThatAreCutOffAreNotPassedOver) {
  std::string lines;
  for (int i = 0; i < 20'000; ++i) {
    lines += "{\"a\": " + std::to_string(i) + "}\n";
  }
  std::string packed = gzip(lines);
  packed.resize(packed.size() - 1);
  EXPECT_TRUE(
      records_of("a.jsonl.gz", packed, true)
          .ends_with("'a.jsonl.gz' is truncated: the end of its compressed bytes is missing\n"));
}

}  // namespace
}  // namespace ebt
