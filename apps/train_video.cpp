#include "train_video.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>

#include "ebt/core/log.h"
#include "ebt/train/video_task.h"
#include "flags.h"
#include "rules.h"
#include "training_run.h"

namespace ebt {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt train video --data clips --out foreteller\n"
    "  ebt train video --data clips.npy --context 32 --size xxs --steps 5000 --out foreteller\n"
    "  ebt train video --data clips --arch transformer_pp --out baseline\n"
    "  ebt train video --resume foreteller               # after Ctrl-C, a crash, a full disk\n"
    "Frames are embeddings, vectors of D numbers, and D is the width of the model, whatever "
    "--size\n"
    "says. 'ebt eval video' measures what the model foretells. The same seed gives the same model\n"
    "on any number of threads, interrupted or not.";

struct VideoTraining : TrainingCommand<VideoTask<float>> {
  static constexpr const char* kData = "clips";
  static constexpr const char* kRows = "windows";

  static std::string name() { return "ebt train video"; }
  static VideoTrainConfig defaults() { return {}; }
  static void start_from(const VideoTrainConfig& base, VideoTrainConfig& config) {
    config.model = base.model;
    config.thinking = base.thinking;
  }
  static void apply_presets(const Flags& flags, bool has_base, VideoTrainConfig& config) {
    SizeFlag size;
    flags.apply_to(size);
    if (!has_base || is_given(flags, size)) {
      size.apply_to(config.model);
    }
  }
  static std::unique_ptr<StreamedData> copy_stream(VideoTrainConfig& /*config*/) { return nullptr; }

  static std::string batch_text(const VideoTrainConfig& config) {
    return fmt::format("{} windows of {} frames of {} numbers", config.run.batch,
                       config.model.context + 1, config.model.width);
  }
  static void note_data(const VideoTrainer<float>& trainer, ProgressLine& line) {
    const VideoData& data = trainer.task().data();
    note_learning(line,
                  fmt::format("{} windows of {} clips of '{}'", data.training->count(),
                              data.clips->count(), trainer.config().data.data),
                  epochs_of(trainer.config().run, data.training->count()));
  }

  static std::string progress_text(const Step& report) {
    return fmt::format("step {}/{}  loss {:.4g}  MSE {:.4g}  gradient {:.3g}  {} frames/s  {} left",
                       report.step, report.steps, report.loss, report.measured.mean_losses().back(),
                       report.gradient_norm, format_count(report.per_second),
                       format_duration(report.seconds_left));
  }
  static std::string validation_text(const Validation& report) {
    const std::vector<double> errors = report.measured.mean_losses();
    return fmt::format("step {}: validation loss {:.5f}, MSE {:.5f}", report.step,
                       report.measured.loss(), errors.back()) +
           by_step_text(errors, 5);
  }
  static void add_result(const VideoTrainer<float>& trainer,
                         const std::optional<Validation>& validation, Json& result) {
    const VideoData& data = trainer.task().data();
    result["data"] = {{"files", data.clips->files()},
                      {"clips", data.clips->count()},
                      {"windows", data.training->count()}};
    if (validation.has_value()) {
      const VideoLosses& measured = validation->measured;
      result["validation"] = {{"step", validation->step},
                              {"frames", measured.count},
                              {"loss", measured.loss()},
                              {"mse", measured.mean_losses().back()},
                              {"mse_per_step", measured.mean_losses()}};
    }
  }
};

}  // namespace

void register_train_video(CLI::App& train) {
  add_command(
      train, "video",
      "Train a model that foretells the next frame of a video, as an embedding, by thinking.",
      std::string(kExamples) + kEndings,
      [](Flags& flags) {
        flags.bind(SizeFlag{}, kPresetHeading);
        flags.bind(FolderFlags{}, kPresetHeading);
        flags.bind(VideoRunConfig{}, "Run");
        flags.bind(VideoDataConfig{}, "Clips");
        const VideoTrainConfig defaults;
        flags.bind(defaults.model, "Model", {"width"});
        flags.bind(defaults.thinking, "Thinking").only_where(where_arch_is_ebt());
        flags.bind(OptimizerConfig{}, "Optimizer");
        flags.flags({"type", "landscapes"}).only_where(where_arch_is_ebt());
        flags.writes(OutputKind::kRunFolder);
      },
      [](const Flags& flags) { run_training(VideoTraining(), flags); });
}

}  // namespace ebt
