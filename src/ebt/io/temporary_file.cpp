#include "ebt/io/temporary_file.h"

#include <fcntl.h>
#include <stdlib.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "ebt/core/error.h"

namespace ebt {
namespace {

std::string error_text(int error_number) { return std::generic_category().message(error_number); }

std::filesystem::path temporary_folder() {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::temp_directory_path(error);
  EBT_CHECK(!error, "there is no folder for temporary files: TMPDIR must name one");
  return folder;
}

// Not every file system makes files without a name: one can be taken away at once.
int open_without_name(const std::filesystem::path& folder) {
  const int descriptor = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0 || errno == EACCES || errno == EROFS) {
    return descriptor;
  }
  std::string path = (folder / "ebt-XXXXXX").string();
  const int named = mkostemp(path.data(), O_CLOEXEC);
  if (named >= 0) {
    unlink(path.c_str());
  }
  return named;
}

}  // namespace

TemporaryFile::TemporaryFile()
    : folder_(temporary_folder()), descriptor_(open_without_name(folder_)) {
  EBT_CHECK(descriptor_.get() >= 0,
            "cannot write a temporary file in '{}': {}; TMPDIR names another folder",
            folder_.string(), error_text(errno));
}

void TemporaryFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_.get(), bytes.data(), bytes.size());
    EBT_CHECK(written >= 0 || errno == EINTR,
              "cannot write a temporary file in '{}': {}; TMPDIR names another folder",
              folder_.string(), error_text(errno));
    if (written > 0) {
      size_ += static_cast<uint64_t>(written);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
  }
}

Descriptor TemporaryFile::duplicate() const {
  Descriptor copy(fcntl(descriptor_.get(), F_DUPFD_CLOEXEC, 0));
  EBT_CHECK(copy.get() >= 0, "cannot read a temporary file: {}", error_text(errno));
  return copy;
}

}  // namespace ebt
