#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <limits>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "commands.h"
#include "denoise_image.h"
#include "ebt/core/log.h"
#include "ebt/core/message.h"
#include "ebt/core/printable.h"
#include "ebt/core/threads.h"
#include "ebt/io/file.h"
#include "ebt/io/folder.h"
#include "ebt/report/energy_map.h"
#include "evaluation.h"
#include "flags.h"
#include "output.h"
#include "rules.h"

namespace ebt {
namespace {

struct DenoisePaths {
  std::string in;
  std::string out;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("in", in,
          "a PNG or JPEG of any size; or many: a folder, a .tar, or a .txt that lists them");
    visit("out", out, "the image to write, PNG or JPEG by its name; of many: a folder");
  }
};

struct DenoiseFlags {
  std::string model;
  int64_t steps = 0;
  double energy_tolerance = 0;
  double sigma = 0;
  double input_sigma = 0;
  int64_t overlap = -1;
  std::string baseline;
  int64_t baseline_steps = 100;
  std::string contact_sheet;
  std::string energy_map;
  bool trace = false;
  int64_t batch = 32;
  std::string precision = "auto";
  uint64_t seed = 0;
  int64_t threads = 0;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("model", model, "folder of a model that 'ebt train image' or 'ebt train dit' made");
    visit("steps", steps,
          "thinking steps of an EBT, forward passes of DiT; 0: 3 of an EBT, 100 of DiT");
    visit("energy-tolerance", energy_tolerance,
          "an EBT stops at a tile as soon as a step lowers its energy by less; 0: never");
    visit(
        "sigma", sigma,
        "a test: IN is clean, and gets Gaussian noise of deviation sigma/255 first, which follows "
        "from --seed; the result is then compared with IN");
    visit(
        "input-sigma", input_sigma,
        "how noisy IN is already, likewise in 1/255; 0: as the images that the model learned from, "
        "43 by default");
    visit("overlap", overlap,
          "pixels that neighbouring tiles share; -1: a quarter of the model's size");
    visit("baseline", baseline, "folder of another model, shown beside it in the contact sheet");
    visit("baseline-steps", baseline_steps, "its steps or passes");
    visit("contact-sheet", contact_sheet,
          "SVG to write: the image before, after every step, and how energy fell");
    visit("energy-map", energy_map,
          "PNG or JPEG to write: the energy that every patch is left with, over the image");
    visit("trace", trace, "print the energy, and with --sigma the PSNR, of every step");
    visit("batch", batch, "tiles at a time; results depend on it by roundings at most");
    visit("precision", precision, "fp32, bf16, or auto: bf16 where the CPU multiplies it natively");
    visit("seed", seed, "seed of the noise of --sigma");
    visit("threads", threads, kThreadsHelp);
  }
};

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt denoise noisy.png clean.png --model denoiser --input-sigma 25\n"
    "  ebt denoise photo.jpg out.png --model denoiser --sigma 25 --contact-sheet steps.svg\n"
    "  ebt denoise photo.jpg out.png --model denoiser --energy-map energy.png --trace\n"
    "  ebt denoise photos cleaned --model denoiser --steps 20 --energy-tolerance 1e-4\n"
    "An image of any size is taken in tiles of the model's size that overlap and are blended. A\n"
    "model was trained on images scaled as a diffusion scales them, sqrt(abar) (x + s epsilon): "
    "the\n"
    "sigma says by how much, and tells DiT where to begin. Level 0.1 of training is sigma 43, "
    "level\n"
    "0.2 is sigma 92.";

bool is_image_name(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

void check_image_name(const std::string& path, const char* what) {
  EBT_CHECK(is_image_name(path), "{}: '{}' ends in neither .png nor .jpg", what, path);
}

// Whether IN is many images.
bool is_many(const std::filesystem::path& in) {
  std::error_code ignored;
  return std::filesystem::is_directory(in, ignored) || in.extension() == ".tar" ||
         in.extension() == ".txt";
}

bool same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code ignored;
  return std::filesystem::equivalent(a, b, ignored);
}

