#include "ebt/io/file_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "ebt/core/error.h"

namespace ebt {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_to_lock(const fs::path& path, int error_number) {
  fail("cannot lock '{}': {}", path.string(), std::generic_category().message(error_number));
}

struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

bool has_no_locks(int error_number) {
  return error_number == ENOLCK || error_number == ENOSYS || error_number == EOPNOTSUPP ||
         error_number == EINVAL;
}

Descriptor open_lock(const fs::path& path) {
  Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (file.get() < 0) {
    fail_to_lock(path, errno);
  }
  return file;
}

}  // namespace

LockAttempt try_to_lock(int descriptor, const fs::path& path) {
  struct flock lock = whole_file();
  if (fcntl(descriptor, F_OFD_SETLK, &lock) == 0) {
    return LockAttempt::kTaken;
  }
  if (errno == EAGAIN || errno == EACCES) {
    return LockAttempt::kHeldElsewhere;
  }
  if (!has_no_locks(errno)) {
    fail_to_lock(path, errno);
  }
  return LockAttempt::kUnsupported;
}

bool is_still_named(int descriptor, const fs::path& path) {
  struct stat opened {};
  struct stat named {};
  return fstat(descriptor, &opened) == 0 && stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

std::optional<FileLock> FileLock::try_take(const fs::path& path) {
  Descriptor file = open_lock(path);
  const LockAttempt attempt = try_to_lock(file.get(), path);
  EBT_CHECK(attempt != LockAttempt::kUnsupported,
            "cannot lock '{}': its file system has no locks, by which processes share work",
            path.string());
  if (attempt == LockAttempt::kTaken) {
    return FileLock(std::move(file));
  }
  return std::nullopt;
}

FileLock FileLock::wait_for(const fs::path& path) {
  Descriptor file = open_lock(path);
  struct flock lock = whole_file();
  while (fcntl(file.get(), F_OFD_SETLKW, &lock) != 0) {
    if (errno != EINTR) {
      fail_to_lock(path, errno);
    }
  }
  return FileLock(std::move(file));
}

bool FileLock::is_held(const fs::path& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct flock lock = whole_file();
  return file.get() >= 0 && fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace ebt
