#include "lab/think_lab.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/data/text/examples.h"
#include "ebt/eval/task_run.h"
#include "ebt/eval/tasks.h"
#include "ebt/eval/think_grid.h"
#include "ebt/io/file.h"
#include "ebt/io/file_lock.h"
#include "ebt/io/folder.h"
#include "ebt/model/model_folder.h"
#include "ebt/think/open_model.h"
#include "ebt/train/run_config.h"
#include "lab/word_list.h"

namespace ebt {
namespace {

constexpr int64_t kTexts = 100;  // measured at a time
constexpr double kValidation = 0.02;
// Share of a run's progress that is training.
constexpr double kTraining = 0.7;

PuzzleConfig puzzle_config(const ThinkLabConfig& config, const std::string& puzzle) {
  PuzzleConfig result;
  result.puzzle = puzzle;
  result.board = config.board;
  result.symbols = config.symbols;
  result.kinds = config.kinds;
  return result;
}

// A separator, the example, and of the one that ends it the target alone.
int64_t context_of(const Puzzle& puzzle) { return puzzle.longest() + 1; }

std::string line_of(const PuzzleExample& example) {
  return Json{{"prompt", example.prompt}, {"answer", example.answer}}.dump() + '\n';
}

// Writes a file that all runs on a puzzle share, unless it is there.
void write_once(const std::filesystem::path& path, const std::function<std::string()>& make_text) {
  const FileLock lock = FileLock::wait_for(path.parent_path() / "lock");
  if (!std::filesystem::exists(path)) {
    write_file_atomically(path, make_text());
  }
}

std::string training_file(const Puzzle& puzzle, int64_t count, const std::filesystem::path& data) {
  const std::filesystem::path path = data / (puzzle.name() + "-training.jsonl");
  write_once(path, [&] {
    std::vector<int64_t> trained;
    for (int64_t level = 0; level < std::ssize(puzzle.levels()); ++level) {
      if (puzzle.levels()[static_cast<size_t>(level)].trained) {
        trained.push_back(level);
      }
    }
    std::string text;
    for (int64_t i = 0; i < count; ++i) {
      const auto levels = std::ssize(trained);
      text += line_of(puzzle.example(trained[static_cast<size_t>(i % levels)],
                                     PuzzleSide::kTraining, 0, i / levels));
    }
    return text;
  });
  return path.string();
}

std::string test_file(const Puzzle& puzzle, int64_t level, int64_t count,
                      const std::filesystem::path& data) {
  const std::filesystem::path path = data / fmt::format("{}-test-{}.jsonl", puzzle.name(), level);
  write_once(path, [&] {
    std::string text;
    for (int64_t i = 0; i < count; ++i) {
      text += line_of(puzzle.example(level, PuzzleSide::kTest, 0, i));
    }
    return text;
  });
  return path.string();
}

// How an EBT is asked to think: every number of steps, then with several candidates or with stops
// at the largest number.
std::vector<ThinkOptions> ways_of_thinking(const ThinkLabConfig& config) {
  std::vector<ThinkOptions> ways = ThinkGrid{config.grid, "", ""}.options({});
  ThinkOptions longest = ways.back();
  for (const ThinkOptions& way : ways) {
    longest.steps = std::max(longest.steps, way.steps);
  }
  for (const ThinkOptions& way : ThinkGrid{"", config.candidates, config.stops}.options(longest)) {
    if ((way.candidates > 1) != (way.stop_change > 0)) {
      ways.push_back(way);
    }
  }
  return ways;
}

Json point_of(const std::optional<ThinkOptions>& way, const TaskTotals& totals) {
  Json point = Json::object();
  if (way.has_value()) {
    point["steps"] = way->steps;
    point["candidates"] = way->candidates;
    point["stop"] = way->stop_change;
    point["steps_per_token"] = totals.steps_per_token();
  }
  point["passes_per_token"] = totals.passes_per_token();
  point["accuracy"] = totals.accuracy();
  point["token_accuracy"] =
      static_cast<double>(totals.sums.likeliest) / static_cast<double>(totals.sums.tokens);
  point["loss"] = totals.loss();
  return point;
}

// Measures one way after another on every level; each has a journal, from which it goes on.
class Measurement {
 public:
  Measurement(const ThinkLabConfig& config, const Puzzle& puzzle, std::filesystem::path folder,
              const std::filesystem::path& data, const JobWatch& watch)
      : config_(config), puzzle_(puzzle), folder_(std::move(folder)), data_(data), watch_(watch) {
    const auto trained = load_config<TextTrainConfig>(folder_);
    thinks_ = trained.model.arch == Architecture::kEbt;
    context_ = trained.model.context;
    precision_ = trained.run.precision;
    generator_ = load_generator(folder_, {kTexts, precision_});
  }

