// The safetensors format: named tensors in one file, as published checkpoints are distributed.
// https://huggingface.co/docs/safetensors; docs/formats.md says what this project stores in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "ebt/core/tensor.h"
#include "ebt/io/file.h"

namespace ebt {

enum class Dtype { kF64, kF32, kF16, kBf16, kI64, kI32, kU8 };

// "F32", as the format writes it.
std::string_view dtype_name(Dtype dtype);
size_t item_bytes(Dtype dtype);

// A tensor of a file. `bytes` are little-endian, row-major, and need not be aligned.
struct StoredTensor {
  std::string name;
  Dtype dtype = Dtype::kF32;
  Shape shape;
  std::span<const std::byte> bytes;
};

// A safetensors file, mapped and checked. Everything the header claims has been verified against
// the format and the size of the file before the constructor returns, so no access can leave the
// file.
class SafetensorsFile {
 public:
  // Throws Error when the file cannot be read or breaks the format in any way.
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  // Throws Error when the file has no such metadata.
  const std::string& metadata(const std::string& key) const;

  // In the order of their bytes. They live as long as the file.
  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  bool contains(const std::string& name) const { return index_.contains(name); }
  // Throws Error when the file has no such tensor.
  const StoredTensor& tensor(const std::string& name) const;

  // Copies a tensor into `out`, converting between floating-point types (T float or double), or
  // between integer types (T int64_t, int32_t or uint8_t). Throws Error when the tensor is missing,
  // its shape is not that of `out`, it is of the other kind, or an integer does not fit T.
  template <class T>
  void read(const std::string& name, Tensor<T> out) const;
  // The same, into a vector of the tensor's own size.
  template <class T>
  std::vector<T> read(const std::string& name) const {
    const Shape shape = tensor(name).shape;
    std::vector<T> values(static_cast<size_t>(shape.count()));
    read(name, Tensor<T>{values.data(), shape});
    return values;
  }

 private:
  void read_header(std::string_view text, std::span<const std::byte> data);
  void check_layout(std::span<const std::byte> data) const;
  // A tensor as messages call it.
  std::string described(const std::string& name) const;

  MappedFile file_;
  std::map<std::string, std::string> metadata_;
  std::vector<StoredTensor> tensors_;
  std::unordered_map<std::string, size_t> index_;  // into tensors_
};

// Collects views of tensors and writes them as one file, streamed from where they lie. The same
// tensors and metadata in the same order give the same bytes.
class SafetensorsWriter {
 public:
  void set_metadata(const std::string& key, const std::string& value);
  // The values must stay where they are until write() returns. Throws Error for a repeated name.
  template <class T>
  void add(const std::string& name, Tensor<T> values) {
    const auto bytes = std::as_bytes(std::span(values.data, static_cast<size_t>(values.count())));
    add({name, dtype_of<std::remove_const_t<T>>(), values.shape, [bytes] { return bytes; }});
  }
  // The same for values that take memory only while they are written: `values` returns where they
  // lie when it is their turn, which comes in the order of such calls.
  template <class T>
  void add(const std::string& name, const Shape& shape, std::function<const T*()> values) {
    add({name, dtype_of<T>(), shape, [count = shape.count(), values = std::move(values)] {
           return std::as_bytes(std::span(values(), static_cast<size_t>(count)));
         }});
  }
  // Replaces the file through an AtomicFile. Throws Error when it cannot.
  void write(const std::filesystem::path& path) const;

 private:
  template <class T>
  static constexpr Dtype dtype_of() {
    if constexpr (std::is_same_v<T, double>) {
      return Dtype::kF64;
    } else if constexpr (std::is_same_v<T, float>) {
      return Dtype::kF32;
    } else if constexpr (std::is_same_v<T, int64_t>) {
      return Dtype::kI64;
    } else if constexpr (std::is_same_v<T, int32_t>) {
      return Dtype::kI32;
    } else {
      static_assert(std::is_same_v<T, uint8_t>, "no safetensors dtype for this type");
      return Dtype::kU8;
    }
  }
  struct Entry {
    std::string name;
    Dtype dtype;
    Shape shape;
    std::function<std::span<const std::byte>()> bytes;
  };
  void add(Entry entry);

  std::map<std::string, std::string> metadata_;
  std::vector<Entry> entries_;
  std::unordered_set<std::string> names_;
};

}  // namespace ebt
