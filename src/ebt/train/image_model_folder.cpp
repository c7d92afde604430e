#include "ebt/train/image_model_folder.h"

#include <utility>

#include "ebt/core/bfloat16.h"
#include "ebt/model/noise_schedule.h"
#include "ebt/think/dit_denoiser.h"
#include "ebt/think/ebt_denoiser.h"
#include "ebt/train/model_folder.h"

namespace ebt {

std::unique_ptr<ImageDenoiser> load_image_denoiser(const std::filesystem::path& folder,
                                                   int64_t batch, const std::string& precision) {
  EBT_CHECK(batch >= 1 && batch <= 65536, "--batch: {} is not between 1 and 65536", batch);
  const ImageTrainConfig config = load_image_config(folder);
  config.model.check();
  config.noise.check();
  const SafetensorsFile file(folder / kModelFile);
  auto layout = std::make_unique<ParameterLayout>(image_model_layout(config.model));
  check_weights(file, *layout);
  ParameterBlock<float> weights(*layout);
  load_weights(file, weights);
  const int64_t timestep = NoiseSchedule().step_of_level(config.noise.level);
  return with_stored_type<float>(
      precision_of(precision), [&]<class S>() -> std::unique_ptr<ImageDenoiser> {
        if (config.model.arch == ImageArchitecture::kDit) {
          return std::make_unique<DitDenoiser<S>>(config.model, timestep, std::move(layout),
                                                  std::move(weights), batch);
        }
        return std::make_unique<EbtDenoiser<S>>(config.model, timestep, std::move(layout),
                                                std::move(weights), batch);
      });
}

}  // namespace ebt
