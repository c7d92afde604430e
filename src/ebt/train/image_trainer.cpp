#include "ebt/train/image_trainer.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "ebt/core/threads.h"
#include "ebt/io/folder.h"
#include "ebt/train/base_model.h"
#include "ebt/train/run_config.h"

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
std::unique_ptr<ImageModel<T>> make_image_training_model(const ImageTrainConfig& config) {
  auto made = make_image_model<T>(config.model, config.thinking, config.noise,
                                  config.run.micro_batch, engine_options<T>(config));
  initialize_weights(*made, config.thinking, config.run.seed);
  return made;
}

template <class T>
ImageTrainer<T> ImageTrainer<T>::start(const ImageTrainConfig& config,
                                       const ImageModelFactory<T>& make_model) {
  config.check();
  check_holds_no_model(config.run);
  ImageTrainConfig resolved = config.resolved();
  ImageTrainer trainer(make_parts(resolved, make_model, config.run.micro_batch == 0));
  trainer.load_base();
  make_folder(trainer.config_.run.out);
  save_config(trainer.config_.run.out, trainer.config_);
  trainer.checkpoint().save(trainer.config_.run.out);
  return trainer;
}

template <class T>
ImageTrainer<T> ImageTrainer<T>::resume(const std::filesystem::path& folder,
                                        const RunChanges& changes,
                                        const ImageModelFactory<T>& make_model) {
  ImageTrainConfig stored = load_image_config(folder);
  changes.apply_to(stored.run, stored.data.data);
  ImageTrainConfig config = stored;
  config.run.out = folder.string();
  config.run.threads = changes.threads.value_or(config.run.threads);
  config.check();
  ImageTrainer trainer(make_parts(config.resolved(), make_model, false));
  const bool begun = has_model(folder);
  if (begun) {
    trainer.checkpoint().load(folder);
    EBT_CHECK(trainer.progress().image_fingerprint == trainer.data_.fingerprint,
              "the files of '{}' are no longer those that '{}' was trained on",
              trainer.config_.data.data, folder.string());
    check_steps_left(config.run, trainer.progress().step);
  } else {
    trainer.load_base();
  }
  if (changes.change_config()) {
    save_config(folder, stored);
  }
  if (!begun) {
    trainer.checkpoint().save(folder);
  }
  return trainer;
}

template <class T>
typename ImageTrainer<T>::Parts ImageTrainer<T>::make_parts(ImageTrainConfig config,
                                                            const ImageModelFactory<T>& make_model,
                                                            bool choose_micro_batch) {
  use_threads(config.run.threads);
  const ImageModelConfig& model = config.model;
  ImageData data = open_image_data(config.data, model.channels, model.image_height,
                                   model.image_width, config.run.seed);
  check_readable(data, model);
  const auto plan_for = [&](int64_t rows) {
    config.run.micro_batch = rows;
    return plan_memory<T>(config);
  };
  const MemoryPlan plan = choose_micro_batch ? largest_fitting(config.run.batch, plan_for)
                                             : plan_for(config.run.micro_batch);
  plan.check_fits(
      fmt::format("micro-batch ({}), image-height ({}), image-width ({}) or the size of the model",
                  plan.micro_batch, model.image_height, model.image_width));
  std::unique_ptr<ImageModel<T>> made = make_model(config);
  resolve_step_size(*made, config.thinking);
  return {std::move(config), std::move(data), plan, std::move(made)};
}

template <class T>
ImageTrainer<T>::ImageTrainer(Parts parts)
    : config_(std::move(parts.config)),
      plan_(parts.plan),
      data_(std::move(parts.data)),
      model_(std::move(parts.model)),
      loop_(model_->layout(), config_.optimizer, step_size_rate(config_.thinking), config_.run),
      pixels_(static_cast<size_t>(config_.run.micro_batch * config_.model.image_size())) {
  loop_.progress().image_fingerprint = data_.fingerprint;
}

template <class T>
void ImageTrainer<T>::load_base() {
  load_base_weights(config_, model_->weights());
  resolve_step_size(*model_, config_.thinking);
}