// What can be known to be wrong before anything is read.
void check(const DenoisePaths& paths, const DenoiseFlags& flags) {
  EBT_CHECK(!paths.in.empty(), "IN is missing: name an image, or a folder of images");
  EBT_CHECK(!paths.out.empty(), "OUT is missing: name the image or the folder to write");
  check_counts({{"steps", flags.steps, 0},
                {"overlap", flags.overlap, -1},
                {"batch", flags.batch, 1},
                {"baseline-steps", flags.baseline_steps, 1}});
  EBT_CHECK(flags.energy_tolerance >= 0, "--energy-tolerance must be at least 0, not {}",
            flags.energy_tolerance);
  constexpr double kLargestSigma = 10'000;
  for (const auto& [name, sigma] :
       {std::pair("sigma", flags.sigma), std::pair("input-sigma", flags.input_sigma)}) {
    EBT_CHECK(sigma >= 0 && sigma <= kLargestSigma, "--{} must be between 0 and {}, not {}", name,
              kLargestSigma, sigma);
  }
  EBT_CHECK(flags.sigma == 0 || flags.input_sigma == 0,
            "--sigma adds noise to a clean image: leave out --input-sigma");
  if (is_many(paths.in)) {
    EBT_CHECK(flags.contact_sheet.empty() && flags.energy_map.empty() && !flags.trace,
              "--contact-sheet, --energy-map and --trace are for a single image");
  }
  if (!flags.energy_map.empty()) {
    check_image_name(flags.energy_map, "--energy-map");
  }
}

DenoiseJob open_job(const DenoiseFlags& flags) {
  DenoiseJob job;
  job.model = open_image_model(flags.model, flags.batch, flags.precision);
  if (!flags.baseline.empty()) {
    job.baseline = open_image_model(flags.baseline, flags.batch, flags.precision);
    EBT_CHECK(job.baseline->denoiser->config().channels == job.model.denoiser->config().channels,
              "--baseline: '{}' is a model of other channels than '{}'", flags.baseline,
              flags.model);
    job.baseline_steps = flags.baseline_steps;
  }
  EBT_CHECK(flags.energy_map.empty() || job.model.thinks(),
            "--energy-map: '{}' is a DiT, which has no energy", flags.model);
  job.adds_noise = flags.sigma > 0;
  const double sigma = std::max(flags.sigma, flags.input_sigma);
  job.noise = sigma > 0 ? ImageNoise::of_sigma(sigma)
                        : ImageNoise::of_timestep(job.model.denoiser->trained_timestep());
  constexpr int64_t kThinkingSteps = 3;
  constexpr int64_t kPasses = 100;
  job.options.steps = flags.steps > 0 ? flags.steps : job.model.thinks() ? kThinkingSteps : kPasses;
  job.options.energy_tolerance = flags.energy_tolerance;
  job.options.timestep = job.noise.timestep;
  job.tiling.trajectory = flags.trace || !flags.contact_sheet.empty();
  if (flags.overlap >= 0) {
    job.tiling.overlap = flags.overlap;
  }
  job.seed = flags.seed;
  return job;
}

void print_trace(const DenoiseJob& job, const DenoisedImage& denoised) {
  const auto rows = static_cast<size_t>(denoised.tiled.steps) + 1;
  for (size_t step = 0; step < rows; ++step) {
    fmt::print("{} {:<4}", job.model.thinks() ? "step" : "pass", step);
    if (step < denoised.tiled.energy.size()) {
      fmt::print("  energy {:.6g}", denoised.tiled.energy[step]);
    }
    if (step < denoised.quality.size()) {
      fmt::print("  PSNR {:.3f} dB", denoised.quality[step].psnr);
    }
    fmt::print("\n");
  }
}

