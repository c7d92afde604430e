// PSNR and SSIM of an image against another.
#pragma once

#include "ebt/core/tensor.h"
#include "ebt/data/image/image.h"

namespace ebt {

struct ImageQuality {
  // Mean squared difference over pixels and channels of 8-bit values, rounded and clamped to
  // 0..255: the MSE of the paper.
  double mse = 0;
  // The same of values in [0, 1], clamped but not rounded: the usual MSE, in which noise of
  // deviation sigma / 255 on a grey image is (sigma / 255)^2.
  double unit_mse = 0;
  double psnr = 0;  // of `mse`
  double ssim = 0;  // of the same 8-bit values
};

// Of planes (C, H, W), pixels in [-1, 1], against others of the same shape. Throws Error when the
// shapes differ.
ImageQuality image_quality(Tensor<const float> planes, Tensor<const float> reference);

// Mean squared difference of all values. Throws Error when the sizes differ.
double mean_squared_error(const Image& image, const Image& reference);

// Decibels: 10 log10(255^2 / mse); infinite for an mse of 0.
double psnr_of(double mse);

// The structural similarity index of Wang, Bovik, Sheikh and Simoncelli (2004): Gaussian windows of
// 11 x 11 pixels and deviation 1.5, K1 = 0.01, K2 = 0.03, L = 255, averaged over all windows that
// lie within the image, and over channels. Along an axis shorter than a window it is cut to the
// axis. At most 1, for equal images. Throws Error when the sizes differ.
double structural_similarity(const Image& image, const Image& reference);

}  // namespace ebt
