// The ranking loss: the energy of the truth should lie below that of a candidate,
//   loss = softplus(truth - candidate) = log(1 + exp(truth - candidate)).
#pragma once

#include <cstdint>

#include "ebt/kernels/isa.h"

namespace ebt::kernels {

template <class T>
struct RankingKernels {
  // For each element with a target, its loss and truth_bar = scale * its derivative by the truth's
  // energy, the negative of that by the candidate's; 0 where the target is negative.
  void (*loss_and_gradient)(int64_t count, const T* truth, const T* candidate,
                            const int32_t* targets, double scale, T* loss, T* truth_bar);
};

template <class T>
const RankingKernels<T>& ranking() {
  return table<RankingKernels<T>>();
}

}  // namespace ebt::kernels
