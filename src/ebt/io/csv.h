// Tables as lines of fields with commas, or others, between them (RFC 4180).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ebt/io/byte_stream.h"

namespace ebt {

// A field of a line, quoted where it must be; bytes that are no UTF-8 as escape_bytes() writes
// them.
std::string csv_field(const std::string& bytes);

// Reads the rows of a table. A field in quotes may hold separators, line ends and doubled quotes;
// lines end with LF or CRLF. Empty lines are passed over.
class CsvReader {
 public:
  // A row of more bytes than `most_bytes` is none.
  CsvReader(BufferedBytes& bytes, char separator, size_t most_bytes)
      : bytes_(bytes), separator_(separator), most_bytes_(most_bytes) {}

  // Reads the next row into fields(). False: there is none. Throws Error as the bytes do, and not
  // because of what they are: see fault().
  bool next();
  const std::vector<std::string>& fields() const { return fields_; }
  // What is wrong with the row, "has a quote that is not closed"; empty: nothing.
  const std::string& fault() const { return fault_; }
  // On which the row begins, from 1.
  int64_t line() const { return line_; }

 private:
  bool next_line();
  void take_fields();
  // Reads a field in quotes that begins at `at`; returns where it ends.
  size_t take_quoted(size_t at);

  BufferedBytes& bytes_;
  char separator_;
  size_t most_bytes_;
  std::string text_;  // of the line that is being read
  std::vector<std::string> fields_;
  std::string fault_;
  int64_t line_ = 0;
  int64_t lines_read_ = 0;
};

}  // namespace ebt