  // Nothing where it was asked to stop.
  std::optional<Json> all_levels() {
    const std::vector<ThinkOptions> ways =
        thinks_ ? ways_of_thinking(config_) : std::vector<ThinkOptions>(1);
    const auto tokenizer = load_tokenizer(folder_);
    Json levels = Json::array();
    const auto count = std::ssize(puzzle_.levels());
    for (int64_t level = 0; level < count; ++level) {
      const auto rows = std::make_shared<ExampleSet>(
          ExampleSet::open({test_file(puzzle_, level, config_.tests, data_), "answer"}, "prompt",
                           *tokenizer, context_));
      const auto task = answer_task(tokenizer, rows, puzzle_.name(), 0);
      Json points = Json::array();
      for (size_t way = 0; way < ways.size(); ++way) {
        if (watch_.stop_requested()) {
          return std::nullopt;
        }
        const double done = static_cast<double>(level) +
                            static_cast<double>(way) / static_cast<double>(ways.size());
        watch_.on_progress("measuring",
                           kTraining + (1 - kTraining) * done / static_cast<double>(count));
        const TaskTotals totals = measure(*task, level, way, ways[way]);
        points.push_back(point_of(thinks_ ? std::optional(ways[way]) : std::nullopt, totals));
      }
      const PuzzleLevel& of = puzzle_.levels()[static_cast<size_t>(level)];
      levels.push_back({{"level", of.name},
                        {"sizes", of.least == of.most ? fmt::format("{}", of.least)
                                                      : fmt::format("{}–{}", of.least, of.most)},
                        {"trained", of.trained},
                        {"points", std::move(points)}});
    }
    return levels;
  }

 private:
  TaskTotals measure(const Task& task, int64_t level, size_t way, const ThinkOptions& think) {
    TaskJournal journal(folder_ / fmt::format("measured-{}-{}.jsonl", level, way),
                        {{"task", task_fingerprint(task)},
                         {"steps", think.steps},
                         {"candidates", think.candidates},
                         {"stop", think.stop_change}});
    return run_task(*generator_, task, think, &journal, {});
  }

