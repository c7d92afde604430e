#include "lab/scale_lab.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/eval/value_list.h"
#include "lab/word_list.h"

namespace ebt {
namespace {

std::vector<int64_t> grid(const std::string& text, const char* flag) {
  return read_whole_numbers(text, flag, 1);
}

}  // namespace

ScaleLabConfig ScaleLabConfig::quick() {
  ScaleLabConfig config;
  config.step_grid = "20,40,80,160";
  config.batch_grid = "2,4,8";
  config.width_grid = "32,64,96";
  config.layer_grid = "1,2,3";
  config.steps = 40;
  config.batch = 8;
  config.width = 32;
  config.layers = 1;
  config.context = 64;
  config.validation_windows = 64;
  return config;
}

void ScaleLabConfig::check() const {
  EBT_CHECK(seeds >= 1, "--seeds: {} is not at least 1", seeds);
  const std::vector<std::string> names = read_words(learners, "learners");
  EBT_CHECK(names.size() == 2, "--learners: two are compared, not {}", names.size());
  for (const std::string& learner : names) {
    learner_config(learner);
  }
  for (const ScaleAxis& axis : scale_axes(*this)) {
    for (const ScaleRun& run : axis.runs) {
      EBT_CHECK(run.width % kLearnerHeadWidth == 0, "--width-grid: {} is not a multiple of {}",
                run.width, kLearnerHeadWidth);
    }
  }
}

std::string ScaleRun::id() const {
  return fmt::format("{}-{}x{}-batch{}-steps{}-seed{}", learner, layers, width, batch, steps, seed);
}

std::vector<ScaleAxis> scale_axes(const ScaleLabConfig& config) {
  std::vector<ScaleAxis> axes = {{"data", "training tokens", "tokens", {}},
                                 {"batch", "rows of a batch", "batch", {}},
                                 {"parameters", "parameters", "parameters", {}},
                                 {"depth", "transformer blocks", "layers", {}}};
  for (int64_t seed = 0; seed < config.seeds; ++seed) {
    for (const std::string& learner : read_words(config.learners, "learners")) {
      const ScaleRun base = {learner,      config.steps,  config.batch,
                             config.width, config.layers, seed};
      const auto add = [&](size_t axis, const std::string& values, const char* flag,
                           int64_t ScaleRun::*what) {
        for (const int64_t value : grid(values, flag)) {
          ScaleRun run = base;
          run.*what = value;
          axes[axis].runs.push_back(run);
        }
      };
      add(0, config.step_grid, "step-grid", &ScaleRun::steps);
      add(1, config.batch_grid, "batch-grid", &ScaleRun::batch);
      add(2, config.width_grid, "width-grid", &ScaleRun::width);
      add(3, config.layer_grid, "layer-grid", &ScaleRun::layers);
    }
  }
  return axes;
}

ScaleLab::ScaleLab(ScaleLabConfig config) : config_(std::move(config)) {
  config_.check();
  config_.data = absolute_path(config_.data);
}

std::vector<Job> ScaleLab::jobs() const {
  std::vector<ScaleRun> runs;
  for (const ScaleAxis& axis : scale_axes(config_)) {
    for (const ScaleRun& run : axis.runs) {
      if (std::find(runs.begin(), runs.end(), run) == runs.end()) {
        runs.push_back(run);
      }
    }
  }
  // The cheapest first: an experiment that is stopped early has the most points it could.
  std::stable_sort(runs.begin(), runs.end(), [](const ScaleRun& a, const ScaleRun& b) {
    const auto cost = [](const ScaleRun& run) {
      return run.steps * run.batch * run.width * run.layers;
    };
    return std::pair(a.seed, cost(a)) < std::pair(b.seed, cost(b));
  });
  std::vector<Job> jobs;
  for (const ScaleRun& run : runs) {
    jobs.push_back({run.id(),
                    {{"learner", run.learner},
                     {"steps", run.steps},
                     {"batch", run.batch},
                     {"width", run.width},
                     {"layers", run.layers},
                     {"seed", run.seed}}});
  }
  return jobs;
}

std::optional<Json> ScaleLab::work(const Job& job, const std::filesystem::path& folder,
                                   const std::filesystem::path& /*lab_folder*/,
                                   const JobWatch& watch) const {
  TextTrainConfig config = learner_config(job.parameters["learner"]);
  config.model.layers = job.parameters["layers"];
  config.model.width = job.parameters["width"];
  config.model.heads = config.model.width / kLearnerHeadWidth;
  config.model.context = config_.context;
  config.optimizer.learning_rate = config_.learning_rate;
  config.data.data = config_.data;
  config.run.steps = job.parameters["steps"];
  config.run.batch = job.parameters["batch"];
  config.run.seed = job.parameters["seed"];
  config.run.precision = config_.precision;
  config.run.validation_windows = config_.validation_windows;
  const std::optional<TrainedLearner> trained = train_learner(config, folder / "model", watch);
  if (!trained.has_value()) {
    return std::nullopt;
  }
  return Json{{"loss", trained->validation_loss},
              {"tokens", trained->tokens},
              {"parameters", trained->parameters},
              {"batch", config.run.batch},
              {"layers", config.model.layers},
              {"flops", trained->flops},
              // Of a quiet machine: what disturbs some steps does not move the median.
              {"seconds", trained->seconds_per_step * static_cast<double>(config.run.steps)}};
}

LabReport ScaleLab::report(const std::vector<LabResult>& results) const {
  return scale_report(config_, results);
}

}  // namespace ebt
