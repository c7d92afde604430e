// Exclusive ownership of a folder that is written to.
#pragma once

#include <filesystem>
#include <vector>

#include "ebt/io/descriptor.h"

namespace ebt {

// A folder that one process at a time writes to. Readers need not ask.
//
// Its owner holds the lock of a file `.lock` in it, which says who that is: "1234 host". The file
// is removed when the owner lets go of the folder; one that a killed process left behind is in
// nobody's way. Where the file system has no locks, the folder is taken all the same, and stderr
// says so.
class FolderOwner {
 public:
  // Makes the folder where it is missing, and takes it. Throws Error that names the folder, and its
  // owner where that is known, when another process has it, or when it cannot be made or written.
  static FolderOwner take(const std::filesystem::path& folder);

  FolderOwner(FolderOwner&& other) noexcept = default;
  FolderOwner& operator=(FolderOwner&&) = delete;
  // Lets go of the folder, and removes it, and those above it, if they were made by take() and are
  // still empty.
  ~FolderOwner();

 private:
  FolderOwner(std::filesystem::path folder, std::vector<std::filesystem::path> made);

  std::filesystem::path path_;               // of the lock
  std::vector<std::filesystem::path> made_;  // folders, outermost first
  Descriptor file_;
};

// The file of a folder's owner.
inline constexpr char kOwnerFile[] = ".lock";

}  // namespace ebt
