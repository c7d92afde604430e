// AdamW (Loshchilov and Hutter, arXiv 1711.05101) over all weights of a model, as
// torch.optim.AdamW computes it:
//
//   w ← w − η λ w
//   m ← β₁ m + (1 − β₁) g          v ← β₂ v + (1 − β₂) g²
//   w ← w − η/(1 − β₁ᵗ) · m / (√(v/(1 − β₂ᵗ)) + ε)
//
// where λ is 0 for entries without weight decay and η is the learning rate times the multiplier of
// the entry's group.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ebt/dist/group.h"
#include "ebt/dist/shards.h"
#include "ebt/kernels/adamw.h"
#include "ebt/model/parameters.h"
#include "ebt/train/run_settings.h"

namespace ebt {

// One named parameter that learns at its own rate, without weight decay.
struct ParameterGroup {
  std::string name;
  double rate_multiplier = 1.0;  // of the learning rate; 0 freezes the parameter
};

// Owns the moments: of all parameters or, in a group of ranks, of this rank's shard (ZeRO-1,
// Rajbhandari et al., arXiv 1910.02054). Results depend neither on the number of threads nor on
// that of ranks: the work is cut into fixed segments, shards consist of whole ones, and sums over
// segments are taken in order. All ranks call what speaks of all parameters.
template <class T>
class AdamW {
 public:
  // The layout and the group must outlive the optimizer. Groups that name no entry are ignored, so
  // that a model without a step size needs no special case.
  AdamW(const ParameterLayout& layout, const OptimizerConfig& config,
        const std::vector<ParameterGroup>& groups, Group& ranks = lone_group());

  // Euclidean norm of the gradients of all parameters that are not frozen, in double. Every rank
  // knows those of its shard.
  double gradient_norm(const ParameterBlock<T>& gradients) const;

  // One update with gradients multiplied by `gradient_scale`: of this rank's shard, and then of all
  // weights from those who have them.
  void update(ParameterBlock<T>& weights, const ParameterBlock<T>& gradients, double learning_rate,
              double gradient_scale = 1.0);

  const ParameterLayout& layout() const { return *layout_; }
  // Which rank has which elements of the layout.
  const Shards& shards() const { return shards_; }
  Group& ranks() const { return *ranks_; }

  // The state: what must be saved and restored for the next update to be the same. Moments are
  // those of this rank's shard, from its first element on.
  std::vector<T>& first_moments() { return first_moments_; }
  std::vector<T>& second_moments() { return second_moments_; }
  int64_t update_count() const { return update_count_; }
  void set_update_count(int64_t count) { update_count_ = count; }

 private:
  const ParameterLayout* layout_;
  OptimizerConfig config_;
  Group* ranks_;
  Shards segment_shards_;  // as `shards_`, in segments of all parameters that learn
  Shards shards_;
  std::vector<kernels::ParameterSegment> segments_;  // of the shard, from its first element on
  std::vector<T> first_moments_;                     // of the shard
  std::vector<T> second_moments_;
  int64_t update_count_ = 0;
};

// The factor that brings a gradient of norm `norm` to at most `clip_norm`, as
// torch.nn.utils.clip_grad_norm_ computes it; 1 when clip_norm is 0.
double clip_scale(double norm, double clip_norm);

}  // namespace ebt
