#include "ebt/data/tokenizer/byte_pair_merger.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <tuple>

namespace ebt {
namespace {

uint64_t key_of(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32U | static_cast<uint32_t>(right);
}

// A pair that could merge when it was seen. Tokens that merge otherwise make it obsolete.
struct Candidate {
  int32_t rank = 0;
  uint32_t left = 0;  // position of the left token
  uint64_t key = 0;   // of the pair, to tell whether it still stands there
  int32_t merged = 0;

  // Of equal ranks the leftmost is first.
  bool operator>(const Candidate& other) const {
    return std::tie(rank, left) > std::tie(other.rank, other.left);
  }
};

}  // namespace

void BytePairMerger::add(int32_t left, int32_t right, int32_t merged) {
  merges_[key_of(left, right)] = {count_++, merged};
}

const BytePairMerger::Merge* BytePairMerger::find(int32_t left, int32_t right) const {
  const auto found = merges_.find(key_of(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void BytePairMerger::merge(std::vector<int32_t>& tokens) const {
  constexpr int32_t kGone = -1;
  constexpr uint32_t kNone = UINT32_MAX;
  const auto size = static_cast<uint32_t>(tokens.size());
  std::vector<uint32_t> previous(size);
  std::vector<uint32_t> next(size);
  std::vector<Candidate> storage;
  storage.reserve(size);
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates(
      std::greater<>(), std::move(storage));
  const auto consider = [&](uint32_t left, uint32_t right) {
    if (left == kNone || right == kNone) {
      return;
    }
    if (const Merge* const merge = find(tokens[left], tokens[right])) {
      candidates.push({merge->rank, left, key_of(tokens[left], tokens[right]), merge->merged});
    }
  };
  for (uint32_t i = 0; i < size; ++i) {
    previous[i] = i == 0 ? kNone : i - 1;
    next[i] = i + 1 == size ? kNone : i + 1;
    consider(previous[i], i);
  }
  while (!candidates.empty()) {
    const Candidate best = candidates.top();
    candidates.pop();
    const uint32_t left = best.left;
    const uint32_t right = next[left];
    if (tokens[left] == kGone || right == kNone ||
        key_of(tokens[left], tokens[right]) != best.key) {
      continue;
    }
    tokens[left] = best.merged;
    tokens[right] = kGone;
    next[left] = next[right];
    if (next[left] != kNone) {
      previous[next[left]] = left;
    }
    consider(previous[left], left);
    consider(left, next[left]);
  }
  std::erase(tokens, kGone);
}

}  // namespace ebt
