#include "ebt/serve/head_scanner.h"

#include "ebt/serve/api_error.h"
#include "ebt/serve/request_reader.h"

namespace ebt {
namespace {

void check_request_line(std::string_view line) {
  constexpr std::string_view kVersion = "HTTP/1.1";
  const std::string_view version = line.substr(line.rfind(' ') + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version.size() != kVersion.size() || !version.starts_with("HTTP/") || version[6] != '.' ||
      !is_digit(version[5]) || !is_digit(version[7])) {
    throw ApiError(400, "This is no HTTP request: its first line does not end with a version.");
  }
  if (version != kVersion && version != "HTTP/1.0") {
    throw ApiError(505, "This server speaks HTTP/1.1 and HTTP/1.0.");
  }
}

}  // namespace

void HeadScanner::check_byte(char byte, char before, size_t column) const {
  const auto code = static_cast<unsigned char>(byte);
  if ((byte == '\n') != (before == '\r')) {
    throw ApiError(400, "A line of the request does not end with CR LF.");
  }
  if ((code < ' ' && byte != '\r' && byte != '\n' && byte != '\t') || code == 0x7f) {
    throw ApiError(400, "The head of the request has a control character.");
  }
  if (lines_ > 0 && column == 0 && (byte == ' ' || byte == '\t')) {
    throw ApiError(400, "A line of the request begins with a space.");
  }
  if (lines_ == 0 && column >= kMostRequestLine_bytes) {
    throw ApiError(414, "The target of the request is too long.");
  }
}

// True for the last line.
bool HeadScanner::end_line(std::string_view line) {
  if (line.empty() && lines_ == 0) {
    if (begin_ > 0) {
      throw ApiError(400, "The request begins with empty lines.");
    }
    begin_ = at_;  // RFC 9112, section 2.2: some clients send one behind a body
    return false;
  }
  if (line.empty()) {
    return true;
  }
  if (lines_ == 0) {
    check_request_line(line);
  }
  if (++lines_ > 1 + kMostFields) {
    throw ApiError(431, fmt::format("The request has more than {} fields.", kMostFields));
  }
  return false;
}

bool HeadScanner::scan(std::string_view bytes) {
  while (at_ < bytes.size()) {
    const size_t column = at_ - line_begin_;
    const char before = column > 0 ? bytes[at_ - 1] : ' ';
    check_byte(bytes[at_], before, column);
    ++at_;
    if (at_ > kMostHead_bytes) {
      throw ApiError(
          431, fmt::format("The head of the request has more than {} bytes.", kMostHead_bytes));
    }
    if (before == '\r') {
      const std::string_view line = bytes.substr(line_begin_, column - 1);
      line_begin_ = at_;
      if (end_line(line)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace ebt
