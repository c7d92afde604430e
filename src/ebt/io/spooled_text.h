// A text of any length, appended to in parts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ebt/io/file.h"
#include "ebt/io/temporary_file.h"

namespace ebt {

// Held in memory up to a limit, and in a temporary file from there on.
class SpooledText {
 public:
  explicit SpooledText(size_t most_held_bytes = 64 << 20) : most_held_bytes_(most_held_bytes) {}

  // Throws Error when the disk is full.
  void append(std::string_view text);
  uint64_t size() const { return (file_ ? file_->size() : 0) + held_.size(); }
  // All of the text, valid as long as this. Nothing can be appended after it.
  std::string_view finish();

 private:
  void flush();

  size_t most_held_bytes_;
  std::string held_;  // behind what the file has
  std::optional<TemporaryFile> file_;
  std::optional<MappedFile> mapped_;
};

}  // namespace ebt
