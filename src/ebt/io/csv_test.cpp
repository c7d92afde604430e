#include "ebt/io/csv.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

// The rows of a table: their lines, and their fields or what is wrong with them.
std::string rows_of(const std::string& text, char separator = ',', size_t most_bytes = 1000) {
  const testing::TemporaryFolder folder;
  BufferedBytes bytes(open_bytes(folder.write("x.csv", text)).stream);
  CsvReader reader(bytes, separator, most_bytes);
  std::string rows;
  while (reader.next()) {
    rows += fmt::format("{}:", reader.line());
    rows += reader.fault().empty() ? fmt::format("{}", reader.fields()) : reader.fault();
    rows += ' ';
  }
  return rows;
}

TEST(Csv, HasRowsOfFields) {
  EXPECT_EQ(rows_of("a,b\nc,d\n"), R"(1:["a", "b"] 2:["c", "d"] )");
  EXPECT_EQ(rows_of("a,b"), R"(1:["a", "b"] )");
  EXPECT_EQ(rows_of("a,,\n,\n"), R"(1:["a", "", ""] 2:["", ""] )");
  EXPECT_EQ(rows_of(" a b ,c\n"), R"(1:[" a b ", "c"] )");
  EXPECT_EQ(rows_of(""), "");
}

TEST(Csv, MayEndLinesAsWindowsDoes) {
  EXPECT_EQ(rows_of("a,b\r\nc,\r\n\r\n\"d\",\"e\"\r\n"),
            R"(1:["a", "b"] 2:["c", ""] 4:["d", "e"] )");
}

TEST(Csv, QuotesWhatWouldEndAField) {
  EXPECT_EQ(rows_of("\"a,b\",\"c\"\"d\"\n"), R"(1:["a,b", "c\"d"] )");
  EXPECT_EQ(rows_of("\"one\ntwo\r\nthree\",x\nnext,y\n"),
            R"(1:["one\ntwo\r\nthree", "x"] 4:["next", "y"] )");
  EXPECT_EQ(rows_of("\"\",\"\"\n"), R"(1:["", ""] )");
  EXPECT_EQ(rows_of("5\" wide,x\n"), R"(1:["5\" wide", "x"] )") << "a quote within a field is one";
}

TEST(Csv, MayBeSeparatedByTabs) {
  EXPECT_EQ(rows_of("a,b\tc\n\"d\te\"\tf\n", '\t'), R"(1:["a,b", "c"] 2:["d\te", "f"] )");
}

TEST(Csv, SaysWhatIsWrongWithARowAndGoesOn) {
  EXPECT_EQ(rows_of("\"a\"b,c\nd\n"), R"(1:has text behind a quoted field 2:["d"] )");
  EXPECT_EQ(rows_of("a\n\"b\nc\n"), R"(1:["a"] 2:has a quote that is not closed )");
  EXPECT_EQ(rows_of(std::string(50, 'x') + "\ny\n", ',', 20),
            R"(1:is longer than 20 bytes 2:["y"] )");
  EXPECT_EQ(rows_of("\"aaaaaaaaaa\nbbbbbbbbbb\ncccccccccc\"\ny\n", ',', 20),
            R"(1:has a field of more than 20 bytes 4:["y"] )");
}

TEST(Csv, ReadsWhatItWrote) {
  const std::vector<std::string> fields = {"plain", "a,b", "\"quoted\"", "two\nlines", "", "\r\n"};
  std::string line;
  for (const std::string& field : fields) {
    line += (line.empty() ? "" : ",") + csv_field(field);
  }
  EXPECT_EQ(rows_of(line + '\n'), fmt::format("1:{} ", fields));
}

}  // namespace
}  // namespace ebt
