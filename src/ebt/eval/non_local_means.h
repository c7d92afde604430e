// Non-local means, a classical denoiser to compare models with.
#pragma once

#include <cstdint>

#include "ebt/core/tensor.h"

namespace ebt {

// How non-local means is set for some noise.
struct NonLocalMeansOptions {
  int64_t patch_radius = 1;    // f: patches of (2f + 1)^2 pixels are compared
  int64_t search_radius = 10;  // r: with those around the (2r + 1)^2 nearest pixels
  double strength = 0.5;       // k: the filter's h is k times the noise's deviation

  // The settings of Buades, Coll and Morel, "Non-Local Means Denoising" (Image Processing On Line,
  // 2011), for noise of deviation sigma / 255: patches and search grow with it. Above sigma 100,
  // the last they give.
  static NonLocalMeansOptions for_noise(double sigma, int64_t channels);
};

// Non-local means (Buades, Coll and Morel, 2005): every pixel becomes the mean of those around it,
// weighted by how alike their surroundings are, exp(-max(d^2 - 2 s^2, 0) / h^2), where d^2 is the
// mean squared difference of two patches and s the deviation of the noise.
//
// As in the reference above, all pixels of a patch take its weights, and a pixel is the mean of
// what the patches that hold it say ("patchwise").
//
// noisy, result (C, H, W), in any units, which are those of `deviation`. Beyond its borders an
// image is reflected. The result does not depend on the number of threads.
void non_local_means(Tensor<const float> noisy, double deviation,
                     const NonLocalMeansOptions& options, Tensor<float> result);

}  // namespace ebt
