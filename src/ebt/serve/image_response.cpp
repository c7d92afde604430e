#include "ebt/serve/image_response.h"

#include <array>
#include <charconv>
#include <cmath>

#include "ebt/io/base64.h"

namespace ebt {
namespace {

// A float in as few digits as tell it apart: a map has thousands of them.
Json short_number(float value) {
  if (!std::isfinite(value)) {
    return nullptr;
  }
  std::array<char, 32> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value);
  double number = 0;
  std::from_chars(text.data(), written.ptr, number);
  return number;
}

Json map_json(const PatchMap& map) {
  Json values = Json::array();
  for (const float value : map.values) {
    values.push_back(short_number(value));
  }
  return {{"rows", map.rows},
          {"columns", map.columns},
          {"patch", map.patch},
          {"values", std::move(values)}};
}

Json file_json(const std::string& png) { return {{"b64_json", base64(png)}}; }

}  // namespace

Json denoised_json(const CleaningOptions& options, const ServedImageModel& model,
                   const DenoisedImage& result, int64_t created) {
  Json json = {{"object", "image.denoised"},
               {"created", created},
               {"model", model.name},
               {"width", result.width},
               {"height", result.height},
               {"tiles", result.tiles},
               {"steps", result.steps},
               {"steps_per_tile",
                static_cast<double>(result.steps_of_tiles) / static_cast<double>(result.tiles)},
               {"timestep", options.noise.timestep},
               {"sigma", options.noise.sigma()},
               {"seconds", result.seconds}};
  if (options.adds_noise) {
    json["seed"] = options.seed;
    json["psnr"] = result.psnr;
  }
  if (model.thinks()) {
    json["energy"] = result.energy;
    json["patch_energy"] = map_json(result.patch_energy);
  }
  if (!options.stream) {
    json["data"] = Json::array({file_json(result.png)});
    if (options.adds_noise) {
      json["noisy"] = file_json(result.noisy);
    }
  }
  return json;
}

Json state_json(const ImageState& state) {
  Json json = {{"object", "image.step"}, {"step", state.step}};
  if (state.energy) {
    json["energy"] = *state.energy;
    json["patch_energy"] = map_json(state.patch_energy);
  }
  if (state.psnr) {
    json["psnr"] = *state.psnr;
  }
  json.update(file_json(state.png));
  return json;
}

Json progress_json(double done) { return {{"object", "image.progress"}, {"done", done}}; }

Json model_json(const ServedImageModel& model, const RequestLimits& limits) {
  const ImageModelConfig& config = model.config;
  return {{"id", model.name},
          {"object", "model"},
          {"created", model.created},
          {"owned_by", "ebt"},
          {"ebt",
           {{"kind", "image"},
            {"arch", enum_name(config.arch)},
            {"thinks", model.thinks()},
            {"width", config.image_width},
            {"height", config.image_height},
            {"channels", config.channels},
            {"patch", config.patch},
            {"trained_sigma", ImageNoise::of_timestep(model.trained_timestep).sigma()},
            {"max_steps", limits.max_thinking_steps},
            {"max_body", limits.max_image_body_bytes},
            {"max_pixels", limits.max_image_pixels},
            {"max_history", limits.max_image_history}}}};
}

}  // namespace ebt
