#include "train_image.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ebt/core/log.h"
#include "ebt/core/message.h"
#include "ebt/train/image_task.h"
#include "flags.h"
#include "rules.h"
#include "training_run.h"

namespace ebt {
namespace {

constexpr const char* kImageExamples =
    "Examples:\n"
    "  ebt train image --out denoiser                      # 4xs on dead leaves, without any data\n"
    "  ebt train image --data photos --image-height 64 --image-width 64 --patch 8 --out denoiser\n"
    "  ebt train image --data pictures.tar --within train/ --size xxs --out denoiser\n"
    "  ebt train image --data photos --recipe s2 --out denoiser-s2\n"
    "  ebt train image --data photos --minutes 40 --out denoiser\n"
    "  ebt train image --resume denoiser                   # after Ctrl-C, a crash, a full disk\n"
    "  ebt train image --from denoiser --data x-rays --out fine-tuned\n"
    "The model learns to undo --noise-level by thinking: 'ebt denoise' uses it. Files that are no\n"
    "images are passed over and counted. The same seed gives the same model on any number of\n"
    "threads, interrupted or not.";

constexpr const char* kDitExamples =
    "Examples:\n"
    "  ebt train dit --out baseline                        # 4xs on dead leaves, without any data\n"
    "  ebt train dit --data photos --size xxs --steps 5000 --out baseline\n"
    "  ebt train dit --data photos --minutes 40 --out baseline\n"
    "  ebt train dit --resume baseline                     # after Ctrl-C, a crash, a full disk\n"
    "DiT learns to predict the noise of images at all levels: 'ebt denoise' uses it, 'ebt eval\n"
    "image' compares it with what 'ebt train image' made.";

std::string command_of(ImageArchitecture arch) {
  return arch == ImageArchitecture::kDit ? "ebt train dit" : "ebt train image";
}

class ImageTraining : public TrainingCommand<ImageTask<float>> {
 public:
  static constexpr const char* kData = "images";
  static constexpr const char* kRows = "images";

  explicit ImageTraining(ImageArchitecture arch) : arch_(arch) {}

  std::string name() const { return command_of(arch_); }
  ImageTrainConfig defaults() const {
    ImageTrainConfig config;
    config.model.arch = arch_;
    return config;
  }
  static void start_from(const ImageTrainConfig& base, ImageTrainConfig& config) {
    config.model = base.model;
    config.thinking = base.thinking;
    config.noise = base.noise;
  }
  void finish(const Flags& flags, ImageTrainConfig& config) const {
    EBT_CHECK(config.model.arch == arch_, "'{}' describes a model of '{}': use that command",
              config.run.from.empty() ? flags.config_file() : config.run.from,
              command_of(config.model.arch));
  }
  void check_resumed(const ImageTrainConfig& config, const std::string& folder) const {
    EBT_CHECK(config.model.arch == arch_,
              "'{0}' holds a model of '{1}': continue it with {1} --resume {0}", folder,
              command_of(config.model.arch));
  }
  static std::unique_ptr<StreamedData> copy_stream(ImageTrainConfig& config) {
    return copy_image_stream(config.data.data, config.run.out);
  }

  static std::string batch_text(const ImageTrainConfig& config) {
    return fmt::format("{} images of {} x {} pixels", config.run.batch, config.model.image_width,
                       config.model.image_height);
  }
  static void note_data(const ImageTrainer<float>& trainer, ProgressLine& line) {
    const int64_t files = trainer.task().data().training_files;
    if (files > 0) {
      note_learning(line, fmt::format("{} files of '{}'", files, trainer.config().data.data),
                    epochs_of(trainer.config().run, files));
    } else {
      line.note("learns from dead leaves, drawn as they are needed");
    }
  }
  // Tells of images that could not be read, as they are met.
  void note_step(const ImageTrainer<float>& trainer, ProgressLine& line) {
    const BadImages bad = trainer.task().bad_images();
    for (; told_ < bad.sentences.size(); ++told_) {
      line.note(message("passed over: " + bad.sentences[told_]));
    }
  }
  // Those whose sentences were not kept are told by their number.
  void note_end(const ImageTrainer<float>& trainer, ProgressLine& line) {
    note_step(trainer, line);
    if (const int64_t count = trainer.task().bad_images().count; count > 0) {
      line.note(message(
          fmt::format("{} of the image files cannot be used, and others took their place", count)));
    }
  }

