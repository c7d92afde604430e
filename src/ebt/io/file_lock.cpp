#include "ebt/io/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "ebt/core/error.h"

namespace ebt {
namespace {

[[noreturn]] void fail_to_lock(const std::filesystem::path& path) {
  fail("cannot lock '{}': {}", path.string(), std::generic_category().message(errno));
}

Descriptor open_lock(const std::filesystem::path& path) {
  Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (file.get() < 0) {
    fail_to_lock(path);
  }
  return file;
}

}  // namespace

std::optional<FileLock> FileLock::try_take(const std::filesystem::path& path) {
  Descriptor file = open_lock(path);
  if (flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
    return FileLock(std::move(file));
  }
  if (errno != EWOULDBLOCK) {
    fail_to_lock(path);
  }
  return std::nullopt;
}

FileLock FileLock::wait_for(const std::filesystem::path& path) {
  Descriptor file = open_lock(path);
  while (flock(file.get(), LOCK_EX) != 0) {
    if (errno != EINTR) {
      fail_to_lock(path);
    }
  }
  return FileLock(std::move(file));
}

bool FileLock::is_held(const std::filesystem::path& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file.get() >= 0 && flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace ebt
