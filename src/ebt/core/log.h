// The progress line on stderr, which rewrites itself, and quantities in words.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

namespace ebt {

// Writes what nothing depends on: text that cannot be written, or not without waiting for somebody
// to read, is lost, and it is no error. A closed stream, a full disk, a terminal that is gone and a
// pipe that nobody reads do not end a computation or hold it up.
void say(const std::string& text, std::FILE* stream = stderr);

// One line that shows the newest state. On a terminal it is rewritten in place, at most ten times a
// second; elsewhere (a file, a CI log) whole lines are printed, at most one every five seconds.
// Lines are said as say() does. Not thread-safe.
class ProgressLine {
 public:
  // Writes to `stream`, which must outlive the line.
  explicit ProgressLine(std::FILE* stream = stderr);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Shows `text`, unless the last one was shown only a moment ago.
  void update(const std::string& text);
  // Prints a line that stays, above the progress line.
  void note(const std::string& text);
  // Shows the last update if it was held back, and leaves it standing.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  void show(const std::string& text);
  void erase();

  std::FILE* stream_;
  bool terminal_;
  bool visible_ = false;  // the cursor stands behind an unfinished line
  Clock::duration interval_;
  Clock::time_point next_show_;  // the first moment at which an update is shown
  std::string held_back_;
};

// "0.4 s", "12 s", "3 min 05 s", "2 h 10 min", "4 d 3 h".
std::string format_duration(double seconds);
// Three digits and a suffix: "950", "1.23k", "45.6M".
std::string format_count(double count);
// "512 B", "1.5 KiB", "2.25 GiB".
std::string format_bytes(double bytes);

}  // namespace ebt
