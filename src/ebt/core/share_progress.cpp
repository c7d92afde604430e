#include "ebt/core/share_progress.h"

#include <fmt/format.h>

namespace ebt {

ShareProgress::~ShareProgress() {
  if (line_) {
    line_->finish();
  }
}

void ShareProgress::update(const std::string& what, double done) {
  constexpr double kPatience_seconds = 2;
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  if (!line_) {
    if (seconds < kPatience_seconds) {
      return;
    }
    line_.emplace();
  }
  line_->update(fmt::format("{}: {:.0f} %, {} left", what, 100 * done,
                            format_duration(seconds * (1 - done) / done)));
}

void ShareProgress::note(const std::string& text) {
  if (line_) {
    line_->note(text);
  } else {
    ProgressLine().note(text);
  }
}

}  // namespace ebt
