#include "ebt/think/image_denoiser.h"

#include "ebt/core/error.h"
#include "ebt/kernels/sums.h"

namespace ebt {

void mean_over_patches(Tensor<const float> patches, Tensor<float> mean) {
  const int64_t width = patches.dim(2);
  EBT_CHECK(mean.shape == Shape({patches.dim(0), width}),
            "features: the mean of {} over patches is not {}", patches.shape.to_string(),
            mean.shape.to_string());
  kernels::sums<float>().mean_of_rows(patches.dim(0), patches.dim(1), width, patches.data,
                                      mean.data);
}

}  // namespace ebt
