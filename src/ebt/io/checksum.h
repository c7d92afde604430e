// A checksum against accidental damage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace ebt {

// FNV-1a over 64-bit words. Damage within one word is always found, other damage but for one case
// in 2^64; forgery is not.
class Checksum {
 public:
  void add(uint64_t word) { hash_ = (hash_ ^ word) * 0x100000001b3U; }
  // Little-endian words, the last one filled up with zeros.
  void add(std::span<const std::byte> bytes) {
    uint64_t word = 0;
    for (; bytes.size() >= sizeof word; bytes = bytes.subspan(sizeof word)) {
      std::memcpy(&word, bytes.data(), sizeof word);
      add(word);
    }
    if (!bytes.empty()) {
      word = 0;
      std::memcpy(&word, bytes.data(), bytes.size());
      add(word);
    }
  }
  void add(std::string_view text) { add(std::as_bytes(std::span(text.data(), text.size()))); }
  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 0xcbf29ce484222325U;
};

}  // namespace ebt
