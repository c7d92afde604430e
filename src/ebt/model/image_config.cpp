#include "ebt/model/image_config.h"

#include "ebt/core/error.h"

namespace ebt {

const EnumNames<ImageArchitecture>& enum_names(ImageArchitecture) {
  static const EnumNames<ImageArchitecture> kNames = {{"ebt", ImageArchitecture::kEbt},
                                                      {"dit", ImageArchitecture::kDit}};
  return kNames;
}

void ImageModelConfig::check() const {
  EBT_CHECK(channels == 1 || channels == 3, "--channels: {} is neither 1 nor 3", channels);
  EBT_CHECK(patch >= 1 && patch <= 256, "--patch: {} is not between 1 and 256", patch);
  EBT_CHECK(image_height >= patch && image_height <= 4096 && image_height % patch == 0,
            "--image-height: {} is not a multiple of the patch ({}) up to 4096", image_height,
            patch);
  EBT_CHECK(image_width >= patch && image_width <= 4096 && image_width % patch == 0,
            "--image-width: {} is not a multiple of the patch ({}) up to 4096", image_width, patch);
  EBT_CHECK(layers >= 1 && layers <= 1000, "--layers: {} is not between 1 and 1000", layers);
  EBT_CHECK(width >= 4 && width <= 65536 && width % 4 == 0,
            "--width: {} is not a multiple of 4 between 4 and 65536", width);
  EBT_CHECK(heads >= 1 && width % heads == 0, "--heads: {} heads do not divide a width of {}",
            heads, width);
  EBT_CHECK(ffn_multiplier > 0 && ffn_multiplier <= 64 && ffn_width() >= 1,
            "--ffn-multiplier: {} is not between 0 and 64, or leaves no width", ffn_multiplier);
  EBT_CHECK(norm_eps >= 0 && norm_eps <= 1e6, "--norm-eps: {} is not between 0 and 10^6", norm_eps);
}

void ImageThinkingConfig::check() const {
  check_settings();
  EBT_CHECK(step_size > 0, "--step-size: {} is not between 0 and 10^9", step_size);
}

}  // namespace ebt
