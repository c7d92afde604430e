#include "ebt/io/folder_owner.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/core/log.h"
#include "ebt/io/file_lock.h"
#include "ebt/io/folder.h"

namespace ebt {
namespace {

namespace fs = std::filesystem;

// The folder and those above it that do not exist, outermost first.
std::vector<fs::path> missing_folders(const fs::path& folder) {
  std::vector<fs::path> missing;
  std::error_code ignored;
  for (fs::path at = fs::absolute(folder, ignored).lexically_normal();
       !at.empty() && !fs::exists(at, ignored) && at != at.parent_path(); at = at.parent_path()) {
    if (at.has_filename()) {
      missing.insert(missing.begin(), at);
    }
  }
  return missing;
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// "process 1234 of host 'x'", as its owner wrote it; "another process" where nothing is written.
std::string owner_in_words(int descriptor) {
  std::array<char, 300> buffer{};
  const ssize_t count = pread(descriptor, buffer.data(), buffer.size(), 0);
  const std::string_view text(buffer.data(), count > 0 ? static_cast<size_t>(count) : 0);
  int64_t process = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), process);
  const size_t space = text.find(' ');
  const size_t end = text.find('\n');
  if (parsed.ec != std::errc() || space >= end || end == text.npos) {
    return "another process";
  }
  return fmt::format("process {} on '{}'", process, text.substr(space + 1, end - space - 1));
}

}  // namespace

FolderOwner FolderOwner::take(const fs::path& folder) {
  FolderOwner owner(folder, missing_folders(folder));
  // Who gets the lock only after its holder has removed the file holds a file without a name, and
  // starts over.
  while (owner.file_.get() < 0) {
    make_folder(folder);
    Descriptor file(open(owner.path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (file.get() < 0 && errno == ENOENT) {
      continue;  // its last owner has just removed it
    }
    EBT_CHECK(file.get() >= 0, "cannot write to the folder '{}': {}", folder.string(),
              std::generic_category().message(errno));
    const LockAttempt attempt = try_to_lock(file.get(), owner.path_);
    EBT_CHECK(attempt != LockAttempt::kHeldElsewhere,
              "'{}' is in use by {}: wait until that has ended, or choose another folder",
              folder.string(), owner_in_words(file.get()));
    if (attempt == LockAttempt::kUnsupported) {
      ProgressLine().note(fmt::format(
          "the file system of '{}' has no locks: nothing keeps a second run out of the folder",
          folder.string()));
    }
    if (is_still_named(file.get(), owner.path_)) {
      owner.file_ = std::move(file);
    }
  }
  // It is for people to read: the folder is taken whether or not it can be written.
  const std::string text = fmt::format("{} {}\n", getpid(), host_name());
  if (ftruncate(owner.file_.get(), 0) == 0) {
    [[maybe_unused]] const ssize_t written = pwrite(owner.file_.get(), text.data(), text.size(), 0);
  }
  return owner;
}

FolderOwner::FolderOwner(fs::path folder, std::vector<fs::path> made)
    : path_(std::move(folder) / kOwnerFile), made_(std::move(made)), file_(-1) {}

FolderOwner::~FolderOwner() {
  if (file_.get() >= 0 && is_still_named(file_.get(), path_)) {
    unlink(path_.c_str());
  }
  for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder) {
    rmdir(folder->c_str());  // fails where anything is in it
  }
}

}  // namespace ebt
