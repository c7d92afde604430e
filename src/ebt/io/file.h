// Files as the engine reads and writes them: mapped whole, and replaced whole.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "ebt/io/descriptor.h"

namespace ebt {

// A regular file mapped read-only into memory. Nothing is copied: pages are read when touched. The
// file must not be truncated by others while it is mapped. Safe to read from many threads.
class MappedFile {
 public:
  // Throws Error when the file is missing, is not a regular file, or cannot be read. An empty file
  // has empty bytes.
  explicit MappedFile(std::filesystem::path path);
  // The same of an open file, which errors call `path`.
  MappedFile(const Descriptor& file, std::filesystem::path path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  // Valid as long as the file, or the object it was moved into, lives.
  std::span<const std::byte> bytes() const { return bytes_; }
  std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::span<const std::byte> bytes_;
};

// A file that appears under its name complete or not at all. It is written beside its destination
// as `NAME.tmp`; commit() makes it durable and renames it. One that is never committed is removed,
// and one that a killed process left behind is overwritten by the next writer. Every failure, a
// full disk included, throws Error, and leaves a file that had the name before as it was.
class AtomicFile {
 public:
  // Throws Error when the folder is missing or not writable, or another writer has the file.
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  // Where what was written until now can be read, until it is committed.
  const std::filesystem::path& temporary_path() const { return temporary_path_; }
  // To be called once, last: the file is on disk under its name when it returns.
  void commit();

 private:
  // Throws the Error of a failed system call.
  [[noreturn]] void fail_with(int error_number) const;

  std::filesystem::path path_;
  std::filesystem::path temporary_path_;
  int descriptor_ = -1;
};

// Replaces the file by `text`, through an AtomicFile.
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

// The whole text of a small file. Throws Error as MappedFile does, or when the file is larger than
// `max_bytes`.
std::string read_text_file(const std::filesystem::path& path, size_t max_bytes);

}  // namespace ebt
