#include "ebt/eval/image_run.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/data/image/image_crop.h"
#include "ebt/eval/non_local_means.h"
#include "ebt/think/tiled_denoising.h"

namespace ebt {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

bool thinks(const ImageContender& contender) {
  return contender.denoiser->config().arch == ImageArchitecture::kEbt;
}

// The rows of a contender: what it is asked for, as far as it goes.
std::vector<int64_t> passes_of(const ImageContender& contender, const ImageNoise& noise) {
  std::vector<int64_t> passes;
  for (const int64_t wanted : contender.passes) {
    const int64_t taken = thinks(contender) ? wanted : std::min(wanted, noise.timestep + 1);
    if (passes.empty() || passes.back() < taken) {
      passes.push_back(taken);
    }
  }
  return passes;
}

struct NumberedImage {
  int64_t number;
  std::string name;
  Image image;
};

// Images of one size that are measured together, and the same with noise.
struct Group {
  Shape shape;                     // (B, C, H, W)
  std::vector<std::string> names;  // (B)
  std::vector<float> clean;
  std::vector<float> noisy;

  Tensor<const float> view(const std::vector<float>& pixels) const {
    return {pixels.data(), shape};
  }
};

// (C, H, W) of one image of (B, C, H, W).
template <class T>
Tensor<T> planes_of(Tensor<T> images, int64_t index) {
  return images.slice(index, 1).reshape({images.dim(1), images.dim(2), images.dim(3)});
}

class Measurement {
 public:
  Measurement(ImageSet& set, const std::vector<ImageContender>& contenders,
              const ImageMeasurementOptions& options, const ImageMeasurementProgress& on_progress)
      : set_(set), contenders_(contenders), options_(options), on_progress_(on_progress) {}

  ImageGrid run() {
    const std::vector<int64_t> numbers = spread_evenly(set_.count(), options_.images);
    batch_ = contenders_.empty() ? 16 : contenders_[0].denoiser->batch();
    for (const ImageContender& contender : contenders_) {
      batch_ = std::min(batch_, contender.denoiser->batch());
    }
    plan(static_cast<int64_t>(numbers.size()));
    std::vector<NumberedImage> images;
    for (size_t i = 0; i < numbers.size(); ++i) {
      read(numbers[i], images);
      if (static_cast<int64_t>(images.size()) == batch_ || i + 1 == numbers.size()) {
        measure(images);
        images.clear();
      }
    }
    EBT_CHECK(!grid_.rows.empty(), "image evaluation: there is nothing to measure");
    EBT_CHECK(!grid_.rows[0].scores.empty(), "none of {} images could be read: {}", numbers.size(),
              grid_.bad_sentences.empty() ? "there are none" : grid_.bad_sentences[0]);
    return std::move(grid_);
  }

 private:
  // Makes the empty rows.
  void plan(int64_t images) {
    int64_t passes_of_image = 0;
    for (const auto* noises : {&options_.on_crops, &options_.on_whole_images}) {
      for (const ImageNoise& noise : *noises) {
        grid_.rows.push_back({noise, "noisy input", 0, {}, 0});
        if (options_.filter) {
          grid_.rows.push_back({noise, "non-local means", 0, {}, 0});
        }
        for (const ImageContender& contender : contenders_) {
          for (const int64_t passes : passes_of(contender, noise)) {
            grid_.rows.push_back({noise, contender.name, passes, {}, 0});
          }
          passes_of_image += work_of(contender, noise);
        }
      }
    }
    work_ = static_cast<double>(images * passes_of_image);
  }

  // Passes on an image.
  static int64_t work_of(const ImageContender& contender, const ImageNoise& noise) {
    int64_t work = 0;
    for (const int64_t passes : passes_of(contender, noise)) {
      work = thinks(contender) ? passes : work + passes;
    }
    return work;
  }

  void progress(double passes_more) {
    if (on_progress_ && work_ > 0) {
      on_progress_(std::min(1.0, (done_ + passes_more) / work_));
    }
  }

  void read(int64_t number, std::vector<NumberedImage>& images) {
    constexpr size_t kSentences = 5;
    try {
      images.push_back({number, set_.name(number), set_.read(number)});
    } catch (const Error& error) {
      ++grid_.bad_images;
      if (grid_.bad_sentences.size() < kSentences) {
        grid_.bad_sentences.emplace_back(error.what());
      }
    }
  }

