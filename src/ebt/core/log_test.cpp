#include "ebt/core/log.h"

#include <gtest/gtest.h>

#include <limits>

namespace ebt {
namespace {

// What `write` leaves in a stream that is not a terminal.
template <class Write>
std::string written(Write write) {
  std::FILE* file = std::tmpfile();
  write(file);
  std::rewind(file);
  std::string text;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) {
    text += static_cast<char>(c);
  }
  std::fclose(file);
  return text;
}

TEST(ProgressLine, PrintsTheFirstAndTheLastUpdateOffATerminal) {
  EXPECT_EQ(written([](std::FILE* file) {
              ProgressLine line(file);
              line.update("1");
              line.update("2");
              line.update("3");
              line.finish();
            }),
            "1\n3\n");
}

TEST(ProgressLine, KeepsNotes) {
  EXPECT_EQ(written([](std::FILE* file) {
              ProgressLine line(file);
              line.update("1");
              line.note("saved");
            }),
            "1\nsaved\n");
}

TEST(Format, WritesDurationsForPeople) {
  EXPECT_EQ(format_duration(0.44), "0.4 s");
  EXPECT_EQ(format_duration(9.96), "10 s");
  EXPECT_EQ(format_duration(59.6), "1 min 00 s");
  EXPECT_EQ(format_duration(185), "3 min 05 s");
  EXPECT_EQ(format_duration(7800), "2 h 10 min");
  EXPECT_EQ(format_duration(357000), "4 d 3 h");
  EXPECT_EQ(format_duration(-1), "unknown");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::infinity()), "unknown");
}

TEST(Format, WritesCountsAndBytesWithThreeDigits) {
  EXPECT_EQ(format_count(950), "950");
  EXPECT_EQ(format_count(999.6), "1.00k");
  EXPECT_EQ(format_count(1234), "1.23k");
  EXPECT_EQ(format_count(45.6e6), "45.6M");
  EXPECT_EQ(format_count(123.4e3), "123k");
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(1536), "1.50 KiB");
  EXPECT_EQ(format_bytes(2.25 * 1024 * 1024 * 1024), "2.25 GiB");
}

}  // namespace
}  // namespace ebt
