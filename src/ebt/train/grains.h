// How the rows of a batch are shared out among the ranks of a run, so that what is learned from
// them does not depend on the number of ranks.
#pragma once

#include <cstdint>

#include "ebt/core/function_ref.h"
#include "ebt/dist/tree_sum.h"
#include "ebt/model/loss_sums.h"
#include "ebt/model/parameters.h"

namespace ebt {

// Throws Error unless a batch of `rows` can be cut into so many grains.
void check_grains(int64_t grains, int64_t rows);
// Throws Error unless so many ranks can share the grains.
void check_ranks(int ranks, int64_t grains);

// A batch is cut into grains of neighbouring rows. The gradient of each starts from zero, and
// gradients are added in the fixed tree of dist/tree_sum.h, losses in the order of the grains.
// Every rank has as many neighbouring grains as the others.
template <class T>
class Grains {
 public:
  // Of a batch of `rows` for gradients that lie in `shards`, as check_grains and check_ranks want
  // them. The group must outlive them.
  Grains(int64_t grains, int64_t rows, const Shards& shards, Group& ranks);
  // One grain on one rank: the batch as it is.
  explicit Grains(int64_t rows) : Grains(1, rows, Shards(), lone_group()) {}

  // This rank's rows of the batch.
  int64_t first_row() const { return ranks_->rank() * rows(); }
  int64_t rows() const { return own_grains_ * rows_per_grain_; }

  // The sum over all ranks of what each has counted. All ranks call it.
  int64_t total(int64_t own) const;

  // Calls learn(first row in the batch, rows) for every grain of this rank; it adds their gradients
  // to `gradients`, which are zeros at first, and returns their losses. Returns those of all
  // grains, and leaves in this rank's shard of `gradients` the sum of all. All ranks call it.
  LossSums add_up(ParameterBlock<T>& gradients,
                  FunctionRef<LossSums(int64_t first_row, int64_t rows)> learn);

 private:
  Group* ranks_;
  Shards shards_;
  int64_t own_grains_, rows_per_grain_;
  TreeSum<T> sum_;
};

}  // namespace ebt
