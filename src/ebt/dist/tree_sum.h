// Sums of vectors in a fixed binary tree, which are the same to the bit however many ranks add
// them:
//
//   ((g0 + g1) + (g2 + g3)) + ((g4 + g5) + (g6 + g7))
//
// Each of N ranks has as many neighbouring vectors as the others, a power of two. It adds its own
// (TreeSum), which are a subtree, and what is above that the ranks add together (sum_into_shards).
// IEEE addition commutes, so that nobody needs to know which operand came first.
#pragma once

#include <cstdint>
#include <vector>

#include "ebt/dist/group.h"
#include "ebt/dist/shards.h"

namespace ebt {

// The sum of vectors that come one after the other: a binary counter whose digits are the sums of
// complete subtrees. Holds log2(vectors) vectors.
template <class T>
class TreeSum {
 public:
  // Throws Error unless `vectors` is a power of two.
  TreeSum(int64_t elements, int64_t vectors);

  // Forgets what was added to a sum that is not complete.
  void begin() { added_ = 0; }
  // Adds the next vector (elements). The last of them leaves the sum in `values`, and the next
  // begins another; after any other, `values` are of no further use.
  void add(T* values);

 private:
  int64_t elements_, vectors_;
  int64_t added_ = 0;
  std::vector<std::vector<T>> subtrees_;  // [level] the sum of 2^level vectors
};

// Recursive halving: level by level of the tree, a rank gives its partner the half that it does not
// keep. `values` are this rank's summand on entry; on return its shard is the sum over all ranks,
// and the rest is of no further use. It sends what is not in its shard, once.
template <class T>
void sum_into_shards(Group& group, const Shards& shards, T* values);

// Recursive doubling, the way back: `values` are right in this rank's shard on entry, and
// everywhere on return. It receives what is not in its shard, once.
template <class T>
void gather_shards(Group& group, const Shards& shards, T* values);

// The same with half of the traffic: all ranks get all values rounded to bfloat16, their own shards
// too.
void gather_shards_in_bf16(Group& group, const Shards& shards, float* values);

// What the shards have of `range`, in `out` of rank 0. `shard` is this rank's, from its own first
// element on.
template <class T>
void gather_range_at_rank_0(Group& group, const Shards& shards, const T* shard, ElementRange range,
                            T* out);

}  // namespace ebt
