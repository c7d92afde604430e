#include "ebt/think/image_denoiser.h"

#include "ebt/core/error.h"

namespace ebt {

void mean_over_patches(Tensor<const float> patches, Tensor<float> mean) {
  const int64_t count = patches.dim(1);
  const int64_t width = patches.dim(2);
  EBT_CHECK(mean.shape == Shape({patches.dim(0), width}),
            "features: the mean of {} over patches is not {}", patches.shape.to_string(),
            mean.shape.to_string());
  for (int64_t b = 0; b < patches.dim(0); ++b) {
    for (int64_t i = 0; i < width; ++i) {
      double sum = 0;
      for (int64_t t = 0; t < count; ++t) {
        sum += static_cast<double>(patches[(b * count + t) * width + i]);
      }
      mean[b * width + i] = static_cast<float>(sum / static_cast<double>(count));
    }
  }
}

}  // namespace ebt
