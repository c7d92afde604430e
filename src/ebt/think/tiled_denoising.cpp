#include "ebt/think/tiled_denoising.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "ebt/core/error.h"
#include "ebt/think/tile_grid.h"

namespace ebt {
namespace {

int64_t overlap_of(const TilingOptions& tiling, int64_t tile, int64_t patch) {
  return tiling.overlap.value_or(tile == patch ? 0 : std::min(tile / 4, tile - patch));
}

// What tiles give to the whole image, summed as they come: a state for every step, of the image or
// of its energy. A batch that has ended stands still, so its last state is also that of every later
// step.
template <class State>
class Course {
 public:
  explicit Course(State zero) : ended_(std::move(zero)) {}

  // The state after `step`, of which there may be none yet.
  State& at(size_t step) {
    while (states_.size() <= step) {
      states_.push_back(ended_);
    }
    return states_[step];
  }
  // A batch gave to its first `steps` states only: `add(state)` gives what it ended with to all
  // that follow.
  template <class Add>
  void end_batch(size_t steps, Add&& add) {
    for (size_t step = steps; step < states_.size(); ++step) {
      add(states_[step]);
    }
    add(ended_);
  }
  const State& ended() const { return ended_; }
  std::vector<State>& states() { return states_; }

 private:
  State ended_;  // of all batches that have ended
  std::vector<State> states_;
};

class TiledDenoising {
 public:
  TiledDenoising(ImageDenoiser& denoiser, Tensor<const float> image, const DenoiseOptions& options,
                 const TilingOptions& tiling, const TilingProgress& on_progress)
      : denoiser_(denoiser),
        config_(denoiser.config()),
        image_(image),
        options_(options),
        tiling_(tiling),
        on_progress_(on_progress),
        rows_(tile_axis(image.dim(1), config_.image_height, config_.patch,
                        overlap_of(tiling, config_.image_height, config_.patch))),
        columns_(tile_axis(image.dim(2), config_.image_width, config_.patch,
                           overlap_of(tiling, config_.image_width, config_.patch))),
        patch_row_weights_(rows_.patch_weights()),
        patch_column_weights_(columns_.patch_weights()),
        images_(std::vector<float>(static_cast<size_t>(image.count()))),
        energies_(0.0),
        map_{(image.dim(1) + config_.patch - 1) / config_.patch,
             (image.dim(2) + config_.patch - 1) / config_.patch,
             config_.patch,
             {}},
        maps_(std::vector<float>(static_cast<size_t>(map_.rows * map_.columns))) {}

  TiledResult run() {
    result_.tiles = rows_.count() * columns_.count();
    const int64_t batch = std::min(denoiser_.batch(), result_.tiles);
    std::vector<float> pixels(static_cast<size_t>(batch * config_.image_size()));
    for (int64_t first = 0; first < result_.tiles && result_.complete; first += batch) {
      const int64_t count = std::min(batch, result_.tiles - first);
      const Tensor<float> tiles{
          pixels.data(), {count, config_.channels, config_.image_height, config_.image_width}};
      for (int64_t i = 0; i < count; ++i) {
        cut(first + i, tiles.slice(i, 1));
      }
      denoise(first, tiles);
    }
    finish();
    return std::move(result_);
  }

 private:
  int64_t top_of(int64_t tile) const {
    return rows_.starts[static_cast<size_t>(tile / columns_.count())];
  }
  int64_t left_of(int64_t tile) const {
    return columns_.starts[static_cast<size_t>(tile % columns_.count())];
  }

  void cut(int64_t tile, Tensor<float> pixels) const {
    float* to = pixels.data;
    for (int64_t channel = 0; channel < config_.channels; ++channel) {
      for (int64_t y = 0; y < config_.image_height; ++y) {
        const float* from =
            image_.data +
            (channel * image_.dim(1) + reflected(top_of(tile) + y, image_.dim(1))) * image_.dim(2);
        for (int64_t x = 0; x < config_.image_width; ++x) {
          *to++ = from[reflected(left_of(tile) + x, image_.dim(2))];
        }
      }
    }
  }

