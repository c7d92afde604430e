// A cache of the tokens of words: text repeats itself.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ebt {

// Lets a map of strings be asked for parts of a text.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

// Bounded, and safe to use from many threads. Long words are not kept.
class WordCache {
 public:
  // Appends the tokens of `word` to `tokens`; false when it is not known.
  bool append(std::string_view word, std::vector<int32_t>& tokens) {
    if (word.size() > kMaxWord_bytes) {
      return false;
    }
    Shard& shard = shard_of(word);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.words.find(word);
    if (found == shard.words.end()) {
      return false;
    }
    tokens.insert(tokens.end(), found->second.begin(), found->second.end());
    return true;
  }

  void keep(std::string_view word, std::span<const int32_t> tokens) {
    if (word.size() > kMaxWord_bytes) {
      return;
    }
    Shard& shard = shard_of(word);
    const std::lock_guard lock(shard.mutex);
    if (shard.words.size() >= kMaxShardWords) {
      shard.words.clear();
    }
    shard.words.try_emplace(std::string(word), tokens.begin(), tokens.end());
  }

 private:
  static constexpr size_t kMaxWord_bytes = 48;
  static constexpr size_t kMaxShardWords = 4096;
  static constexpr size_t kShards = 32;

  // On a cache line of its own, so that threads do not wait for each other's.
  struct alignas(64) Shard {
    std::mutex mutex;
    std::unordered_map<std::string, std::vector<int32_t>, TextHash, std::equal_to<>> words;
  };
  Shard& shard_of(std::string_view word) {
    // The upper bits: the maps use the lower ones.
    return shards_[TextHash()(word) >> 40U & (kShards - 1)];
  }

  std::array<Shard, kShards> shards_;
};

}  // namespace ebt
