#include "ebt/core/arena.h"

#include <sys/mman.h>

#include <algorithm>

#include "ebt/core/error.h"

namespace ebt {

// Fresh anonymous pages are zero and become resident only when touched.
Arena::Arena(size_t capacity_bytes) : capacity_bytes_(capacity_bytes), measuring_(false) {
  if (capacity_bytes == 0) {
    return;
  }
  void* memory =
      mmap(nullptr, capacity_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EBT_CHECK(memory != MAP_FAILED, "memory: the system refused {:.2f} GiB for the workspace",
            static_cast<double>(capacity_bytes) / (1U << 30U));
  madvise(memory, capacity_bytes, MADV_HUGEPAGE);
  memory_ = {static_cast<std::byte*>(memory), UnmapMemory(capacity_bytes)};
}

void UnmapMemory::operator()(std::byte* memory) const { munmap(memory, bytes); }

void* Arena::take_bytes(size_t bytes) {
  const size_t start = used_bytes_;
  used_bytes_ += (bytes + kAlignment_bytes - 1) / kAlignment_bytes * kAlignment_bytes;
  peak_bytes_ = std::max(peak_bytes_, used_bytes_);
  if (measuring_) {
    return nullptr;
  }
  EBT_CHECK(used_bytes_ <= capacity_bytes_, "memory: a workspace of {} bytes was overrun",
            capacity_bytes_);
  return memory_.get() + start;
}

}  // namespace ebt
