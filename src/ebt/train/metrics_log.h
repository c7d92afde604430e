// metrics.jsonl: what a run measured, one JSON object per line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "ebt/core/config_fields.h"

namespace ebt {

// The metrics of a run, in its folder.
inline constexpr char kMetricsFile[] = "metrics.jsonl";

// Appends lines to a file. Every line has a whole number "step". A run that resumes from step N
// drops what it is about to repeat, so the file reads as if the run had never stopped.
class MetricsLog {
 public:
  // Of nothing: what is written is dropped.
  MetricsLog() = default;
  // Opens the file, and makes it if it is missing. Cuts it, in one system call, before the first
  // line that belongs to a step beyond `step` or is not a complete object. Throws Error when it
  // cannot.
  MetricsLog(std::filesystem::path path, int64_t step);
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;
  ~MetricsLog();

  // Lines of `step`, as the constructor was given it, that the file had.
  int64_t lines_of_step() const { return lines_of_step_; }
  // What cannot be written now, as on a full disk, is kept, and written before the next line.
  void write(const Json& line);
  // The lines so far are on disk when it returns. Throws Error when they cannot be.
  void sync();

 private:
  // Writes as much of `pending_` as it can, and returns the error of what it could not, or 0.
  int write_pending();

  std::filesystem::path path_;
  int64_t lines_of_step_ = 0;
  int descriptor_ = -1;
  std::string pending_;
};

}  // namespace ebt
