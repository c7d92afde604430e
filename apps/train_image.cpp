#include "train_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ebt/core/log.h"
#include "ebt/core/message.h"
#include "ebt/io/folder_owner.h"
#include "ebt/train/image_trainer.h"
#include "ebt/train/recipes.h"
#include "ebt/train/run_config.h"
#include "flags.h"
#include "output.h"
#include "rules.h"
#include "stop_signals.h"
#include "training.h"

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

ImageTrainConfig config_of(ImageArchitecture arch, const Flags& flags) {
  SizeFlag size;
  flags.apply_to(size);
  ImageTrainConfig config;
  config.model.arch = arch;
  flags.apply_to(config.run);
  const bool has_base = !config.run.from.empty();
  if (has_base) {
    const ImageTrainConfig base = load_image_config(config.run.from);
    config.model = base.model;
    config.thinking = base.thinking;
    config.noise = base.noise;
  }
  if (!has_base || is_given(flags, size)) {
    size.apply_to(config.model);
  }
  RecipeFlag recipe;
  if (arch == ImageArchitecture::kEbt && (!has_base || is_given(flags, recipe))) {
    flags.apply_to(recipe);
    apply_recipe(recipe.recipe, config);
  }
  flags.apply_to(config);
  EBT_CHECK(config.model.arch == arch, "'{}' describes a model of '{}': use that command",
            has_base ? config.run.from : flags.config_file(), command_of(config.model.arch));
  return config;
}

// A run, in a folder that nobody else writes to.
struct OwnedRun {
  FolderOwner owner;
  ImageTrainer<float> trainer;
  int64_t steps_before;  // of a run that goes on
};

OwnedRun resume_run(ImageArchitecture arch, const std::string& folder, const Flags& flags) {
  const RunChanges changes = changes_of_resumed(flags);
  const ImageTrainConfig found = load_image_config(folder);
  EBT_CHECK(found.model.arch == arch,
            "'{0}' holds a model of '{1}': continue it with {1} --resume {0}", folder,
            command_of(found.model.arch));
  FolderOwner owner = FolderOwner::take(folder);
  return {std::move(owner), ImageTrainer<float>::resume(folder, changes), found.run.steps};
}

OwnedRun begin_run(ImageArchitecture arch, const FolderFlags& folder, const Flags& flags) {
  ImageTrainConfig config = config_of(arch, flags);
  config.run.check();
  check_places(config.run, config.data.data, "images");
  FolderOwner owner = FolderOwner::take(config.run.out);
  check_may_write(config.run.out, folder);
  const auto stream = copy_image_stream(config.data.data, config.run.out);
  if (folder.overwrite) {
    // Whatever the new run would be refused for must not cost the old one.
    config.check();
    open_image_data(config.data, config.model.channels, config.model.image_height,
                    config.model.image_width, config.run.seed);
    remove_run(config.run.out);
  }
  // Before the owner moves: whoever is refused lets go of the folder last, when it is empty again.
  ImageTrainer<float> trainer = start_run<ImageTrainer<float>>(config, stream.get());
  return {std::move(owner), std::move(trainer), config.run.steps};
}

std::string data_text(const ImageTrainer<float>& trainer) {
  return fmt::format("{} files of '{}'", trainer.training_files(), trainer.config().data.data);
}

std::string progress_text(const ImageStepReport& report) {
  const ImageMeasurement& measured = report.measured;
  std::string text = fmt::format("step {}/{}  loss {:.4g}", report.step, report.steps, report.loss);
  if (const std::vector<double> psnr = measured.psnr(); !psnr.empty()) {
    text += fmt::format("  PSNR {:.2f} dB", psnr.back());
  } else {
    text += fmt::format("  noise MSE {:.4g}", measured.squared_errors.back());
  }
  text += fmt::format("  gradient {:.3g}  {} images/s  {} left", report.gradient_norm,
                      format_count(report.images_per_second), format_duration(report.seconds_left));
  if (report.skipped_steps > 0) {
    text += fmt::format("  {} skipped", report.skipped_steps);
  }
  return text;
}

std::string validation_text(const ImageValidationReport& report) {
  const ImageMeasurement& measured = report.measured;
  const std::vector<double> psnr = measured.psnr();
  if (psnr.empty()) {
    return fmt::format("step {}: validation noise MSE {:.5f}, loss {:.5f}", report.step,
                       measured.squared_errors.back(), measured.loss);
  }
  std::string text = fmt::format("step {}: validation PSNR {:.3f} dB, loss {:.5f}", report.step,
                                 psnr.back(), measured.loss);
  if (psnr.size() > 1) {
    text += "; by thinking step";
    for (const double decibels : psnr) {
      text += fmt::format(" {:.3f}", decibels);
    }
  }
  return text;
}

// Tells of images that could not be read, as they are met.
class BadImageNotes {
 public:
  explicit BadImageNotes(ProgressLine& line) : line_(line) {}

