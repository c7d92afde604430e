// A file that is read at any offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "ebt/io/descriptor.h"

namespace ebt {

// A regular file that stays open. Unlike a MappedFile it may be cut short by others: what is gone
// is an Error then, not a signal. Safe to read from many threads.
class RandomAccessFile {
 public:
  // Throws Error when the file is missing, is not a regular file, or cannot be read.
  explicit RandomAccessFile(std::filesystem::path path);
  // The same of an open file, which errors call `path`.
  RandomAccessFile(Descriptor file, std::filesystem::path path);

  // When it was opened.
  uint64_t size() const { return size_; }
  const std::filesystem::path& path() const { return path_; }
  // Fills `out` with the bytes from `offset` on. Throws Error when the file ends before.
  void read(uint64_t offset, std::span<char> out) const;

 private:
  std::filesystem::path path_;
  Descriptor descriptor_;
  uint64_t size_ = 0;
};

}  // namespace ebt
