#include <fmt/format.h>

#include <chrono>
#include <string>

#include "commands.h"
#include "ebt/core/log.h"
#include "ebt/core/printable.h"
#include "ebt/core/threads.h"
#include "ebt/eval/calibration.h"
#include "ebt/eval/outcomes.h"
#include "ebt/eval/tasks.h"
#include "ebt/io/file.h"
#include "ebt/io/fingerprint.h"
#include "ebt/model/model_folder.h"
#include "ebt/report/evaluation_figure.h"
#include "ebt/think/open_model.h"
#include "evaluation.h"
#include "flags.h"
#include "output.h"

namespace ebt {
namespace {

struct CalibrateFlags {
  std::string model;
  TextSelection text;
  int64_t windows = 400;
  std::string figure;
  int64_t batch = 16;
  std::string precision = "auto";
  uint64_t seed = 0;
  int64_t threads = 0;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("model", model, "folder of the model, which receives calibration.json");
    text.visit_fields(visit);
    visit("windows", windows, "windows of text to predict, spread evenly; 0 is the whole text");
    visit("figure", figure, "write the reliability of both probabilities as SVG");
    visit("batch", batch, "texts at a time; results do not depend on it");
    visit("precision", precision, "fp32, bf16, or auto: bf16 where the CPU multiplies it natively");
    visit("seed", seed, "seed of the initial predictions");
    visit("threads", threads, kThreadsHelp);
  }
};

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt calibrate --model model                         # on the text kept out of training\n"
    "  ebt calibrate --model model --data other.txt --think-steps 4 --figure reliability.svg\n"
    "Every other window is fitted, the rest judges the fit. Calibrate with the thinking that will "
    "be\nused: other settings end at other energies.";

std::vector<std::pair<double, double>> curve(const CalibrationQuality& quality) {
  std::vector<std::pair<double, double>> points;
  for (const ReliabilityBin& bin : quality.bins) {
    points.emplace_back(bin.confidence, bin.accuracy);
  }
  return points;
}

std::string figure(const Calibration& calibration, const std::string& model) {
  const auto label = [](const char* name, const CalibrationQuality& quality) {
    return fmt::format("{}, error {:.4f}", name, quality.calibration_error);
  };
  return reliability_figure(
      {{label("energy", calibration.quality()), curve(calibration.quality())},
       {label("softmax", calibration.softmax_quality()), curve(calibration.softmax_quality())}},
      fmt::format("{} · {} held-out predictions of {}", model, calibration.held_out_tokens(),
                  calibration.origin().data));
}

void print_report(const Calibration& calibration) {
  const auto print_quality = [](const char* name, const CalibrationQuality& quality) {
    fmt::print("{:<26}{:>18.4f}{:>10.4f}\n", name, quality.calibration_error, quality.auroc);
  };
  fmt::print("{}: {} predictions fitted, {} held out, of which {:.2f} % are right\n",
             calibration.origin().data, calibration.fitted_tokens(), calibration.held_out_tokens(),
             100 * calibration.accuracy());
  fmt::print("{} energy means right; certainty from {:.3f} to {:.3f}, {} knots\n\n",
             calibration.low_energy_is_right() ? "low" : "HIGH",
             std::min(calibration.knots().front().value, calibration.knots().back().value),
             std::max(calibration.knots().front().value, calibration.knots().back().value),
             calibration.knots().size());
  fmt::print("{:<26}{:>18}{:>10}\n", "held out", "calibration error", "AUROC");
  print_quality("certainty, of the energy", calibration.quality());
  print_quality("softmax, as it is", calibration.softmax_quality());
}

void run_calibrate(const Flags& flags) {
  CalibrateFlags calibrate;
  ThinkOptions think;
  flags.apply_to(calibrate);
  flags.apply_to(think);
  const TextTrainConfig config = open_config(calibrate.model);
  check_counts({{"windows", calibrate.windows, 0}, {"batch", calibrate.batch, 1}});
  use_threads(calibrate.threads);
  think.seed = calibrate.seed;
  think.check();
  const auto tokenizer = load_tokenizer(calibrate.model);
  const SelectedText text = select_text(calibrate.text, config, *tokenizer);
  const auto task = task_of(text, tokenizer, calibrate.windows);
  const auto generator = load_generator(calibrate.model, {calibrate.batch, calibrate.precision});
  ProgressLine line;
  const auto begin = std::chrono::steady_clock::now();
  const TextOutcomes outcomes = predict_outcomes(*generator, *task, think, [&](int64_t done) {
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    line.update(fmt::format("predicting: {} of {} windows, {} left", done, task->examples(),
                            format_duration(seconds * static_cast<double>(task->examples() - done) /
                                            static_cast<double>(done))));
  });
  line.finish();
  const std::filesystem::path folder = calibrate.model;
  const Calibration calibration =
      Calibration::fit(outcomes.fit, outcomes.held_out,
                       {think, task->description(), file_fingerprint(folder / kModelFile)});
  if (!calibrate.figure.empty()) {
    write_file_atomically(calibrate.figure, figure(calibration, calibrate.model));
  }
  calibration.save(folder);
  if (flags.json()) {
    Json result = {{"model", calibrate.model},
                   {"file", (folder / kCalibrationFile).string()},
                   {"figure", calibrate.figure.empty() ? Json() : Json(calibrate.figure)}};
    result.update(calibration.to_json());
    output_json(result);
    return;
  }
  print_report(calibration);
  fmt::print("\nwrote {}\n", printable((folder / kCalibrationFile).string()));
}

}  // namespace

void register_calibrate(CLI::App& app) {
  add_command(
      app, "calibrate", "Fit the probability of being right to a model's energy.", kExamples,
      [](Flags& flags) {
        flags.bind(CalibrateFlags{}, "Calibration");
        flags.bind(ThinkOptions{}, "Thinking", {"think-budget"});
      },
      run_calibrate);
}

}  // namespace ebt
