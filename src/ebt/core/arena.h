// One block of memory from which a training step takes all its buffers before it starts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>

#include "ebt/core/tensor.h"

namespace ebt {

// Gives mapped pages back.
struct UnmapMemory {
  UnmapMemory() = default;
  explicit UnmapMemory(size_t count) : bytes(count) {}
  void operator()(std::byte* memory) const;
  size_t bytes = 0;
};

// A bump allocator. The code that lays out a workspace is written once and run twice: over a
// measuring arena, which hands out null views and only counts, and over an arena of exactly that
// size. So the memory a configuration needs is known, and can be refused, before any is taken.
// Memory starts as zeros. Views stay valid until rewind() or the arena's end. Not thread-safe.
class Arena {
 public:
  static constexpr size_t kAlignment_bytes = 64;

  // An arena that only counts.
  Arena() = default;
  // An arena that owns `capacity_bytes`. Throws Error when the system cannot give them.
  explicit Arena(size_t capacity_bytes);

  template <class T>
  Tensor<T> take(Shape shape) {
    return {static_cast<T*>(take_bytes(static_cast<size_t>(shape.count()) * sizeof(T))), shape};
  }
  size_t used_bytes() const { return used_bytes_; }
  // The most that was ever used: what an arena for the same layout must own.
  size_t peak_bytes() const { return peak_bytes_; }
  // Starts again from an earlier used_bytes(): views taken since become invalid, and memory is no
  // longer zero.
  void rewind(size_t used_bytes = 0) { used_bytes_ = used_bytes; }

 private:
  void* take_bytes(size_t bytes);

  std::unique_ptr<std::byte, UnmapMemory> memory_;
  size_t capacity_bytes_ = 0;
  size_t used_bytes_ = 0;
  size_t peak_bytes_ = 0;
  bool measuring_ = true;
};

// Bytes of the larger of two layouts of one memory: that of inference and, where the model trains,
// that of training. lay_out(arena, training) lays it out.
template <class LayOut>
size_t larger_layout_bytes(bool trains, const LayOut& lay_out) {
  Arena inference;
  lay_out(inference, false);
  Arena training;
  if (trains) {
    lay_out(training, true);
  }
  return std::max(inference.peak_bytes(), training.peak_bytes());
}

}  // namespace ebt
