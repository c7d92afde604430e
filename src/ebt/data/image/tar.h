// Reading the files of a tar archive without unpacking it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "ebt/io/random_access_file.h"

namespace ebt {

// A file in an archive.
struct TarEntry {
  std::string path;     // without "./" or "/" in front
  uint64_t offset = 0;  // of its bytes in the archive
  uint64_t size = 0;
  bool sparse = false;  // stored with its holes left out: cannot be read here
};

// An archive of the kinds that are about: the old one, ustar, GNU's (long names, sizes above 8 GiB)
// and pax. Its headers are read once, when it is opened. Thread-safe.
class TarFile {
 public:
  // Throws Error when the file cannot be read, is none, or is truncated or damaged: every header's
  // checksum is compared, every size is compared with that of the archive, and the mark at its end
  // must be there.
  explicit TarFile(RandomAccessFile file);
  explicit TarFile(std::filesystem::path path) : TarFile(RandomAccessFile(std::move(path))) {}

  // In the order of paths; of files that were added under the same path, the last. Hard links are
  // files. Folders, symbolic links and devices are not listed.
  const std::vector<TarEntry>& entries() const { return entries_; }
  // Reads one of the entries. Throws Error for a sparse one, and when the archive was cut since.
  std::string read(const TarEntry& entry) const;
  const std::filesystem::path& path() const { return file_.path(); }

 private:
  RandomAccessFile file_;
  std::vector<TarEntry> entries_;
};

}  // namespace ebt