  void measure(const std::vector<NumberedImage>& images) {
    if (images.empty()) {
      return;
    }
    next_row_ = 0;
    for (const ImageNoise& noise : options_.on_crops) {
      const ImageModelConfig& config = contenders_.at(0).denoiser->config();
      measure_group(noise, group_of(images, noise, config.image_height, config.image_width), false);
    }
    const size_t first_row = next_row_;
    for (const NumberedImage& image : images) {
      next_row_ = first_row;
      for (const ImageNoise& noise : options_.on_whole_images) {
        measure_group(noise, group_of({image}, noise, image.image.height, image.image.width), true);
      }
    }
  }

  Group group_of(const std::vector<NumberedImage>& images, const ImageNoise& noise, int64_t height,
                 int64_t width) const {
    Group group;
    group.shape = {static_cast<int64_t>(images.size()), images[0].image.channels, height, width};
    group.clean.resize(static_cast<size_t>(group.shape.count()));
    group.noisy.resize(group.clean.size());
    for (size_t i = 0; i < images.size(); ++i) {
      const auto index = static_cast<int64_t>(i);
      const Tensor<float> clean = planes_of<float>({group.clean.data(), group.shape}, index);
      to_planes(cut_centre(images[i].image, height, width), 0, 0, clean);
      add_noise(noise, options_.seed, images[i].number, clean,
                planes_of<float>({group.noisy.data(), group.shape}, index));
      group.names.push_back(images[i].name);
    }
    return group;
  }

  void measure_group(const ImageNoise& noise, const Group& group, bool by_tiles) {
    score(next_row(), group, group.view(group.noisy));
    if (options_.filter) {
      filter(noise, group);
    }
    for (const ImageContender& contender : contenders_) {
      const size_t first_row = next_row_;
      next_row_ += passes_of(contender, noise).size();
      for (size_t row = first_row; row < next_row_; ++row) {
        if (by_tiles) {
          denoise_by_tiles(contender, noise, group, row);
        } else {
          denoise_whole(contender, noise, group, row);
        }
        if (thinks(contender)) {
          break;  // all of its rows were measured on the way to the last
        }
      }
    }
  }

  ImageRow& next_row() { return grid_.rows[next_row_++]; }

  // Appends the scores of a group.
  void score(ImageRow& row, const Group& group, Tensor<const float> images) const {
    EBT_CHECK(
        std::all_of(images.begin(), images.end(), [](float pixel) { return std::isfinite(pixel); }),
        "{} leaves pixels that are not finite after {} passes: it diverges with so many, or "
        "its weights are damaged",
        row.method, row.passes);
    const size_t first = row.scores.size();
    row.scores.resize(first + group.names.size());
#pragma omp parallel for schedule(dynamic) if (images.dim(0) > 1)
    for (int64_t i = 0; i < images.dim(0); ++i) {
      ImageScore& one = row.scores[first + static_cast<size_t>(i)];
      one.image = group.names[static_cast<size_t>(i)];
      one.quality = image_quality(planes_of(images, i), planes_of(group.view(group.clean), i));
    }
  }

  // Of the group that was scored last.
  static void set_energies(ImageRow& row, Tensor<const float> energy) {
    const size_t first = row.scores.size() - static_cast<size_t>(energy.count());
    for (int64_t i = 0; i < energy.count(); ++i) {
      row.scores[first + static_cast<size_t>(i)].energy = static_cast<double>(energy[i]);
    }
  }

  void filter(const ImageNoise& noise, const Group& group) {
    ImageRow& row = next_row();
    const Clock::time_point begin = Clock::now();
    std::vector<float> filtered = group.noisy;
    const Tensor<const float> noisy = group.view(group.noisy);
    const auto options = NonLocalMeansOptions::for_noise(noise.sigma(), group.shape[1]);
#pragma omp parallel for schedule(dynamic) if (noisy.dim(0) > 1)
    for (int64_t i = 0; i < noisy.dim(0); ++i) {
      non_local_means(planes_of(noisy, i), noise.deviation, options,
                      planes_of<float>({filtered.data(), group.shape}, i));
    }
    row.seconds += seconds_since(begin);
    score(row, group, group.view(filtered));
  }

  static DenoiseOptions options_of(const ImageNoise& noise, int64_t steps) {
    DenoiseOptions options;
    options.steps = steps;
    options.timestep = noise.timestep;
    return options;
  }

