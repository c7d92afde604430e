#include "ebt/core/byte_progress.h"

#include <fmt/format.h>

#include <utility>

namespace ebt {

ByteProgress::ByteProgress(std::string what, size_t total_bytes)
    : what_(std::move(what)), total_bytes_(total_bytes) {}

ByteProgress::~ByteProgress() {
  if (line_) {
    line_->finish();
  }
}

void ByteProgress::add(size_t bytes) {
  constexpr double kPatience_seconds = 2;
  done_bytes_ += bytes;
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  if (!line_) {
    if (seconds < kPatience_seconds) {
      return;
    }
    line_.emplace();
  }
  const auto done = static_cast<double>(done_bytes_);
  const auto total = static_cast<double>(total_bytes_);
  line_->update(fmt::format("{}: {} of {}, {}/s, {} left", what_, format_bytes(done),
                            format_bytes(total), format_bytes(done / seconds),
                            format_duration(seconds * (total - done) / done)));
}

}  // namespace ebt