  const ThinkLabConfig& config_;
  const Puzzle& puzzle_;
  std::filesystem::path folder_;
  std::filesystem::path data_;
  const JobWatch& watch_;
  bool thinks_ = false;
  int64_t context_ = 0;
  std::string precision_;
  std::unique_ptr<Generator> generator_;
};

}  // namespace

ThinkLabConfig ThinkLabConfig::quick() {
  ThinkLabConfig config;
  config.puzzles = "brackets";
  config.learners = "transformer_pp,s2";
  config.ablation = "";
  config.seeds = 1;
  config.examples = 4000;
  config.tests = 40;
  config.layers = 1;
  config.width = 64;
  config.steps = 200;
  config.grid = "1,3,8";
  config.candidates = "1,2";
  config.stops = "0,0.1";
  return config;
}

void ThinkLabConfig::check() const {
  EBT_CHECK(seeds >= 1, "--seeds: {} is not at least 1", seeds);
  EBT_CHECK(examples >= 100, "--examples: {} is not at least 100", examples);
  EBT_CHECK(tests >= 1, "--tests: {} is not at least 1", tests);
  const std::vector<std::string> names = read_words(puzzles, "puzzles");
  for (const std::string& puzzle : names) {
    make_puzzle(puzzle_config(*this, puzzle));
  }
  for (const std::string& learner : read_words(learners, "learners")) {
    learner_config(learner);
  }
  EBT_CHECK(ablation.empty() || std::find(names.begin(), names.end(), ablation) != names.end(),
            "--ablation: '{}' is not among the --puzzles {}", ablation, puzzles);
  ways_of_thinking(*this);
}

std::vector<std::string> s2_parts() { return {"step-size", "step-count", "langevin", "replay"}; }

void leave_out(const std::string& part, TextThinkingConfig& thinking) {
  if (part == "step-size") {
    thinking.step_size_spread = 1;
  } else if (part == "step-count") {
    thinking.steps_min = thinking.steps_max;
  } else if (part == "langevin") {
    thinking.langevin_noise = 0;
  } else if (part == "replay") {
    thinking.replay_rows = 0;
  } else {
    fail("'{}' is no part of the recipe s2 that can be left out", part);
  }
}

ThinkLab::ThinkLab(ThinkLabConfig config) : config_(std::move(config)) { config_.check(); }

std::vector<Job> ThinkLab::jobs() const {
  std::vector<Job> jobs;
  const auto add = [&](const std::string& puzzle, const std::string& learner,
                       const std::string& without, int64_t seed) {
    const std::string kind = without.empty() ? learner : learner + "-without-" + without;
    jobs.push_back(
        {fmt::format("{}-{}-seed{}", puzzle, kind, seed),
         {{"puzzle", puzzle}, {"learner", learner}, {"without", without}, {"seed", seed}}});
  };
  // Seed by seed, so that an experiment that is stopped early has answers.
  for (int64_t seed = 0; seed < config_.seeds; ++seed) {
    for (const std::string& puzzle : read_words(config_.puzzles, "puzzles")) {
      for (const std::string& learner : read_words(config_.learners, "learners")) {
        add(puzzle, learner, "", seed);
      }
    }
    for (const std::string& part : s2_parts()) {
      if (!config_.ablation.empty()) {
        add(config_.ablation, "s2", part, seed);
      }
    }
  }
  return jobs;
}

std::optional<Json> ThinkLab::work(const Job& job, const std::filesystem::path& folder,
                                   const std::filesystem::path& lab_folder,
                                   const JobWatch& watch) const {
  const auto puzzle = make_puzzle(puzzle_config(config_, job.parameters["puzzle"]));
  const std::filesystem::path data = lab_folder / "data";
  make_folder(data);
  TextTrainConfig config = learner_config(job.parameters["learner"]);
  if (const std::string without = job.parameters["without"]; !without.empty()) {
    leave_out(without, config.thinking);
  }
  config.model.layers = config_.layers;
  config.model.width = config_.width;
  config.model.heads = config_.heads;
  config.model.context = context_of(*puzzle);
  config.optimizer.learning_rate = config_.learning_rate;
  config.data.data = training_file(*puzzle, config_.examples, data);
  config.data.prompt_field = "prompt";
  config.data.text_field = "answer";
  config.data.validation = kValidation;
  config.run.steps = config_.steps;
  config.run.batch = config_.batch;
  config.run.precision = config_.precision;
  config.run.seed = job.parameters["seed"];

  const std::filesystem::path model = folder / "model";
  const std::optional<TrainedLearner> trained =
      train_learner(config, model, part_of(watch, 0, kTraining));
  if (!trained.has_value()) {
    return std::nullopt;
  }
  std::optional<Json> levels = Measurement(config_, *puzzle, model, data, watch).all_levels();
  if (!levels.has_value()) {
    return std::nullopt;
  }
  return Json{{"seconds", trained->seconds},
              {"parameters", trained->parameters},
              {"validation_loss", trained->validation_loss},
              {"levels", std::move(*levels)}};
}

LabReport ThinkLab::report(const std::vector<LabResult>& results) const {
  return think_report(config_, results);
}

}  // namespace ebt
