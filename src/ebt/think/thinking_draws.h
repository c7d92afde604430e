// The random numbers of a pass of thinking.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "ebt/core/tensor.h"
#include "ebt/kernels/rng.h"
#include "ebt/model/thinking_config.h"

namespace ebt {

// Functions that make those of n candidates from `first` on where they are needed.
template <class T>
struct ThinkingDraws {
  std::function<void(int64_t first, Tensor<T>)> initial;  // (n, size) where thinking starts
  std::function<void(int64_t step, int64_t first, Tensor<T>)> langevin;  // (n, size) N(0, 1)
  std::function<void(int64_t first, Tensor<T>)> step_size;               // (n) uniform in [0, 1)
  std::vector<int64_t> landscapes;                                       // of every thinking step
};

// Every landscape as often as `repeats` says.
std::vector<int64_t> landscapes_of(const std::vector<int64_t>& repeats);

// The landscape of every thinking step where nothing is learned: each as often as in training, then
// the last one for as long as wanted. steps = 0: as many as in training.
std::vector<int64_t> inference_landscapes(int64_t landscapes, const ThinkingSettings& thinking,
                                          int64_t steps);

// Which candidates of a batch draw numbers: those from `first` on, of `size` numbers each, in a
// training step.
struct DrawAddress {
  uint64_t seed = 0;
  uint64_t training_step = 0;
  int64_t first = 0;
  int64_t size = 0;

  // N(0, 1) numbers of the candidates from `candidate` on, times `scale`, where thinking starts.
  template <class T>
  void initial(int64_t candidate, Tensor<T> out, T scale) const {
    RandomStream{seed, RandomPurpose::kInitialPrediction, training_step}.normal(
        static_cast<uint64_t>((first + candidate) * size), out, scale);
  }
  // The same as ThinkingDraws::initial.
  template <class T>
  std::function<void(int64_t candidate, Tensor<T>)> initial_noise(double scale) const {
    return [address = *this, scale = static_cast<T>(scale)](int64_t candidate, Tensor<T> out) {
      address.initial(candidate, out, scale);
    };
  }
};

// The draws of a training step: all but where thinking starts.
template <class T>
ThinkingDraws<T> training_draws(const ThinkingSettings& thinking, int64_t landscapes,
                                const DrawAddress& address);

}  // namespace ebt
