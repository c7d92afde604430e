#include "ebt/serve/image_work.h"

#include <chrono>
#include <utility>

#include "ebt/eval/image_quality.h"

namespace ebt {
namespace {

class ImageWork {
 public:
  ImageWork(ImageDenoiser& denoiser, const ImageRequest& request, const ImageWatcher& watcher)
      : denoiser_(denoiser),
        options_(request.options),
        channels_(request.image.channels),
        watcher_(watcher),
        clean_(with_channels(request.image, denoiser.config().channels)),
        shape_{clean_.channels, clean_.height, clean_.width},
        pixels_(clean_.pixels.size()) {}

  std::optional<DenoisedImage> run() {
    const auto begin = std::chrono::steady_clock::now();
    prepare();
    TilingOptions tiling;
    if (options_.wants_states()) {
      tiling.on_state = [this](const TiledState& state) { tell(state); };
    }
    TiledResult tiled =
        denoise_tiled(denoiser_, planes(), options_.denoise, tiling, watcher_.on_progress);
    if (!tiled.complete) {
      return std::nullopt;
    }
    if (!options_.stream) {
      result_.png = encode(from_planes({tiled.image.data(), shape_}));
    }
    result_.width = clean_.width;
    result_.height = clean_.height;
    result_.tiles = tiled.tiles;
    result_.steps = tiled.steps;
    result_.steps_of_tiles = tiled.steps_of_tiles;
    result_.energy = std::move(tiled.energy);
    result_.patch_energy = std::move(tiled.patch_energy);
    result_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return std::move(result_);
  }

 private:
  Tensor<float> planes() { return {pixels_.data(), shape_}; }

  // Makes what the model is given, and keeps it as people see it.
  void prepare() {
    to_planes(clean_, 0, 0, planes());
    if (options_.adds_noise) {
      const std::vector<float> clean = pixels_;
      add_noise(options_.noise, options_.seed, 0, {clean.data(), shape_}, planes());
      given_ = from_planes(planes());
      if (!options_.stream) {
        result_.noisy = encode(given_);
      }
    } else {
      given_ = clean_;
    }
    scale_to_model(options_.noise, planes());
  }

  // Files have the channels of the image that was sent.
  std::string encode(const Image& image) const {
    return encode_png(with_channels(image, channels_));
  }

  void tell(const TiledState& tiled) {
    // The model is given the image on another scale than it leaves it on.
    const Image image = tiled.steps == 0 ? given_ : from_planes(tiled.image);
    ImageState state;
    state.step = tiled.steps;
    if (options_.adds_noise) {
      state.psnr = psnr_of(mean_squared_error(image, clean_));
      result_.psnr.push_back(*state.psnr);
    }
    if (!options_.stream || !watcher_.on_state) {
      return;
    }
    if (!tiled.patch_energy.values.empty()) {
      state.energy = tiled.energy;
      state.patch_energy = tiled.patch_energy;
    }
    state.png = encode(image);
    watcher_.on_state(std::move(state));
  }

  ImageDenoiser& denoiser_;
  const CleaningOptions& options_;
  int64_t channels_;  // of the image that was sent
  const ImageWatcher& watcher_;
  Image clean_;  // with the model's channels; the one that is compared with
  Image given_;
  Shape shape_;
  std::vector<float> pixels_;  // (C, H, W), what the model is given
  DenoisedImage result_;
};

}  // namespace

std::optional<DenoisedImage> denoise_requested(ImageDenoiser& denoiser, const ImageRequest& request,
                                               const ImageWatcher& watcher) {
  return ImageWork(denoiser, request, watcher).run();
}

}  // namespace ebt
