#include "ebt/train/image_task.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "ebt/core/work_watch.h"
#include "ebt/data/even_choice.h"

namespace ebt {
namespace {

// Throws Error when no image can be read: better now than when the first validation is due.
void check_readable(const ImageData& data, const ImageModelConfig& model) {
  std::vector<float> pixels(static_cast<size_t>(model.image_size()));
  const Tensor<float> image{pixels.data(),
                            {1, model.channels, model.image_height, model.image_width}};
  data.training->fill(0, image);
  // The last, behind which there is nothing for loaders to read ahead.
  if (const int64_t count = data.validation->count(); count > 0) {
    data.validation->fill(count - 1, image);
  }
}

}  // namespace

template <class T>
void ImageTask<T>::open(const ImageTrainConfig& config, ImageData& data) {
  const ImageModelConfig& model = config.model;
  data = open_image_data(config.data, model.channels, model.image_height, model.image_width,
                         config.run.seed);
  check_readable(data, model);
}

template <class T>
std::string ImageTask<T>::change_text(const ImageData& /*data*/, const DataIdentity& /*trained_on*/,
                                      const ImageTrainConfig& config,
                                      const std::filesystem::path& folder) {
  return fmt::format("the files of '{}' are no longer those that '{}' was trained on",
                     config.data.data, folder.string());
}

template <class T>
size_t ImageTask<T>::model_bytes(const ImageTrainConfig& config) {
  return image_model_bytes<T>(config.model, config.thinking, config.run.micro_batch,
                              engine_options<T>(config.run));
}

template <class T>
double ImageTask<T>::working_bytes(const ImageTrainConfig& config) {
  const ImageModelConfig& model = config.model;
  const int64_t micro_batch = config.run.micro_batch;
  const auto image_size = static_cast<double>(model.image_size());
  // Bytes of colour, made ahead for training and for validation.
  const double ahead =
      2.0 * static_cast<double>(images_ahead(model.image_size(), config.data.loaders)) * image_size;
  return static_cast<double>(sizeof(T)) * static_cast<double>(micro_batch) * image_size + ahead +
         attention_bytes(micro_batch * model.heads, model.patches(), model.patches(),
                         model.head_width()) +
         widened_bytes(config.run.precision, micro_batch * model.patches(), model.ffn_width());
}

template <class T>
std::string ImageTask<T>::what_to_lower(const ImageTrainConfig& config) {
  return fmt::format(
      "micro-batch ({}), image-height ({}), image-width ({}) or the size of the model",
      config.run.micro_batch, config.model.image_height, config.model.image_width);
}

template <class T>
std::unique_ptr<ImageModel<T>> ImageTask<T>::make_model(const ImageTrainConfig& config) {
  auto made = make_image_model<T>(config.model, config.thinking, config.noise,
                                  config.run.micro_batch, engine_options<T>(config.run));
  initialize_weights(*made, config.thinking, config.run.seed);
  return made;
}

template <class T>
ImageTask<T>::ImageTask(const ImageTrainConfig& config, ImageData data)
    : config_(config),
      data_(std::move(data)),
      pixels_(static_cast<size_t>(config.run.micro_batch * config.model.image_size())) {}

template <class T>
double ImageTask<T>::add_gradients(ImageModel<T>& model, int64_t step, ImageLosses& measured) {
  const int64_t batch = config_.run.batch;
  measured.arch = config_.model.arch;
  work_in_parts(batch, config_.run.micro_batch, [&](int64_t first, int64_t count) {
    data_.training->fill(step * batch + first, pixels(count));
    const ImageRows<T> rows{images(count), first, 1.0 / static_cast<double>(batch)};
    measured.add(model.train(rows, config_.run.seed, static_cast<uint64_t>(step)));
  });
  return measured.loss();
}

// Images are spread evenly over those kept for validation, as their files may be sorted by what
// they show.
template <class T>
ImageLosses ImageTask<T>::validate(ImageModel<T>& model) {
  const int64_t available = data_.validation->count();
  const int64_t total = limited(config_.run.validation_images, available);
  ImageLosses measured;
  measured.arch = config_.model.arch;
  work_in_parts(total, config_.run.micro_batch, [&](int64_t first, int64_t count) {
    const Tensor<float> filled = pixels(count);
    for (int64_t row = 0; row < count; ++row) {
      data_.validation->fill(spread_place(first + row, total, available), filled.slice(row, 1));
    }
    const ImageRows<T> rows{images(count), first, 1.0 / static_cast<double>(total)};
    measured.add(model.evaluate(rows, config_.run.seed));
  });
  return measured;
}

template <class T>
Tensor<float> ImageTask<T>::pixels(int64_t count) {
  const ImageModelConfig& model = config_.model;
  return {pixels_.data(), {count, model.channels, model.image_height, model.image_width}};
}

template <class T>
Tensor<const T> ImageTask<T>::images(int64_t count) {
  const Tensor<float> filled = pixels(count);
  if constexpr (std::is_same_v<T, float>) {
    return filled;
  } else {
    converted_.assign(filled.begin(), filled.end());
    return {converted_.data(), filled.shape};
  }
}

template class ImageTask<float>;
template class ImageTask<double>;
template class Trainer<ImageTask<float>>;
template class Trainer<ImageTask<double>>;

}  // namespace ebt