template <class T>
bool ImageTrainer<T>::run(const ImageTrainingObserver& observer) {
  RunParts<ImageStepReport, ImageValidationReport> parts;
  parts.take_step = [this] { return take_step(); };
  if (data_.validation->count() > 0) {
    parts.validate = [this] { return validate(); };
  }
  parts.save = [this] { checkpoint().save(config_.run.out); };
  return loop_.run(parts, observer);
}

template <class T>
ImageStepReport ImageTrainer<T>::take_step() {
  const StopWatch watch;
  const int64_t batch = config_.run.batch;
  const int64_t step = progress().step;
  const Tensor<T> gradients = model_->gradients().all();
  std::fill(gradients.begin(), gradients.end(), T{0});
  LossSums sums;
  ImageRows<T> rows;
  rows.inverse_image_count = 1.0 / static_cast<double>(batch);
  for (rows.first_row = 0; rows.first_row < batch; rows.first_row += config_.run.micro_batch) {
    const int64_t count = std::min(config_.run.micro_batch, batch - rows.first_row);
    data_.training->fill(step * batch + rows.first_row, pixels(count));
    rows.images = images(count);
    const PartOfWork work(static_cast<double>(rows.first_row) / static_cast<double>(batch),
                          static_cast<double>(count) / static_cast<double>(batch));
    sums.add(model_->train(rows, config_.run.seed, static_cast<uint64_t>(step)));
    tell_share(1);
  }
  ImageStepReport report;
  report.measured = ImageMeasurement::of(config_.model.arch, sums);
  report.loss = report.measured.loss;
  loop_.learn(model_->weights(), model_->gradients(), report);
  report.seconds = watch.seconds();
  report.images_per_second = static_cast<double>(batch) / report.seconds;
  return report;
}

// Images are spread evenly over those kept for validation, as their files may be sorted by what
// they show.
template <class T>
ImageValidationReport ImageTrainer<T>::validate() {
  const StopWatch watch;
  const int64_t available = data_.validation->count();
  const int64_t wanted = config_.run.validation_images;
  const int64_t total = wanted > 0 ? std::min(wanted, available) : available;
  LossSums sums;
  ImageRows<T> rows;
  rows.inverse_image_count = 1.0 / static_cast<double>(total);
  for (rows.first_row = 0; rows.first_row < total; rows.first_row += config_.run.micro_batch) {
    const int64_t count = std::min(config_.run.micro_batch, total - rows.first_row);
    const Tensor<float> filled = pixels(count);
    for (int64_t row = 0; row < count; ++row) {
      data_.validation->fill((rows.first_row + row) * available / total, filled.slice(row, 1));
    }
    rows.images = images(count);
    const PartOfWork work(static_cast<double>(rows.first_row) / static_cast<double>(total),
                          static_cast<double>(count) / static_cast<double>(total));
    sums.add(model_->evaluate(rows, config_.run.seed));
    tell_share(1);
  }
  ImageValidationReport report;
  report.step = progress().step;
  report.measured = ImageMeasurement::of(config_.model.arch, sums);
  report.seconds = watch.seconds();
  return report;
}

template <class T>
Tensor<float> ImageTrainer<T>::pixels(int64_t count) {
  const ImageModelConfig& model = config_.model;
  return {pixels_.data(), {count, model.channels, model.image_height, model.image_width}};
}

template <class T>
Tensor<const T> ImageTrainer<T>::images(int64_t count) {
  const Tensor<float> filled = pixels(count);
  if constexpr (std::is_same_v<T, float>) {
    return filled;
  } else {
    converted_.assign(filled.begin(), filled.end());
    return {converted_.data(), filled.shape};
  }
}

template std::unique_ptr<ImageModel<float>> make_image_training_model(const ImageTrainConfig&);
template std::unique_ptr<ImageModel<double>> make_image_training_model(const ImageTrainConfig&);
template class ImageTrainer<float>;
template class ImageTrainer<double>;

}  // namespace ebt