// "wrote out.png: 481 x 321 pixels in 15 tiles, 3 steps each, 0.4 s; energy 0.5 -> 0.1"
void print_line(const DenoiseJob& job, const DenoisedImage& denoised, const std::string& out) {
  const TiledResult& tiled = denoised.tiled;
  const std::string work = job.model.thinks() ? "step" : "pass";
  const std::string plural = job.model.thinks() ? "steps" : "passes";
  fmt::print("wrote {}: {} x {} pixels in {} {}, {:.3g} {} each, {}", printable(out),
             denoised.result.width, denoised.result.height, tiled.tiles,
             tiled.tiles == 1 ? "tile" : "tiles",
             static_cast<double>(tiled.steps_of_tiles) / static_cast<double>(tiled.tiles),
             tiled.steps_of_tiles == tiled.tiles ? work : plural,
             format_duration(denoised.seconds));
  if (!tiled.energy.empty()) {
    fmt::print("; energy {:.4g} -> {:.4g}", tiled.energy.front(), tiled.energy.back());
  }
  if (!denoised.quality.empty()) {
    fmt::print("; PSNR {:.2f} -> {:.2f} dB, SSIM {:.4f} -> {:.4f}", denoised.quality.front().psnr,
               denoised.quality.back().psnr, denoised.quality.front().ssim,
               denoised.quality.back().ssim);
  }
  if (denoised.baseline_quality.has_value()) {
    fmt::print("; {} {:.2f} dB", job.baseline->name, denoised.baseline_quality->psnr);
  }
  fmt::print("\n");
}

Json head_of(const DenoiseFlags& flags, const DenoiseJob& job) {
  return {{"model", flags.model},           {"arch", enum_name(job.model.denoiser->config().arch)},
          {"sigma", job.noise.sigma()},     {"adds_noise", job.adds_noise},
          {"timestep", job.noise.timestep}, {"seed", job.seed}};
}

void denoise_one(const DenoisePaths& paths, const DenoiseFlags& flags, const Flags& command_flags) {
  std::filesystem::path out = paths.out;
  std::error_code ignored;
  if (std::filesystem::is_directory(out, ignored)) {
    out /= std::filesystem::path(paths.in).filename();
  }
  check_image_name(out.string(), "OUT");
  EBT_CHECK(!same_file(paths.in, out), "OUT is the image that is read: choose another name");
  const Image image = read_image(paths.in);
  const DenoiseJob job = open_job(flags);
  DenoisedImage denoised;
  {
    ShareProgress progress;
    denoised = denoise_image(job, image, paths.in, 0,
                             [&](double done) { progress.update("denoising", done); });
  }
  write_image(out, denoised.result);
  Json files = {{"out", out.string()}};
  if (!flags.contact_sheet.empty()) {
    write_file_atomically(flags.contact_sheet, sheet_of(job, image, denoised, paths.in));
    files["contact_sheet"] = flags.contact_sheet;
  }
  if (!flags.energy_map.empty()) {
    write_image(flags.energy_map,
                energy_map_image(denoised.model_result, denoised.tiled.patch_energy));
    files["energy_map"] = flags.energy_map;
  }
  if (command_flags.json()) {
    Json result = head_of(flags, job);
    result["in"] = paths.in;
    result.update(files);
    result.update(json_of(denoised));
    output_json(result);
    return;
  }
  if (flags.trace) {
    print_trace(job, denoised);
  }
  print_line(job, denoised, out.string());
  for (const char* name : {"contact_sheet", "energy_map"}) {
    if (files.contains(name)) {
      fmt::print("wrote {}\n", printable(files[name].get<std::string>()));
    }
  }
}

// Where a file of a source goes: its path below OUT, whatever a list or an archive calls it.
std::filesystem::path path_below(const std::filesystem::path& folder, const std::string& name) {
  std::filesystem::path path = folder;
  for (const std::filesystem::path& part : std::filesystem::path(name).lexically_normal()) {
    if (part != ".." && part != "." && !part.has_root_path()) {
      path /= part;
    }
  }
  return path;
}

