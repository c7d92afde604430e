#include "ebt/core/log.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cmath>

#include "ebt/core/printable.h"

namespace ebt {
namespace {

// The text cut to the columns of the terminal, less one: a line that wraps cannot be rewritten.
std::string cut_to_terminal(const std::string& text, std::FILE* stream) {
  winsize size{};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    return text;
  }
  return text.substr(0, size.ws_col - 1U);
}

// The value with three significant digits, in the first unit that keeps it below `base`.
template <size_t N>
std::string with_unit(double value, double base, const std::array<const char*, N>& units) {
  size_t unit = 0;
  // What would round to four digits belongs to the next unit.
  while (std::abs(value) >= base - 0.5 && unit + 1 < N) {
    value /= base;
    ++unit;
  }
  const double magnitude = std::abs(value);
  const int decimals = unit == 0 || magnitude >= 99.95 ? 0 : magnitude >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f}{}", value, decimals, units[unit]);
}

}  // namespace

void say(const std::string& text, std::FILE* stream) {
  pollfd ready{fileno(stream), POLLOUT, 0};
  if (poll(&ready, 1, 0) == 1 && ready.revents == POLLOUT) {
    std::fwrite(text.data(), 1, text.size(), stream);
    std::fflush(stream);
    std::clearerr(stream);
  }
}

ProgressLine::ProgressLine(std::FILE* stream)
    : stream_(stream),
      terminal_(isatty(fileno(stream)) == 1),
      interval_(terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5000)) {}

ProgressLine::~ProgressLine() { finish(); }

void ProgressLine::update(const std::string& text) {
  if (Clock::now() < next_show_) {
    held_back_ = text;
    return;
  }
  show(text);
}

void ProgressLine::note(const std::string& text) {
  erase();
  say(escape_bytes(text) + '\n', stream_);
}

void ProgressLine::finish() {
  if (!held_back_.empty()) {
    show(held_back_);
  }
  if (visible_) {
    say("\n", stream_);
    visible_ = false;
  }
}

void ProgressLine::show(const std::string& text) {
  if (terminal_) {
    erase();
    say(cut_to_terminal(escape_bytes(text), stream_), stream_);
    visible_ = true;
  } else {
    say(escape_bytes(text) + '\n', stream_);
  }
  held_back_.clear();
  next_show_ = Clock::now() + interval_;
}

void ProgressLine::erase() {
  if (visible_) {
    say("\r\x1b[K", stream_);
    visible_ = false;
  }
}

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) {
    return "unknown";
  }
  if (seconds < 9.95) {
    return fmt::format("{:.1f} s", seconds);
  }
  const auto whole = static_cast<int64_t>(std::llround(std::fmin(seconds, 1e12)));
  if (whole < 60) {
    return fmt::format("{} s", whole);
  }
  if (whole < 3600) {
    return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  }
  if (whole < 86400) {
    return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
  }
  return fmt::format("{} d {} h", whole / 86400, whole % 86400 / 3600);
}

std::string format_count(double count) {
  constexpr std::array<const char*, 5> kUnits = {"", "k", "M", "G", "T"};
  return with_unit(count, 1000, kUnits);
}

std::string format_bytes(double bytes) {
  constexpr std::array<const char*, 5> kUnits = {" B", " KiB", " MiB", " GiB", " TiB"};
  return with_unit(bytes, 1024, kUnits);
}

}  // namespace ebt
