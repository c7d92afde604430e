// Byte-pair encoding of one word.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace ebt {

// Merges neighbouring tokens, always the pair that was learned first. Takes O(n log n) for a word
// of n bytes. Once filled, safe to use from many threads.
class BytePairMerger {
 public:
  // Lets `left` and `right` become `merged`. Pairs are to be added in the order of their learning;
  // one that is added again takes the later place.
  void add(int32_t left, int32_t right, int32_t merged);

  // Replaces the tokens of the bytes of a word by those that remain when nothing more can merge.
  void merge(std::vector<int32_t>& tokens) const;

 private:
  struct Merge {
    int32_t rank = 0;
    int32_t merged = 0;
  };
  const Merge* find(int32_t left, int32_t right) const;

  std::unordered_map<uint64_t, Merge> merges_;
  int32_t count_ = 0;
};

}  // namespace ebt
