#include "denoise_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/report/contact_sheet.h"

namespace ebt {
namespace {

std::vector<float> planes_of(const Image& image) {
  std::vector<float> planes(image.pixels.size());
  to_planes(image, 0, 0, {planes.data(), {image.channels, image.height, image.width}});
  return planes;
}

TiledResult run(const OpenedImageModel& model, const DenoiseJob& job, int64_t steps,
                const TilingOptions& tiling, Tensor<const float> noisy,
                const std::function<void(double)>& on_progress) {
  std::vector<float> input(noisy.begin(), noisy.end());
  scale_to_model(job.noise, {input.data(), noisy.shape});
  DenoiseOptions options = job.options;
  options.steps = steps;
  return denoise_tiled(*model.denoiser, {input.data(), noisy.shape}, options, tiling,
                       [&](double done) {
                         on_progress(done);
                         return true;
                       });
}

std::string decibels(const DenoisedImage& denoised, size_t step) {
  return step < denoised.quality.size() ? fmt::format("{:.2f} dB", denoised.quality[step].psnr)
                                        : "";
}

}  // namespace

DenoisedImage denoise_image(const DenoiseJob& job, const Image& image, const std::string& name,
                            int64_t number, const std::function<void(double)>& on_progress) {
  const int64_t channels = job.model.denoiser->config().channels;
  EBT_CHECK(channels == 3 || image.channels == 1,
            "'{}' has colours, and the model is one of grey images", name);
  const std::vector<float> clean = planes_of(with_channels(image, channels));
  const Shape shape = {channels, image.height, image.width};
  std::vector<float> noisy = clean;
  DenoisedImage denoised;
  const auto add_quality = [&](const std::vector<float>& planes) {
    denoised.quality.push_back(image_quality({planes.data(), shape}, {clean.data(), shape}));
  };
  if (job.adds_noise) {
    add_noise(job.noise, job.seed, number, {clean.data(), shape}, {noisy.data(), shape});
    denoised.noisy = from_planes({noisy.data(), shape});
    add_quality(noisy);
  }
  const double share = job.baseline.has_value() ? 0.5 : 1;  // of the work that is the model's
  const auto begin = std::chrono::steady_clock::now();
  denoised.tiled = run(job.model, job, job.options.steps, job.tiling, {noisy.data(), shape},
                       [&](double done) { on_progress(share * done); });
  denoised.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  denoised.model_result = from_planes({denoised.tiled.image.data(), shape});
  denoised.result = with_channels(denoised.model_result, image.channels);
  if (job.adds_noise) {
    for (const std::vector<float>& step : denoised.tiled.trajectory) {
      add_quality(step);
    }
    if (denoised.tiled.trajectory.empty()) {
      add_quality(denoised.tiled.image);
    }
  }
  if (job.baseline.has_value()) {
    TilingOptions tiling = job.tiling;
    tiling.trajectory = false;
    const TiledResult result =
        run(*job.baseline, job, job.baseline_steps, tiling, {noisy.data(), shape},
            [&](double done) { on_progress(share + (1 - share) * done); });
    denoised.baseline = from_planes({result.image.data(), shape});
    if (job.adds_noise) {
      denoised.baseline_quality =
          image_quality({result.image.data(), shape}, {clean.data(), shape});
    }
  }
  return denoised;
}

std::string sheet_of(const DenoiseJob& job, const Image& image, const DenoisedImage& denoised,
                     const std::string& name) {
  constexpr int64_t kSteps = 8;  // shown; of more, some spread evenly
  ContactSheet sheet;
  sheet.subject = fmt::format("{} · {} · noise of {}", name, job.model.name, job.noise.name);
  const int64_t channels = denoised.model_result.channels;
  sheet.images.push_back(
      {job.adds_noise ? "original" : "input", "", with_channels(image, channels)});
  if (denoised.noisy.has_value()) {
    sheet.images.push_back({"noisy", decibels(denoised, 0), *denoised.noisy});
  }
  const Shape shape = {channels, image.height, image.width};
  const int64_t steps = denoised.tiled.steps;
  const int64_t shown = std::min(steps, kSteps);
  for (int64_t i = 1; i <= shown; ++i) {
    const auto step = static_cast<size_t>(i * steps / shown);
    sheet.images.push_back({fmt::format("{} {}", job.model.thinks() ? "step" : "pass", step),
                            decibels(denoised, step),
                            from_planes({denoised.tiled.trajectory.at(step - 1).data(), shape})});
  }
  sheet.energy = denoised.tiled.energy;
  for (const ImageQuality& quality : denoised.quality) {
    sheet.psnr.push_back(quality.psnr);
  }
  if (denoised.baseline.has_value()) {
    const std::string label = job.baseline->name;
    std::string note;
    if (denoised.baseline_quality.has_value()) {
      sheet.baseline = {label, denoised.baseline_quality->psnr};
      note = fmt::format("{:.2f} dB", denoised.baseline_quality->psnr);
    }
    sheet.images.push_back({label, note, *denoised.baseline});
  }
  return contact_sheet(sheet);
}

Json json_of(const DenoisedImage& denoised) {
  const auto quality_json = [](const ImageQuality& quality) {
    return Json{{"psnr", quality.psnr},
                {"ssim", quality.ssim},
                {"mse", quality.mse},
                {"unit_mse", quality.unit_mse}};
  };
  const TiledResult& tiled = denoised.tiled;
  Json object = {{"height", denoised.result.height},
                 {"width", denoised.result.width},
                 {"tiles", tiled.tiles},
                 {"steps", tiled.steps},
                 {"steps_per_tile",
                  static_cast<double>(tiled.steps_of_tiles) / static_cast<double>(tiled.tiles)},
                 {"seconds", denoised.seconds}};
  if (!tiled.energy.empty()) {
    object["energy"] = tiled.energy;
  }
  if (!denoised.quality.empty()) {
    object["noisy"] = quality_json(denoised.quality.front());
    object["denoised"] = quality_json(denoised.quality.back());
  }
  if (denoised.quality.size() > 2) {
    Json psnr = Json::array();
    for (const ImageQuality& quality : denoised.quality) {
      psnr.push_back(quality.psnr);
    }
    object["psnr_by_step"] = std::move(psnr);
  }
  if (denoised.baseline_quality.has_value()) {
    object["baseline"] = quality_json(*denoised.baseline_quality);
  }
  return object;
}

}  // namespace ebt
