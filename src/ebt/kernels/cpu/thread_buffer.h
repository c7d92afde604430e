// Memory of the calling thread for kernels, grown on first use and kept. For kernel files only
// (internal linkage).
#pragma once

#include <cstddef>
#include <cstdint>

namespace {

// At least `count` elements, whose values are left from earlier uses of the same type.
template <class T>
T* thread_buffer(int64_t count) {
  struct Buffer {
    T* data = nullptr;
    int64_t capacity = 0;
    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { delete[] data; }
  };
  static thread_local Buffer buffer;
  if (buffer.capacity < count) {
    delete[] buffer.data;
    buffer.data = new T[static_cast<size_t>(count)];
    buffer.capacity = count;
  }
  return buffer.data;
}

}  // namespace
