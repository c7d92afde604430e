#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "ebt/core/log.h"
#include "ebt/core/threads.h"
#include "ebt/eval/image_probe.h"
#include "ebt/train/image_train_config.h"
#include "ebt/train/run_config.h"
#include "evaluation.h"
#include "flags.h"
#include "image_model.h"
#include "output.h"
#include "rules.h"

namespace ebt {
namespace {

struct ProbeFlags {
  std::string model;
  std::string baseline;
  std::string data;
  std::string within;
  std::string test_data;
  std::string test_within;
  double held_out = 0.2;
  int64_t images = 0;
  int64_t test_images = 0;
  int64_t timestep = 0;
  double l2 = 1e-3;
  int64_t iterations = 300;
  int64_t batch = 32;
  std::string precision = "auto";
  int64_t threads = 0;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("model", model, "folder of a model that 'ebt train image' or 'ebt train dit' made");
    visit("baseline", baseline, "folder of a model to compare with, as a DiT");
    visit(
        "data", data,
        "a folder, a .tar (also as .gz and .zst), or a .txt that lists PNG and JPEG files; "
        "default: "
        "those of the training. Their classes are their folders, or their names up to the last '_' "
        "or '-'; a folder of nothing but train/ and test/ (or val/) is taken apart into these");
    visit("within", within,
          "learn from files whose path in the data begins with this, as in train/");
    visit("test-data", test_data, "likewise, the files to test with; default: the same");
    visit("test-within", test_within, "test with files whose path begins with this, as in test/");
    visit("held-out", held_out,
          "share of the files that is tested with, spread evenly, where neither of the above is "
          "given");
    visit("images", images, "images to learn from, spread evenly; 0 is all");
    visit("test-images", test_images, "images to test with, likewise");
    visit("timestep", timestep, "how noisy DiT takes the images to be, which are clean");
    visit("l2", l2, "weight of the L2 term beside the mean loss");
    visit("iterations", iterations, "iterations of L-BFGS, at most");
    visit("batch", batch, "images at a time; results depend on it by roundings at most");
    visit("precision", precision, "fp32, bf16, or auto: bf16 where the CPU multiplies it natively");
    visit("threads", threads, kThreadsHelp);
  }
};

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt probe --model denoiser --data animals           # a folder for each class\n"
    "  ebt probe --model denoiser --baseline dit --data photos.tar --within train/ --test-within "
    "test/\n"
    "What does a denoiser know of what it sees? Its last block's features, averaged over patches,\n"
    "are read by a logistic regression; the model itself is not changed. Raw pixels are the floor.";

// Files to learn from and to test with; either may lie in the same source.
struct ProbeFiles {
  std::shared_ptr<const ImageFiles> training_source, test_source;
  LabelledFiles training, test;
};

ProbeFiles open_files(ProbeFlags flags) {
  if (flags.data.empty()) {
    const ImageDataConfig data = load_config<ImageTrainConfig>(flags.model).data;
    EBT_CHECK(
        !data.data.empty(),
        "the model was trained on dead leaves, which have no classes: name images with --data");
    flags.data = data.data;
    flags.within = flags.within.empty() ? data.within : flags.within;
  }
  ProbeFiles files;
  files.training_source = open_image_files(flags.data, flags.within);
  const bool same_source = flags.test_data.empty() && flags.test_within.empty();
  const auto split = same_source ? split_folders(*files.training_source) : std::nullopt;
  if (split) {
    ProgressLine().note(
        fmt::format("learns from '{}', and tests with '{}'", split->training, split->test));
    files.test_source = files_within(files.training_source, split->test);
    files.training_source = files_within(files.training_source, split->training);
  } else if (!same_source) {
    files.test_source =
        open_image_files(flags.test_data.empty() ? flags.data : flags.test_data, flags.test_within);
  }
  files.training = label_files(*files.training_source, {});
  if (files.test_source != nullptr) {
    files.test = label_files(*files.test_source, files.training.names);
  } else {
    files.test_source = files.training_source;
    files.test = hold_out(files.training, flags.held_out);
  }
  files.training = take_evenly(files.training, flags.images);
  files.test = take_evenly(files.test, flags.test_images);
  EBT_CHECK(files.training.names.size() >= 2,
            "all images are of class '{}', and there is nothing to tell apart",
            files.training.names.at(0));
  return files;
}

// What the probe of one source of features reached.
struct ProbeRow {
  std::string name;
  int64_t width = 0;
  int64_t iterations = 0;
  LinearProbe::Score training, test;
};

std::vector<ProbeRow> probe(const ProbeFlags& flags, const ProbeFiles& files,
                            const ImageModelConfig& config,
                            const std::vector<FeatureSource>& sources, ShareProgress& progress) {
  BadImages bad;
  const auto all = static_cast<double>(files.training.files.size() + files.test.files.size());
  const auto gather = [&](const ImageFiles& source, const LabelledFiles& part, size_t before) {
    return gather_features(source, part, config, flags.batch, sources, bad, [&](int64_t done) {
      progress.update("looking at images",
                      (static_cast<double>(before) + static_cast<double>(done)) / all);
    });
  };
  const std::vector<ProbeData> training = gather(*files.training_source, files.training, 0);
  const std::vector<ProbeData> test =
      gather(*files.test_source, files.test, files.training.files.size());
  note_bad_images(bad.count, bad.sentences, progress);
  std::vector<ProbeRow> rows;
  for (size_t i = 0; i < sources.size(); ++i) {
    const LinearProbe fitted(
        training[i], static_cast<int64_t>(files.training.names.size()),
        {.l2 = flags.l2, .iterations = flags.iterations}, [&](int64_t iteration, double) {
          progress.update("fitting the probe of " + sources[i].name,
                          static_cast<double>(iteration) / static_cast<double>(flags.iterations));
        });
    rows.push_back({sources[i].name, sources[i].width, fitted.iterations(),
                    fitted.score(training[i]), fitted.score(test[i])});
  }
  return rows;
}

// The share of the test images that are of the class most frequent among the training images.
double frequent_share(const ProbeFiles& files) {
  std::vector<int64_t> counts(files.training.names.size());
  for (const int32_t one : files.training.classes) {
    ++counts[static_cast<size_t>(one)];
  }
  const auto most =
      static_cast<int32_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
  return static_cast<double>(
             std::count(files.test.classes.begin(), files.test.classes.end(), most)) /
         static_cast<double>(files.test.classes.size());
}

void print_table(const ProbeFiles& files, const std::vector<ProbeRow>& rows) {
  fmt::print("probe: {} classes, learnt from {} images, tested with {}\n\n",
             files.training.names.size(), files.training.files.size(), files.test.files.size());
  fmt::print("{:<10}  {:>8}  {:>7}  {:>7}  {:>9}  {:>14}  {:>10}\n", "features", "width", "top-1",
             "top-5", "test loss", "training top-1", "iterations");
  for (const ProbeRow& row : rows) {
    fmt::print("{:<10}  {:>8}  {:>6.2f}%  {:>6.2f}%  {:>9.4f}  {:>13.2f}%  {:>10}\n", row.name,
               row.width, 100 * row.test.top1, 100 * row.test.top5, row.test.loss,
               100 * row.training.top1, row.iterations);
  }
  fmt::print("\nalways the most frequent class: {:.2f}%\n", 100 * frequent_share(files));
}

void print_json(const ProbeFlags& flags, const ProbeFiles& files,
                const std::vector<ProbeRow>& rows) {
  Json result = {{"model", flags.model},
                 {"classes", files.training.names},
                 {"training_images", files.training.files.size()},
                 {"test_images", files.test.files.size()},
                 {"l2", flags.l2},
                 {"timestep", flags.timestep},
                 {"most_frequent_class", frequent_share(files)}};
  result["probes"] = Json::array();
  for (const ProbeRow& row : rows) {
    result["probes"].push_back({{"features", row.name},
                                {"width", row.width},
                                {"top1", row.test.top1},
                                {"top5", row.test.top5},
                                {"loss", row.test.loss},
                                {"training_top1", row.training.top1},
                                {"training_loss", row.training.loss},
                                {"iterations", row.iterations}});
  }
  output_json(result);
}

void check(const ProbeFlags& flags) {
  check_names_model(flags.model);
  check_counts({{"images", flags.images, 0},
                {"test-images", flags.test_images, 0},
                {"iterations", flags.iterations, 1},
                {"batch", flags.batch, 1},
                {"timestep", flags.timestep, 0}});
  EBT_CHECK(flags.timestep < 1000, "--timestep must be below 1000, not {}", flags.timestep);
  EBT_CHECK(flags.held_out > 0 && flags.held_out < 1, "--held-out must be between 0 and 1, not {}",
            flags.held_out);
  EBT_CHECK(flags.l2 >= 0 && flags.l2 <= 1e9, "--l2 must be between 0 and 10^9, not {}", flags.l2);
}

void run_probe(const Flags& command_flags) {
  ProbeFlags flags;
  command_flags.apply_to(flags);
  check(flags);
  use_threads(flags.threads);
  std::vector<OpenedImageModel> models;
  models.push_back(open_image_model(flags.model, flags.batch, flags.precision));
  const ImageModelConfig config = models[0].denoiser->config();
  if (!flags.baseline.empty()) {
    models.push_back(open_image_model(flags.baseline, flags.batch, flags.precision));
    const ImageModelConfig& other = models[1].denoiser->config();
    EBT_CHECK(other.channels == config.channels && other.image_height == config.image_height &&
                  other.image_width == config.image_width,
              "--baseline: '{}' sees images of another size than '{}'", flags.baseline,
              flags.model);
  }
  std::vector<FeatureSource> sources;
  for (const OpenedImageModel& model : models) {
    FeatureSource source;
    source.name =
        models[0].name == models.back().name && &model != &models[0] ? "baseline" : model.name;
    source.width = model.denoiser->config().width;
    source.run = [&](Tensor<const float> images, Tensor<float> features) {
      model.denoiser->features(images, flags.timestep, features);
    };
    sources.push_back(std::move(source));
  }
  sources.push_back(pixel_source(config));
  const ProbeFiles files = open_files(flags);
  std::vector<ProbeRow> rows;
  {
    ShareProgress progress;
    rows = probe(flags, files, config, sources, progress);
  }
  if (command_flags.json()) {
    print_json(flags, files, rows);
  } else {
    print_table(files, rows);
  }
}

}  // namespace

void register_probe(CLI::App& app) {
  add_command(
      app, "probe", "Read classes off the features of a frozen image model, by a linear map.",
      kExamples,
      [](Flags& flags) {
        flags.bind(ProbeFlags{}, "Probe");
        flags.flags({"held-out"}).only_where(without("test-data", "all of those files test"));
        flags.flags({"held-out"}).only_where(without("test-within", "all of those files test"));
        flags.flags({"timestep"}).only_where(where_an_image_model_is_dit({"model", "baseline"}));
      },
      run_probe);
}

}  // namespace ebt
