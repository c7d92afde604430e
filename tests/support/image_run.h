// Small training runs on images.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ebt/data/image/image.h"
#include "ebt/train/image_task.h"
#include "tests/support/gain_image_model.h"
#include "tests/support/temporary_folder.h"

namespace ebt::testing {

template <class T = float>
typename ImageTrainer<T>::ModelFactory gain_factory() {
  return [](const ImageTrainConfig& config) {
    return std::make_unique<GainImageModel<T>>(config.model);
  };
}

// 20 steps of 6 images of 8 x 12 pixels on dead leaves, with a validation and a checkpoint every 10
// and on one thread, in a folder `name`.
inline ImageTrainConfig small_image_run(const TemporaryFolder& folder, const std::string& name) {
  ImageTrainConfig config;
  config.model.image_height = 8;
  config.model.image_width = 12;
  config.model.layers = 1;
  config.model.width = 16;
  config.model.ffn_multiplier = 1;
  config.optimizer.learning_rate = 0.02;
  config.run.steps = 20;
  config.run.batch = 6;
  config.run.seed = 11;
  config.run.threads = 1;
  config.run.validate_every = 10;
  config.run.validation_images = 9;
  config.run.checkpoint_every = 10;
  config.run.out = folder.file(name);
  return config;
}

// Writes a PNG of one colour.
inline void write_plain_image(const std::string& path, uint8_t shade, int64_t height = 10,
                              int64_t width = 14) {
  Image image{height, width, 3, {}};
  image.pixels.assign(static_cast<size_t>(height * width * 3), shade);
  write_image(path, image);
}

}  // namespace ebt::testing
