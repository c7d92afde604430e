#include "ebt/io/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "ebt/core/printable.h"

namespace ebt {

std::string csv_field(const std::string& bytes) {
  const std::string text = escape_bytes(bytes);
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  }
  return quoted + "\"";
}

bool CsvReader::next_line() {
  if (!bytes_.read_line(text_, most_bytes_)) {
    return false;
  }
  ++lines_read_;
  if (text_.size() > most_bytes_) {
    fault_ = fmt::format("is longer than {} bytes", most_bytes_);
  }
  return true;
}

bool CsvReader::next() {
  fault_.clear();
  do {
    if (!next_line()) {
      return false;
    }
  } while (text_.empty() || text_ == "\r");
  line_ = lines_read_;
  fields_.clear();
  if (fault_.empty()) {
    take_fields();
  }
  return true;
}

void CsvReader::take_fields() {
  size_t at = 0;
  for (;;) {
    fields_.emplace_back();
    if (at < text_.size() && text_[at] == '"') {
      at = take_quoted(at + 1);
    } else {
      const size_t end = std::min(text_.find(separator_, at), text_.size());
      fields_.back() = text_.substr(at, end - at);
      at = end;
      if (at == text_.size() && fields_.back().ends_with('\r')) {
        fields_.back().pop_back();
      }
    }
    if (!fault_.empty() || at >= text_.size()) {
      return;
    }
    ++at;  // the separator, behind which another field stands, be it empty
  }
}

size_t CsvReader::take_quoted(size_t at) {
  std::string& field = fields_.back();
  const auto append = [&](std::string_view text) {
    if (field.size() <= most_bytes_) {
      field += text;
    }
  };
  for (;;) {
    const size_t quote = text_.find('"', at);
    append(std::string_view(text_).substr(at, quote - at));
    if (quote == text_.npos) {
      append("\n");
      if (!next_line() || !fault_.empty()) {
        fault_ = fault_.empty() ? "has a quote that is not closed" : fault_;
        return text_.size();
      }
      at = 0;
    } else if (quote + 1 < text_.size() && text_[quote + 1] == '"') {
      append("\"");
      at = quote + 2;
    } else {
      at = quote + 1;
      if (field.size() > most_bytes_) {
        fault_ = fmt::format("has a field of more than {} bytes", most_bytes_);
      }
      if (at + 1 == text_.size() && text_[at] == '\r') {
        return text_.size();
      }
      if (at < text_.size() && text_[at] != separator_) {
        fault_ = "has text behind a quoted field";
      }
      return at;
    }
  }
}

}  // namespace ebt
