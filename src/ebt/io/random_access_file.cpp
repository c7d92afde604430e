#include "ebt/io/random_access_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "ebt/core/error.h"

namespace ebt {
namespace {

std::string error_text(int error_number) { return std::generic_category().message(error_number); }

}  // namespace

// Without O_NONBLOCK a named pipe would hang here before it can be refused.
RandomAccessFile::RandomAccessFile(std::filesystem::path path)
    : RandomAccessFile(Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)), path) {}

RandomAccessFile::RandomAccessFile(Descriptor file, std::filesystem::path path)
    : path_(std::move(path)), descriptor_(std::move(file)) {
  struct stat status {};
  EBT_CHECK(descriptor_.get() >= 0 && fstat(descriptor_.get(), &status) == 0,
            "cannot read '{}': {}", path_.string(), error_text(errno));
  EBT_CHECK(!S_ISDIR(status.st_mode), "cannot read '{}': it is a folder, not a file",
            path_.string());
  EBT_CHECK(S_ISREG(status.st_mode), "cannot read '{}': it is not a regular file", path_.string());
  size_ = static_cast<uint64_t>(status.st_size);
}

void RandomAccessFile::read(uint64_t offset, std::span<char> out) const {
  while (!out.empty()) {
    const ssize_t count =
        pread(descriptor_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    EBT_CHECK(count >= 0 || errno == EINTR, "cannot read '{}': {}", path_.string(),
              error_text(errno));
    EBT_CHECK(count != 0, "'{}' is truncated", path_.string());
    if (count > 0) {
      offset += static_cast<uint64_t>(count);
      out = out.subspan(static_cast<size_t>(count));
    }
  }
}

}  // namespace ebt
