#include "ebt/io/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/io/descriptor.h"
#include "ebt/io/file_lock.h"
#include "ebt/io/mapped_ranges.h"

namespace ebt {
namespace {

std::string error_text(int error_number) { return std::generic_category().message(error_number); }

void unmap(std::span<const std::byte> bytes) {
  if (!bytes.empty()) {
    forget_mapping(bytes);
    munmap(const_cast<std::byte*>(bytes.data()), bytes.size());
  }
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : ".";
}

}  // namespace

// Without O_NONBLOCK a named pipe would hang here before it can be refused.
MappedFile::MappedFile(std::filesystem::path path)
    : MappedFile(Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)), path) {}

MappedFile::MappedFile(const Descriptor& file, std::filesystem::path path)
    : path_(std::move(path)) {
  struct stat status {};
  EBT_CHECK(file.get() >= 0 && fstat(file.get(), &status) == 0, "cannot read '{}': {}",
            path_.string(), error_text(errno));
  EBT_CHECK(!S_ISDIR(status.st_mode), "cannot read '{}': it is a folder, not a file",
            path_.string());
  EBT_CHECK(S_ISREG(status.st_mode), "cannot read '{}': it is not a regular file", path_.string());
  const auto size = static_cast<size_t>(status.st_size);
  if (size == 0) {
    return;
  }
  const void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  EBT_CHECK(memory != MAP_FAILED, "cannot map '{}' into memory: {}", path_.string(),
            error_text(errno));
  bytes_ = {static_cast<const std::byte*>(memory), size};
  remember_mapping(bytes_, path_.string());
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() { unmap(bytes_); }

AtomicFile::AtomicFile(std::filesystem::path path)
    : path_(std::move(path)), temporary_path_(path_.string() + ".tmp") {
  // The lock tells a file that a killed process left behind from one that is being written. Who
  // gets the lock only after its holder has renamed the file has the finished one, and starts over.
  while (descriptor_ < 0) {
    Descriptor descriptor(open(temporary_path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    if (descriptor.get() < 0) {
      fail_with(errno);
    }
    EBT_CHECK(try_to_lock(descriptor.get(), temporary_path_) != LockAttempt::kHeldElsewhere,
              "cannot write '{}': another process is writing it", path_.string());
    if (is_still_named(descriptor.get(), temporary_path_)) {
      if (ftruncate(descriptor.get(), 0) != 0) {
        fail_with(errno);
      }
      descriptor_ = descriptor.release();
    }
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) {
    unlink(temporary_path_.c_str());
    close(descriptor_);
  }
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      fail_with(errno);
    }
    bytes = bytes.subspan(written < 0 ? 0 : static_cast<size_t>(written));
  }
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::commit() {
  if (fsync(descriptor_) != 0 || rename(temporary_path_.c_str(), path_.c_str()) != 0) {
    fail_with(errno);
  }
  // From here the temporary name may belong to the next writer. Closing cannot lose what is synced.
  close(std::exchange(descriptor_, -1));
  const Descriptor folder(open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // EINVAL: a file system that does not sync folders.
  if (folder.get() < 0 || (fsync(folder.get()) != 0 && errno != EINVAL)) {
    fail_with(errno);
  }
}

void AtomicFile::fail_with(int error_number) const {
  fail("cannot write '{}': {}", path_.string(), error_text(error_number));
}

void write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

std::string read_text_file(const std::filesystem::path& path, size_t max_bytes) {
  const MappedFile file(path);
  EBT_CHECK(file.bytes().size() <= max_bytes,
            "cannot read '{}': it has {} bytes, above the limit of {}", path.string(),
            file.bytes().size(), max_bytes);
  return std::string(file.text());
}

}  // namespace ebt
