#include "ebt/io/spooled_text.h"

namespace ebt {

void SpooledText::append(std::string_view text) {
  // What is written at a time, once there is a file.
  constexpr size_t kBlock_bytes = 1 << 20;
  held_ += text;
  if (held_.size() > (file_ ? kBlock_bytes : most_held_bytes_)) {
    flush();
  }
}

void SpooledText::flush() {
  if (!file_) {
    file_.emplace();
  }
  file_->write(held_);
  held_ = {};
}

std::string_view SpooledText::finish() {
  if (!file_) {
    return held_;
  }
  if (!mapped_) {
    flush();
    mapped_.emplace(file_->descriptor(), "a temporary file");
  }
  return mapped_->text();
}

}  // namespace ebt
