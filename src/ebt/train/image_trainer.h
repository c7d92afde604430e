// A training run on images, from a config or from where it was interrupted: trainer.h for text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "ebt/data/image/image_data.h"
#include "ebt/model/image_model.h"
#include "ebt/train/image_report.h"
#include "ebt/train/image_train_config.h"
#include "ebt/train/memory_plan.h"
#include "ebt/train/training_loop.h"

namespace ebt {

using ImageTrainingObserver = RunObserver<ImageStepReport, ImageValidationReport>;

// Makes the model of a resolved config with its initial weights, for gradient passes of
// `run.micro_batch` images.
template <class T>
using ImageModelFactory = std::function<std::unique_ptr<ImageModel<T>>(const ImageTrainConfig&)>;

// The factory of the engine's own models.
template <class T>
std::unique_ptr<ImageModel<T>> make_image_training_model(const ImageTrainConfig& config);

// Owns a run: its images, model, optimizer and folder (checkpoint.h). Everything it computes
// follows from the config and the files alone, whatever the number of threads, and however often it
// was interrupted. Sets the number of OpenMP threads of the process. Who may write to the folder is
// the caller's care (io/folder_owner.h).
template <class T>
class ImageTrainer {
 public:
  // Starts a run: writes the resolved config and the first checkpoint to config.run.out. Throws
  // Error when the config is impossible, images or memory do not suffice, or the folder holds a
  // model already or cannot be written.
  static ImageTrainer start(const ImageTrainConfig& config,
                            const ImageModelFactory<T>& make_model = make_image_training_model<T>);
  // Continues the run of a folder from its checkpoint, or from the beginning if it was interrupted
  // before the first, and writes what changes to its config. Throws Error when files are missing,
  // damaged or do not fit each other, the image files are no longer the same, or more steps were
  // taken than are wanted; the folder is then as it was.
  static ImageTrainer resume(const std::filesystem::path& folder, const RunChanges& changes = {},
                             const ImageModelFactory<T>& make_model = make_image_training_model<T>);

  // Takes the steps that are left, as TrainingLoop::run.
  bool run(const ImageTrainingObserver& observer = {});

  // The resolved config.
  const ImageTrainConfig& config() const { return config_; }
  // What was planned before memory was taken.
  const MemoryPlan& memory_plan() const { return plan_; }
  const TrainingProgress& progress() const { return loop_.progress(); }
  ImageModel<T>& model() { return *model_; }
  // Training images that could not be read so far.
  BadImages bad_images() const { return data_.training->bad(); }
  // Files that training draws from; 0: images are drawn without files.
  int64_t training_files() const { return data_.training_files; }

 private:
  // What is made before a run starts or resumes.
  struct Parts {
    ImageTrainConfig config;
    ImageData data;
    MemoryPlan plan;
    std::unique_ptr<ImageModel<T>> model;
  };
  // Throws Error with the plan when it does not fit.
  static Parts make_parts(ImageTrainConfig config, const ImageModelFactory<T>& make_model,
                          bool choose_micro_batch);
  explicit ImageTrainer(Parts parts);

  ImageStepReport take_step();
  ImageValidationReport validate();
  // The initial weights, where they are another model's.
  void load_base();
  // The first `count` images of the buffer, as a model takes them.
  Tensor<const T> images(int64_t count);
  // The same memory, or that of pixels before they are converted, for data to fill.
  Tensor<float> pixels(int64_t count);
  Checkpoint<T> checkpoint() { return loop_.checkpoint(model_->weights(), nullptr); }

  ImageTrainConfig config_;
  MemoryPlan plan_;
  ImageData data_;
  std::unique_ptr<ImageModel<T>> model_;
  TrainingLoop<T> loop_;
  std::vector<float> pixels_;  // (micro-batch, C, H, W)
  std::vector<T> converted_;   // the same where T is no float
};

}  // namespace ebt
