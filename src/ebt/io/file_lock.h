// Locks between processes.
#pragma once

#include <filesystem>
#include <optional>

#include "ebt/io/descriptor.h"

namespace ebt {

// What came of asking for the lock of an open file.
enum class LockAttempt {
  kTaken,
  kHeldElsewhere,
  kUnsupported,  // the file system has no locks
};

// Takes the lock of a file that is open for writing, without waiting. The system lets go of it when
// the descriptor is closed and when the process ends, however it ends. Throws Error where it fails
// in any other way; `path` is its name in messages.
//
// The lock is that of the open file description (F_OFD_SETLK) on all of its bytes: network file
// systems carry locks of bytes to the server, where flock may be local to a machine (NFS mounted
// with local_lock=flock, Lustre with localflock); one can ask who holds it without taking it; and,
// unlike a process's lock of bytes, closing the file elsewhere in the process does not lose it.
LockAttempt try_to_lock(int descriptor, const std::filesystem::path& path);

// Whether the name still leads to the open file, which may have been renamed or removed since.
bool is_still_named(int descriptor, const std::filesystem::path& path);

// A file that one process at a time can hold. The file stays.
class FileLock {
 public:
  // Nothing where somebody else holds it. Throws Error when the file cannot be made or locked.
  static std::optional<FileLock> try_take(const std::filesystem::path& path);
  // Waits until nobody else does. Throws Error likewise.
  static FileLock wait_for(const std::filesystem::path& path);
  // Whether somebody holds it.
  static bool is_held(const std::filesystem::path& path);

 private:
  explicit FileLock(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
};

}  // namespace ebt
