// Locks between the processes of one machine.
#pragma once

#include <filesystem>
#include <optional>

#include "ebt/io/descriptor.h"

namespace ebt {

// A file that one process at a time can hold (flock). The system lets go of it when the process
// ends, however it ends; the file stays. Network file systems, whose locks can be lost, are out of
// scope.
class FileLock {
 public:
  // Nothing where somebody else holds it. Throws Error when the file cannot be made.
  static std::optional<FileLock> try_take(const std::filesystem::path& path);
  // Waits until nobody else does. Throws Error likewise.
  static FileLock wait_for(const std::filesystem::path& path);
  // Whether somebody holds it. Asking takes it for a moment, shared with others that ask: who wants
  // it just then takes it at its next try.
  static bool is_held(const std::filesystem::path& path);

 private:
  explicit FileLock(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
};

}  // namespace ebt
