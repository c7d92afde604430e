#include "eval_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ebt/core/printable.h"
#include "ebt/core/threads.h"
#include "ebt/eval/image_run.h"
#include "ebt/eval/value_list.h"
#include "ebt/io/file.h"
#include "ebt/io/folder.h"
#include "ebt/io/json_text.h"
#include "ebt/report/image_quality_figure.h"
#include "ebt/train/image_train_config.h"
#include "ebt/train/run_config.h"
#include "evaluation.h"
#include "flags.h"
#include "image_model.h"
#include "output.h"
#include "rules.h"

namespace ebt {
namespace {

struct EvalImageFlags {
  std::string model;
  std::string baseline;
  std::string data;
  std::string within;
  int64_t images = 0;
  std::string levels;
  std::string sigmas;
  std::string grid = "1,2,3,5,10";
  std::string dit_grid = "1,3,10,30,100";
  bool filter = true;
  int64_t overlap = -1;
  std::string out;
  int64_t batch = 32;
  std::string precision = "auto";
  uint64_t seed = 0;
  int64_t threads = 0;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("model", model, "folder of a model that 'ebt train image' or 'ebt train dit' made");
    visit("baseline", baseline, "folder of a model to compare with, as a DiT");
    visit("data", data,
          "a folder, a .tar, or a .txt that lists PNG and JPEG files; default: the images that "
          "training kept for validation");
    visit("within", within, "only files whose path in the data begins with this, as in test/");
    visit("images", images, "images to measure, spread evenly; 0 is all");
    visit("levels", levels,
          "noise as the paper counts it, shares of the diffusion, on the centres of images cut to "
          "the model's size; default: 0.1,0.2 (in and out of distribution) without --sigmas");
    visit("sigmas", sigmas,
          "noise of deviation sigma/255, as denoisers are usually compared, on whole images by "
          "tiles; usual are 15,25,50");
    visit("grid", grid, "thinking steps of an EBT to measure after");
    visit("dit-grid", dit_grid,
          "forward passes of DiT to measure, as far as the noise has timesteps");
    visit("filter", filter, "also measure non-local means, a classical filter");
    visit("overlap", overlap,
          "pixels that neighbouring tiles share; -1: a quarter of the model's size");
    visit("out", out, "folder that receives the table of all images, the points and the figure");
    visit("batch", batch, "images or tiles at a time; results depend on it by roundings at most");
    visit("precision", precision, "fp32, bf16, or auto: bf16 where the CPU multiplies it natively");
    visit("seed", seed, "seed of the noise; it is the same for all models");
    visit("threads", threads, kThreadsHelp);
  }
};

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt eval image --model denoiser                     # the images kept out of training\n"
    "  ebt eval image --model denoiser --baseline dit --data photos.tar --within test/ --out "
    "results\n"
    "  ebt eval image --model denoiser --data photos --sigmas 15,25,50 --grid 1,2,3\n"
    "Every noise and number of passes is a row: PSNR, SSIM and MSE, beside the noisy input and a\n"
    "classical filter. docs/evaluation.md defines what is measured.";

struct SelectedImages {
  std::string name;
  std::unique_ptr<ImageSet> set;
};

SelectedImages select_images(const EvalImageFlags& flags, const ImageModelConfig& model) {
  if (!flags.data.empty()) {
    return {printable(fmt::format("'{}'{}", flags.data,
                                  flags.within.empty() ? "" : ", within '" + flags.within + "'")),
            file_image_set(open_image_files(flags.data, flags.within), model.channels)};
  }
  const auto config = load_config<ImageTrainConfig>(flags.model);
  ImageData data = open_image_data(config.data, model.channels, model.image_height,
                                   model.image_width, config.run.seed);
  EBT_CHECK(data.validation->count() > 0,
            "the model was trained on all of its images (validation 0): name others with --data");
  return {config.data.data.empty() ? "dead leaves, drawn for validation"
                                   : "the validation part of '" + printable(config.data.data) + "'",
          validation_image_set(std::move(data.validation), model.channels, model.image_height,
                               model.image_width)};
}

std::vector<int64_t> grid_of(const std::string& text, const char* flag) {
  std::vector<int64_t> passes = read_whole_numbers(text, flag, 1);
  std::sort(passes.begin(), passes.end());
  return passes;
}

ImageMeasurementOptions options_of(const EvalImageFlags& flags) {
  ImageMeasurementOptions options;
  const std::string levels =
      flags.levels.empty() && flags.sigmas.empty() ? "0.1,0.2" : flags.levels;
  if (!levels.empty()) {
    for (const double level : read_numbers(levels, "levels", 0)) {
      options.on_crops.push_back(ImageNoise::of_level(level));
    }
  }
  if (!flags.sigmas.empty()) {
    for (const double sigma : read_numbers(flags.sigmas, "sigmas", 0)) {
      EBT_CHECK(sigma > 0, "--sigmas: without noise (0) there is nothing to take out");
      options.on_whole_images.push_back(ImageNoise::of_sigma(sigma));
    }
  }
  options.images = flags.images;
  options.filter = flags.filter;
  options.seed = flags.seed;
  if (flags.overlap >= 0) {
    options.overlap = flags.overlap;
  }
  return options;
}

// Writes the table, the points and the figure; returns their paths.
Json write_files(const std::filesystem::path& folder, const ImageGrid& grid,
                 const std::string& subject) {
  make_folder(folder);
  Json files = Json::object();
  const auto write = [&](const char* name, const char* file, const std::string& text) {
    const std::string path = (folder / file).string();
    write_file_atomically(path, text);
    files[name] = path;
  };
  write("images", "eval-image.csv", grid.to_csv());
  write("points", "eval-image.json", json_text(grid.to_json(), 2) + '\n');
  write("figure", "eval-image.svg", image_quality_figure(grid, subject));
  return files;
}

void run_eval_image(const Flags& command_flags) {
  EvalImageFlags flags;
  command_flags.apply_to(flags);
  check_names_model(flags.model);
  check_counts(
      {{"images", flags.images, 0}, {"overlap", flags.overlap, -1}, {"batch", flags.batch, 1}});
  use_threads(flags.threads);
  const std::vector<int64_t> steps = grid_of(flags.grid, "grid");
  const std::vector<int64_t> passes = grid_of(flags.dit_grid, "dit-grid");
  const ImageMeasurementOptions options = options_of(flags);

  std::vector<OpenedImageModel> models;
  models.push_back(open_image_model(flags.model, flags.batch, flags.precision));
  if (!flags.baseline.empty()) {
    models.push_back(open_image_model(flags.baseline, flags.batch, flags.precision));
    if (models[0].name == models[1].name) {
      models[0].name += " " + printable(flags.model);
      models[1].name += " " + printable(flags.baseline);
    }
  }
  std::vector<ImageContender> contenders;
  contenders.reserve(models.size());
  for (const OpenedImageModel& model : models) {
    contenders.push_back({model.denoiser.get(), model.name, model.thinks() ? steps : passes});
  }
  const SelectedImages images = select_images(flags, models[0].denoiser->config());
  if (!flags.out.empty()) {
    check_outside(flags.out, flags.data, "images");
    make_folder(flags.out);
  }
  ImageGrid grid;
  {
    ShareProgress progress;
    grid = measure_images(*images.set, contenders, options,
                          [&](double done) { progress.update("measuring", done); });
    note_bad_images(grid.bad_images, grid.bad_sentences, progress);
  }
  grid.description = fmt::format("{} images of {}", grid.rows[0].scores.size(), images.name);
  Json result = {{"model", flags.model}};
  result.update(grid.to_json());
  result["seed"] = flags.seed;
  if (!flags.out.empty()) {
    result["files"] =
        write_files(flags.out, grid, printable(flags.model) + " · " + grid.description);
  }
  if (command_flags.json()) {
    output_json(result);
    return;
  }
  fmt::print("{}", grid.to_table());
  if (!flags.out.empty()) {
    for (const auto& [name, path] : result["files"].items()) {
      fmt::print("wrote {}\n", printable(path.get<std::string>()));
    }
  }
}

}  // namespace

void register_eval_image(CLI::App& eval) {
  add_command(
      eval, "image",
      "Measure how well models take noise out of images, for how many forward passes.", kExamples,
      [](Flags& flags) {
        flags.bind(EvalImageFlags{}, "Evaluation");
        flags.flags({"within"}).only_where(with("data"));
        flags.flags({"overlap"}).only_where(with("sigmas"));
        flags.flags({"grid"}).only_where(where_an_image_model_thinks({"model", "baseline"}));
        flags.flags({"dit-grid"}).only_where(where_an_image_model_is_dit({"model", "baseline"}));
      },
      run_eval_image);
}

}  // namespace ebt