  // Adds a batch of tiles, weighted, to an image.
  void blend(int64_t first, Tensor<const float> tiles, std::vector<float>& image) const {
    const int64_t height = image_.dim(1);
    const int64_t width = image_.dim(2);
    for (int64_t i = 0; i < tiles.dim(0); ++i) {
      const int64_t top = top_of(first + i);
      const int64_t left = left_of(first + i);
      const float* row_weights = rows_.weights_of((first + i) / columns_.count());
      const float* column_weights = columns_.weights_of((first + i) % columns_.count());
      const int64_t inside_rows = std::min(config_.image_height, height - top);
      const int64_t inside_columns = std::min(config_.image_width, width - left);
      for (int64_t channel = 0; channel < config_.channels; ++channel) {
        for (int64_t y = 0; y < inside_rows; ++y) {
          const float* from =
              tiles.data +
              ((i * config_.channels + channel) * config_.image_height + y) * config_.image_width;
          float* to = image.data() + (channel * height + top + y) * width + left;
          for (int64_t x = 0; x < inside_columns; ++x) {
            to[x] += row_weights[y] * column_weights[x] * from[x];
          }
        }
      }
    }
  }

  // Calls `visit(place in the map, weight, energy)` for every patch of a batch that holds a pixel
  // of the image.
  template <class Visit>
  void for_every_patch(int64_t first, Tensor<const float> energy, Visit&& visit) const {
    for (int64_t i = 0; i < energy.dim(0); ++i) {
      const int64_t top = top_of(first + i) / config_.patch;
      const int64_t left = left_of(first + i) / config_.patch;
      const float* row_weights =
          patch_row_weights_.data() + (first + i) / columns_.count() * energy.dim(1);
      const float* column_weights =
          patch_column_weights_.data() + (first + i) % columns_.count() * energy.dim(2);
      for (int64_t y = 0; y < std::min(energy.dim(1), map_.rows - top); ++y) {
        for (int64_t x = 0; x < std::min(energy.dim(2), map_.columns - left); ++x) {
          visit((top + y) * map_.columns + left + x, row_weights[y] * column_weights[x],
                energy[(i * energy.dim(1) + y) * energy.dim(2) + x]);
        }
      }
    }
  }

  // Adds to a sum patch by patch, so that it does not depend on the size of batches.
  void add_energy(int64_t first, Tensor<const float> patch_energy, double& sum) const {
    for_every_patch(first, patch_energy, [&](int64_t, float weight, float energy) {
      sum += static_cast<double>(weight) * static_cast<double>(energy);
    });
  }

  void add_map(int64_t first, Tensor<const float> patch_energy, std::vector<float>& map) const {
    for_every_patch(first, patch_energy, [&](int64_t place, float weight, float energy) {
      map[static_cast<size_t>(place)] += weight * energy;
    });
  }

  void denoise(int64_t first, Tensor<float> tiles) {
    const bool is_last = first + tiles.dim(0) == result_.tiles;
    std::vector<float> last_energy;
    size_t calls = 0;
    denoiser_.denoise(tiles, options_, [&](const DenoiseStep& step) {
      if (tiling_.trajectory || tiling_.on_state) {
        blend(first, step.images, images_.at(calls));
      }
      if (step.patch_energy) {
        has_energy_ = true;
        add_energy(first, step.patch_energy, energies_.at(calls));
        if (tiling_.on_state) {
          add_map(first, step.patch_energy, maps_.at(calls));
        }
        last_energy.assign(step.patch_energy.begin(), step.patch_energy.end());
      }
      for (const bool took : step.thinking) {
        result_.steps_of_tiles += took ? 1 : 0;
      }
      ++calls;
      if (is_last) {
        tell_states(calls);
      }
      // An EBT is called once more than it takes steps, for the energies of the final images.
      const double steps = static_cast<double>(options_.steps) + (has_energy_ ? 1 : 0);
      const double share = std::min(1.0, static_cast<double>(calls) / steps);
      result_.complete =
          !on_progress_ ||
          on_progress_((static_cast<double>(first) + share * static_cast<double>(tiles.dim(0))) /
                       static_cast<double>(result_.tiles));
      return result_.complete;
    });
    images_.end_batch(calls, [&](std::vector<float>& image) { blend(first, tiles, image); });
    if (!last_energy.empty()) {
      end_energy(
          first,
          {last_energy.data(), {tiles.dim(0), config_.patch_rows(), config_.patch_columns()}},
          calls);
    }
    calls_ = std::max(calls_, calls);
  }

