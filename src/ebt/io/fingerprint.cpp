#include "ebt/io/fingerprint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "ebt/io/file.h"

namespace ebt {

// As FNV-1a, but eight bytes at a time, and with the high bits, where a product mixes well, folded
// into the low ones.
std::string fingerprint(std::string_view bytes) {
  constexpr uint64_t kFnvBasis = 14695981039346656037U;
  constexpr uint64_t kMultiplier = 0x9E3779B97F4A7C15U;
  uint64_t hash = kFnvBasis ^ bytes.size();
  for (size_t begin = 0; begin < bytes.size(); begin += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + begin, std::min(sizeof(word), bytes.size() - begin));
    hash = (hash ^ word) * kMultiplier;
    hash ^= hash >> 32U;
  }
  return fmt::format("{:016x}", hash);
}

std::string file_fingerprint(const std::filesystem::path& path) {
  return fingerprint(MappedFile(path).text());
}

}  // namespace ebt
