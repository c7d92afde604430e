// The .npy format of NumPy, one array a file:
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <filesystem>

#include "ebt/io/file.h"
#include "ebt/io/safetensors.h"

namespace ebt {

// An array of little-endian floating-point numbers in C order, mapped and checked: what its header
// claims has been verified against the size of the file before the constructor returns.
class NpyFile {
 public:
  // Throws Error when the file cannot be read, breaks the format, or holds another kind of array.
  explicit NpyFile(const std::filesystem::path& path);

  // Without a name; its bytes live as long as the file.
  const StoredTensor& array() const { return array_; }

 private:
  MappedFile file_;
  StoredTensor array_;
};

}  // namespace ebt