// Throws Error where an image would be written over one that a list names.
void check_keeps_sources(const DenoisePaths& paths, const ImageFiles& files) {
  if (std::filesystem::path(paths.in).extension() != ".txt") {
    return;
  }
  const std::filesystem::path folder = std::filesystem::path(paths.in).parent_path();
  std::set<std::filesystem::path> sources;
  std::error_code ignored;  // what is wrong with a file, reading it says
  for (int64_t i = 0; i < files.count(); ++i) {
    sources.insert(std::filesystem::weakly_canonical(folder / files.path(i), ignored));
  }
  for (int64_t i = 0; i < files.count(); ++i) {
    const std::filesystem::path out = path_below(paths.out, files.path(i));
    EBT_CHECK(!sources.contains(std::filesystem::weakly_canonical(out, ignored)),
              "OUT: '{}' is an image that is read: choose another folder", out.string());
  }
}

void denoise_many(const DenoisePaths& paths, const DenoiseFlags& flags,
                  const Flags& command_flags) {
  EBT_CHECK(!lies_within(paths.out, paths.in),
            "OUT is the folder that is read, or lies within it: choose another name");
  const auto files = open_image_files(paths.in, "");
  check_keeps_sources(paths, *files);
  const DenoiseJob job = open_job(flags);
  Json result = head_of(flags, job);
  result["images"] = Json::array();
  int64_t bad = 0;
  ShareProgress progress;
  const auto count = static_cast<double>(files->count());
  for (int64_t i = 0; i < files->count(); ++i) {
    const std::filesystem::path out = path_below(paths.out, files->path(i));
    try {
      const Image image = files->read(i);
      const DenoisedImage denoised = denoise_image(job, image, files->path(i), i, [&](double done) {
        progress.update(fmt::format("denoising {} of {}", i + 1, files->count()),
                        (static_cast<double>(i) + done) / count);
      });
      check_image_name(out.string(), "OUT");
      std::error_code ignored;  // what is wrong with the folder, writing says
      std::filesystem::create_directories(out.parent_path(), ignored);
      write_image(out, denoised.result);
      if (!command_flags.json()) {
        print_line(job, denoised, out.string());
      }
      Json one = {{"in", files->path(i)}, {"out", out.string()}};
      one.update(json_of(denoised));
      result["images"].push_back(std::move(one));
    } catch (const Error& error) {
      ++bad;
      progress.note(message(fmt::format("left out: {}", error.what())));
    }
  }
  result["bad_images"] = bad;
  if (command_flags.json()) {
    output_json(result);
  }
  EBT_CHECK(bad == 0, "{} of {} images could not be denoised", bad, files->count());
}

void run_denoise(const Flags& command_flags) {
  DenoisePaths paths;
  DenoiseFlags flags;
  command_flags.apply_to(paths);
  command_flags.apply_to(flags);
  check(paths, flags);
  check_names_model(flags.model);
  use_threads(flags.threads);
  if (is_many(paths.in)) {
    denoise_many(paths, flags, command_flags);
  } else {
    denoise_one(paths, flags, command_flags);
  }
}

}  // namespace

void register_denoise(CLI::App& app) {
  add_command(
      app, "denoise", "Take the noise out of images of any size, by thinking or by diffusion.",
      kExamples,
      [](Flags& flags) {
        flags.bind_positional(DenoisePaths{}, "Images");
        flags.bind(DenoiseFlags{}, "Denoising");
        flags.writes(OutputKind::kFileOrFolder);
        flags.flags({"baseline-steps"}).only_where(with("baseline"));
        flags.flags({"energy-tolerance", "energy-map"})
            .only_where(where_an_image_model_thinks({"model"}));
      },
      run_denoise);
}

}  // namespace ebt