  static std::string progress_text(const Step& report) {
    std::string text =
        fmt::format("step {}/{}  loss {:.4g}", report.step, report.steps, report.loss);
    if (const std::vector<double> psnr = report.measured.psnr(); !psnr.empty()) {
      text += fmt::format("  PSNR {:.2f} dB", psnr.back());
    } else {
      text += fmt::format("  noise MSE {:.4g}", report.measured.mean_losses().back());
    }
    text += fmt::format("  gradient {:.3g}  {} images/s  {} left", report.gradient_norm,
                        format_count(report.per_second), format_duration(report.seconds_left));
    return text;
  }
  static std::string validation_text(const Validation& report) {
    const ImageLosses& measured = report.measured;
    const std::vector<double> psnr = measured.psnr();
    if (psnr.empty()) {
      return fmt::format("step {}: validation noise MSE {:.5f}, loss {:.5f}", report.step,
                         measured.mean_losses().back(), measured.loss());
    }
    return fmt::format("step {}: validation PSNR {:.3f} dB, loss {:.5f}", report.step, psnr.back(),
                       measured.loss()) +
           by_step_text(psnr, 3);
  }
  static void add_result(const ImageTrainer<float>& trainer,
                         const std::optional<Validation>& validation, Json& result) {
    result["images"] = trainer.progress().step * trainer.config().run.batch;
    if (validation.has_value()) {
      const ImageLosses& measured = validation->measured;
      Json& fields = result["validation"];
      fields = {{"step", validation->step}, {"images", measured.count}, {"loss", measured.loss()}};
      if (const std::vector<double> psnr = measured.psnr(); !psnr.empty()) {
        fields["psnr"] = psnr.back();
        fields["psnr_per_step"] = psnr;
      } else {
        fields["noise_mse"] = measured.mean_losses().back();
      }
    }
    const BadImages bad = trainer.task().bad_images();
    result["bad_images"] = {{"count", bad.count}, {"first", bad.sentences}};
  }

 private:
  ImageArchitecture arch_;
  size_t told_ = 0;  // bad images
};

}  // namespace

void register_train_image(CLI::App& train) {
  add_command(
      train, "image",
      "Train an Energy-Based Transformer to take the noise out of images, by thinking.",
      std::string(kImageExamples) + kEndings,
      [](Flags& flags) {
        flags.bind(SizeFlag{}, kPresetHeading);
        flags.bind(RecipeFlag{}, kPresetHeading);
        flags.bind(FolderFlags{}, kPresetHeading);
        flags.bind(ImageRunConfig{}, "Run");
        flags.bind(ImageDataConfig{}, "Images");
        flags.bind(ImageTrainingNoise{}, "Images");
        flags.bind(ImageModelConfig{}, "Model", {"arch"});
        flags.bind(ImageThinkingConfig{}, "Thinking");
        flags.bind(OptimizerConfig{}, "Optimizer");
        flags.flags({"within", "flip"}).only_where(with("data"));
        flags.writes(OutputKind::kRunFolder);
      },
      [](const Flags& flags) { run_training(ImageTraining(ImageArchitecture::kEbt), flags); });
  add_command(
      train, "dit", "Train DiT, the diffusion transformer that 'ebt train image' is compared with.",
      std::string(kDitExamples) + kEndings,
      [](Flags& flags) {
        flags.bind(SizeFlag{}, kPresetHeading);
        flags.bind(FolderFlags{}, kPresetHeading);
        flags.bind(ImageRunConfig{}, "Run");
        flags.bind(ImageDataConfig{}, "Images");
        flags.bind(ImageModelConfig{}, "Model", {"arch"});
        flags.bind(OptimizerConfig{}, "Optimizer");
        flags.flags({"within", "flip"}).only_where(with("data"));
        flags.writes(OutputKind::kRunFolder);
        flags.accept(ImageThinkingConfig{});
        flags.accept(ImageTrainingNoise{});
      },
      [](const Flags& flags) { run_training(ImageTraining(ImageArchitecture::kDit), flags); });
}

}  // namespace ebt