  void end_energy(int64_t first, Tensor<const float> patch_energy, size_t calls) {
    energies_.end_batch(calls, [&](double& sum) { add_energy(first, patch_energy, sum); });
    maps_.end_batch(calls, [&](std::vector<float>& map) { add_map(first, patch_energy, map); });
  }

  double mean_energy(size_t state) {
    return energies_.at(state) / static_cast<double>(map_.rows * map_.columns);
  }

  // Tells of the states that are complete when all batches have been called so often: an EBT is
  // called before a step is taken, DiT after it.
  void tell_states(size_t calls) {
    if (!tiling_.on_state) {
      return;
    }
    for (const size_t known = has_energy_ ? calls : calls + 1; told_ < known; ++told_) {
      TiledState state{static_cast<int64_t>(told_), image_, map_, 0};
      if (told_ > 0) {
        state.image = {images_.at(told_ - 1).data(), image_.shape};
      }
      if (has_energy_) {
        state.patch_energy.values = maps_.at(told_);
        state.energy = mean_energy(told_);
      }
      tiling_.on_state(state);
      if (told_ > 0 && !tiling_.trajectory) {
        images_.at(told_ - 1) = std::vector<float>();
      }
    }
  }

  void finish() {
    if (result_.complete) {
      tell_states(calls_);  // what other batches than the last took longer to reach
    }
    const size_t steps = calls_ - (has_energy_ && calls_ > 0 ? 1 : 0);
    result_.steps = static_cast<int64_t>(steps);
    result_.patch_energy = map_;
    if (has_energy_) {
      result_.patch_energy.values = maps_.ended();
    }
    for (size_t state = 0; state < energies_.states().size(); ++state) {
      result_.energy.push_back(mean_energy(state));
    }
    result_.image = images_.ended();
    if (tiling_.trajectory) {
      images_.states().resize(steps);
      result_.trajectory = std::move(images_.states());
    }
    EBT_CHECK(!result_.complete || std::all_of(result_.image.begin(), result_.image.end(),
                                               [](float pixel) { return std::isfinite(pixel); }),
              "the model left pixels that are not finite after {} steps: it diverges with so many, "
              "or its weights are damaged",
              steps);
  }

  ImageDenoiser& denoiser_;
  const ImageModelConfig& config_;
  Tensor<const float> image_;
  const DenoiseOptions& options_;
  const TilingOptions& tiling_;
  const TilingProgress& on_progress_;
  AxisTiles rows_, columns_;
  std::vector<float> patch_row_weights_, patch_column_weights_;
  Course<std::vector<float>> images_;
  Course<double> energies_;
  PatchMap map_;  // without values
  Course<std::vector<float>> maps_;
  size_t told_ = 0;  // states
  bool has_energy_ = false;
  size_t calls_ = 0;  // of the batch that had most
  TiledResult result_;
};

}  // namespace

TiledResult denoise_tiled(ImageDenoiser& denoiser, Tensor<const float> image,
                          const DenoiseOptions& options, const TilingOptions& tiling,
                          const TilingProgress& on_progress) {
  EBT_CHECK(image.shape.rank() == 3 && image.count() > 0, "denoising: {} is no image",
            image.shape.to_string());
  EBT_CHECK(image.dim(0) == denoiser.config().channels,
            "the image has {} channels, and the model denoises images of {}", image.dim(0),
            denoiser.config().channels);
  return TiledDenoising(denoiser, image, options, tiling, on_progress).run();
}

}  // namespace ebt
