// Signals that end long work early, with what it has done saved.
#pragma once

#include <chrono>

namespace ebt {

// Makes descriptors 0, 1 and 2 lead somewhere: else the first file that is opened takes the place
// of a stream that was closed, and what is meant for the stream is written into the file. Using
// them fails as before. To be called first.
void fill_closed_streams();

// From now on a pipe that nobody reads any longer (SIGPIPE), and a file that has reached the limit
// of the process (SIGXFSZ), are errors of who writes to them, and no signals that end the program:
// for commands that do more than to print.
void outlive_outputs();

// Whether a run is to end early: at SIGINT, SIGTERM, SIGUSR1, or SIGHUP unless it is ignored (as
// under nohup), or when its time is over. Another signal a second or more later ends the program at
// once; sooner, it is the same request, for terminals and job schedulers send theirs twice. From
// now on a pipe that nobody reads any longer is an error of who writes to it, and no signal
// (SIGPIPE). One at a time.
class StopConditions {
 public:
  // 0 minutes: no limit.
  explicit StopConditions(double minutes);

  // "SIGTERM"; null: no signal came. Safe to call from any thread.
  static const char* signal_name();
  static bool signalled() { return signal_name() != nullptr; }
  // Whether a signal came, or the time is over.
  bool stop() const;

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double minutes_;
};

// Once a result was printed: forgets it where the signal that ended the work early ended who reads
// the standard output as well, as Ctrl-C does with `ebt train | tee log`.
void forget_unread_result();

}  // namespace ebt
