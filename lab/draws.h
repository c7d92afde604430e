// The random number generator of the experiments.
#pragma once

#include <cstdint>

#include "ebt/data/random_draws.h"

namespace ebt {

// What a lab draws numbers for. Those of different parts never overlap.
enum class LabPart : uint32_t {
  kLinearExperts,
  kGraph,
  kNames,
  kClusters,
  kExperts,
  kFacts,
  kQuestions,
  kPuzzles,
  kBootstrap,
};

// The numbers of one thing that a lab makes: `index` (below 2^32) says which of its part.
class Draws : public RandomDraws {
 public:
  Draws(uint64_t seed, LabPart part, uint64_t index)
      : RandomDraws({seed, RandomPurpose::kLab, static_cast<uint64_t>(part) << 32U | index}) {}
};

}  // namespace ebt
