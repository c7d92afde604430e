#include "ebt/train/memory.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace ebt {

std::optional<size_t> available_memory_bytes() {
  std::ifstream meminfo("/proc/meminfo");
  std::string key;
  size_t kibibytes = 0;
  std::string unit;
  while (meminfo >> key >> kibibytes && std::getline(meminfo, unit)) {
    if (key == "MemAvailable:") {
      // Holds the word "max" where there is no limit: reading it as a number fails.
      std::ifstream container("/sys/fs/cgroup/memory.max");
      size_t limit = 0;
      return container >> limit ? std::min(kibibytes * 1024, limit) : kibibytes * 1024;
    }
  }
  return std::nullopt;
}

}  // namespace ebt