  // The row of a contender, or of an EBT all of its rows, which end at next_row_.
  void denoise_whole(const ImageContender& contender, const ImageNoise& noise, const Group& group,
                     size_t first_row) {
    const size_t end = thinks(contender) ? next_row_ : first_row + 1;
    const int64_t steps = grid_.rows[end - 1].passes;
    std::vector<float> pixels = group.noisy;
    const Tensor<float> images{pixels.data(), group.shape};
    scale_to_model(noise, images);
    double looking = 0;  // seconds spent on scores
    const Clock::time_point begin = Clock::now();
    contender.denoiser->denoise(images, options_of(noise, steps), [&](const DenoiseStep& step) {
      const Clock::time_point look = Clock::now();
      for (size_t row = first_row; row < end && thinks(contender); ++row) {
        if (step.step + 1 == grid_.rows[row].passes) {
          score(grid_.rows[row], group, step.images);
        }
        if (step.energy && step.step == grid_.rows[row].passes) {
          set_energies(grid_.rows[row], step.energy);
        }
      }
      progress(static_cast<double>(std::min(step.step + 1, steps) * images.dim(0)));
      looking += seconds_since(look);
      return true;
    });
    const double seconds = seconds_since(begin) - looking;
    if (!thinks(contender)) {
      score(grid_.rows[first_row], group, images);
    }
    finish(first_row, end, seconds, steps * images.dim(0));
  }

  void denoise_by_tiles(const ImageContender& contender, const ImageNoise& noise,
                        const Group& group, size_t first_row) {
    const size_t end = thinks(contender) ? next_row_ : first_row + 1;
    const int64_t steps = grid_.rows[end - 1].passes;
    std::vector<float> pixels = group.noisy;
    scale_to_model(noise, {pixels.data(), group.shape});
    TilingOptions tiling;
    tiling.overlap = options_.overlap;
    tiling.trajectory = thinks(contender);
    const Clock::time_point begin = Clock::now();
    const TiledResult result = denoise_tiled(*contender.denoiser, planes_of(group.view(pixels), 0),
                                             options_of(noise, steps), tiling, [&](double done) {
                                               progress(done * static_cast<double>(steps));
                                               return true;
                                             });
    const double seconds = seconds_since(begin);
    for (size_t row = first_row; row < end; ++row) {
      const auto passes = static_cast<size_t>(grid_.rows[row].passes);
      score(grid_.rows[row], group,
            group.view(tiling.trajectory ? result.trajectory.at(passes - 1) : result.image));
      if (!result.energy.empty()) {
        grid_.rows[row].scores.back().energy = result.energy.at(passes);
      }
    }
    finish(first_row, end, seconds, steps);
  }

  // Shares the time of a run among the rows that it served, and counts its work as done.
  void finish(size_t first_row, size_t end, double seconds, int64_t work) {
    for (size_t row = first_row; row < end; ++row) {
      grid_.rows[row].seconds += seconds * static_cast<double>(grid_.rows[row].passes) /
                                 static_cast<double>(grid_.rows[end - 1].passes);
    }
    done_ += static_cast<double>(work);
  }

  ImageSet& set_;
  const std::vector<ImageContender>& contenders_;
  const ImageMeasurementOptions& options_;
  const ImageMeasurementProgress& on_progress_;
  ImageGrid grid_;
  int64_t batch_ = 1;
  size_t next_row_ = 0;
  double work_ = 0;  // passes on images, in all
  double done_ = 0;
};

}  // namespace

ImageGrid measure_images(ImageSet& set, const std::vector<ImageContender>& contenders,
                         const ImageMeasurementOptions& options,
                         const ImageMeasurementProgress& on_progress) {
  EBT_CHECK(!contenders.empty(), "image evaluation: there is no model to measure");
  const ImageModelConfig& first = contenders[0].denoiser->config();
  for (const ImageContender& contender : contenders) {
    const ImageModelConfig& config = contender.denoiser->config();
    EBT_CHECK(config.channels == first.channels,
              "the models denoise images of {} and of {} channels", first.channels,
              config.channels);
    EBT_CHECK(options.on_crops.empty() || (config.image_height == first.image_height &&
                                           config.image_width == first.image_width),
              "the models denoise images of {} x {} and of {} x {} pixels, which only --sigmas can "
              "compare",
              first.image_width, first.image_height, config.image_width, config.image_height);
  }
  return Measurement(set, contenders, options, on_progress).run();
}

}  // namespace ebt
