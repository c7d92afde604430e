// A file without a name, for what is too large for memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "ebt/io/descriptor.h"

namespace ebt {

// It lies in the folder for temporary files (TMPDIR, or /tmp), and is gone with its last
// descriptor, however the process ends.
class TemporaryFile {
 public:
  // Throws Error when the folder cannot be written.
  TemporaryFile();

  // Appends. Throws Error when the disk is full.
  void write(std::string_view bytes);
  uint64_t size() const { return size_; }
  const Descriptor& descriptor() const { return descriptor_; }
  // Another descriptor of the file. Throws Error when there can be no more of them.
  Descriptor duplicate() const;

 private:
  std::filesystem::path folder_;
  Descriptor descriptor_;
  uint64_t size_ = 0;
};

}  // namespace ebt
