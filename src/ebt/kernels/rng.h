// Counter-based random numbers: Philox 4x32-10 (Salmon et al., SC 2011), through Random123.
#pragma once

#include <cstdint>

#include "ebt/core/tensor.h"

namespace ebt {

// What a number is for. Streams of different purposes never overlap.
enum class RandomPurpose : uint32_t {
  kInitialWeights,
  kDataOrder,
  kInitialPrediction,
  kLangevin,
  kStepSize,
  kStepCount,
  kReplay,
  kSampling,
  kTestNoise,
  kImages,
  kDeadLeaves,
  kLab,
  kPuzzles,
  kGaps,
  kWrongAnswers,
};

// A stream of independent numbers, addressed by element: any element can be made alone, in any
// order, by any thread, and made again later.
struct RandomStream {
  uint64_t seed = 0;
  RandomPurpose purpose = RandomPurpose::kInitialWeights;
  // Training step, epoch, or tensor number: which of the purpose's streams.
  uint64_t step = 0;

  // The element's 32 random bits.
  uint32_t bits(uint64_t element) const;
  // Uniform in [0, 1), with 24 random bits.
  double uniform(uint64_t element) const;
  // Uniform integer in [0, bound); bound > 0. Bias below bound / 2^64.
  uint64_t below(uint64_t bound, uint64_t element) const;
  // out[i] = scale * N(0,1) draw of element first + i.
  template <class T>
  void normal(uint64_t first, Tensor<T> out, T scale) const;
  // out[i] = uniform(first + i)
  template <class T>
  void uniform(uint64_t first, Tensor<T> out) const;
};

}  // namespace ebt