  void update(const BadImages& bad) {
    for (; told_ < bad.sentences.size(); ++told_) {
      line_.note(message("passed over: " + bad.sentences[told_]));
    }
  }
  // Those whose sentences were not kept are told by their number.
  void finish(const BadImages& bad) {
    update(bad);
    if (bad.count > 0) {
      line_.note(message(fmt::format(
          "{} of the image files cannot be used, and others took their place", bad.count)));
    }
  }

 private:
  ProgressLine& line_;
  size_t told_ = 0;
};

void print_json(const ImageTrainer<float>& trainer, Json result,
                const std::optional<ImageValidationReport>& validation) {
  result["images"] = trainer.progress().step * trainer.config().run.batch;
  if (validation.has_value()) {
    const ImageMeasurement& measured = validation->measured;
    Json& fields = result["validation"];
    fields = {{"step", validation->step}, {"images", measured.images}, {"loss", measured.loss}};
    if (const std::vector<double> psnr = measured.psnr(); !psnr.empty()) {
      fields["psnr"] = psnr.back();
      fields["psnr_per_step"] = psnr;
    } else {
      fields["noise_mse"] = measured.squared_errors.back();
    }
  }
  const BadImages bad = trainer.bad_images();
  result["bad_images"] = {{"count", bad.count}, {"first", bad.sentences}};
  output_json(result);
}

void run_train(ImageArchitecture arch, const Flags& flags) {
  FolderFlags folder;
  flags.apply_to(folder);
  folder.check();
  OwnedRun run = folder.resume.empty() ? begin_run(arch, folder, flags)
                                       : resume_run(arch, folder.resume, flags);
  ImageTrainer<float>& trainer = run.trainer;
  const ImageTrainConfig& config = trainer.config();
  const int64_t parameters = trainer.model().layout().count();
  ProgressLine line;
  line.note(fmt::format("{}: {} weights, {} steps of {} images of {} x {} pixels, into '{}'",
                        enum_name(arch), format_count(static_cast<double>(parameters)),
                        config.run.steps, config.run.batch, config.model.image_width,
                        config.model.image_height, config.run.out));
  if (trainer.training_files() > 0) {
    note_learning(line, data_text(trainer), epochs_of(config.run, trainer.training_files()));
  } else {
    line.note("learns from dead leaves, drawn as they are needed");
  }
  line.note(machine_text(config.run.precision, trainer.memory_plan(), "images"));
  note_schedule(line, run.steps_before, config.run, config.optimizer, trainer.progress());
  std::optional<ImageValidationReport> last_validation;
  ValidationWatch watch;
  BadImageNotes notes(line);
  const StopConditions conditions(folder.minutes);
  ImageTrainingObserver observer;
  observer.on_step = [&](const ImageStepReport& report) {
    notes.update(trainer.bad_images());
    line.update(progress_text(report));
  };
  observer.on_validation = [&](const ImageValidationReport& report) {
    line.note(validation_text(report));
    watch.see(report.measured.loss, line);
    last_validation = report;
  };
  observer.on_part = [&](const PartOfRun& part) { show_part(line, part); };
  observer.stop_requested = [&] { return conditions.stop(); };
  observer.interrupted = StopConditions::signalled;
  const bool finished = trainer.run(observer);
  line.finish();
  notes.finish(trainer.bad_images());
  print_how_to_go_on(command_of(arch).c_str(), config.run, finished);
  if (flags.json()) {
    print_json(trainer, result_of(config.run, trainer.progress(), finished, parameters),
               last_validation);
  } else {
    print_outcome(config.run, trainer.progress(), finished, parameters);
  }
  forget_unread_result();
}

}  // namespace

void register_train_image(CLI::App& train) {
  train.require_subcommand(0, 1);
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
        flags.bind(ImageModelConfig{}, "Model", "arch");
        flags.bind(ImageThinkingConfig{}, "Thinking");
        flags.bind(OptimizerConfig{}, "Optimizer");
        flags.flags({"within", "flip"}).only_where(with("data"));
        flags.writes(OutputKind::kRunFolder);
      },
      [](const Flags& flags) { run_train(ImageArchitecture::kEbt, flags); });
  add_command(
      train, "dit", "Train DiT, the diffusion transformer that 'ebt train image' is compared with.",
      std::string(kDitExamples) + kEndings,
      [](Flags& flags) {
        flags.bind(SizeFlag{}, kPresetHeading);
        flags.bind(FolderFlags{}, kPresetHeading);
        flags.bind(ImageRunConfig{}, "Run");
        flags.bind(ImageDataConfig{}, "Images");
        flags.bind(ImageModelConfig{}, "Model", "arch");
        flags.bind(OptimizerConfig{}, "Optimizer");
        flags.flags({"within", "flip"}).only_where(with("data"));
        flags.writes(OutputKind::kRunFolder);
        flags.accept(ImageThinkingConfig{});
        flags.accept(ImageTrainingNoise{});
      },
      [](const Flags& flags) { run_train(ImageArchitecture::kDit, flags); });
}

}  // namespace ebt
