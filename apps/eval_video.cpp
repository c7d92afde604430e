#include "eval_video.h"

#include <fmt/format.h>

#include <memory>
#include <string>

#include "ebt/core/printable.h"
#include "ebt/core/share_progress.h"
#include "ebt/core/threads.h"
#include "ebt/eval/video_quality.h"
#include "ebt/think/open_model.h"
#include "ebt/train/run_config.h"
#include "ebt/train/video_train_config.h"
#include "evaluation.h"
#include "flags.h"
#include "output.h"

namespace ebt {
namespace {

struct EvalVideoFlags {
  std::string model;
  std::string data;
  int64_t think_steps = 0;
  int64_t batch = 16;
  std::string precision = "auto";
  uint64_t seed = 0;
  int64_t threads = 0;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("model", model, "folder of a model that 'ebt train video' made");
    visit("data", data,
          "a folder of .npy and .safetensors files, or one of them; default: the clips that "
          "training kept for validation");
    visit("think-steps", think_steps, "thinking steps a frame; 0: as many as in training");
    visit("batch", batch, "windows at a time; results depend on it by roundings at most");
    visit("precision", precision, "fp32, bf16, or auto: bf16 where the CPU multiplies it natively");
    visit("seed", seed, "seed of initial predictions that are random");
    visit("threads", threads, kThreadsHelp);
  }
};

constexpr const char* kExamples =
    "Examples:\n"
    "  ebt eval video --model foreteller                 # the clips kept out of training\n"
    "  ebt eval video --model foreteller --data others --think-steps 4\n"
    "  ebt eval video --model baseline --data others --json\n"
    "Smooth L1 and cosine similarity of foretold frames after every thinking step, beside those "
    "of\n"
    "repeating the frame before.";

struct SelectedClips {
  std::string name;
  std::shared_ptr<const ClipWindows> windows;
};

SelectedClips select_clips(const EvalVideoFlags& flags, const VideoTrainConfig& config) {
  VideoDataConfig source = config.data;
  if (!flags.data.empty()) {
    source = {flags.data, 0};
  }
  VideoData data;
  data.clips = std::make_shared<Clips>(source.data);
  cut_clips(source, config.model.width, config.model.context, data);
  if (!flags.data.empty()) {
    return {fmt::format("'{}'", printable(source.data)), data.training};
  }
  EBT_CHECK(data.validation->count() > 0,
            "the model was trained on all of its clips: name others with --data");
  return {fmt::format("the validation part of '{}'", printable(source.data)), data.validation};
}

void run_eval_video(const Flags& command_flags) {
  EvalVideoFlags flags;
  command_flags.apply_to(flags);
  check_names_model(flags.model);
  check_counts({{"think-steps", flags.think_steps, 0}, {"batch", flags.batch, 1}});
  use_threads(flags.threads);
  const auto config = load_config<VideoTrainConfig>(flags.model);
  EBT_CHECK(
      flags.think_steps == 0 || config.model.arch == Architecture::kEbt,
      "--think-steps is for Energy-Based Transformers: '{}' holds a Transformer++, which does "
      "not think",
      flags.model);
  const auto model = load_video_model(flags.model, flags.batch, flags.precision);
  const SelectedClips clips = select_clips(flags, config);
  VideoScores scores;
  {
    ShareProgress progress;
    scores = measure_video(*model, *clips.windows, flags.think_steps, flags.batch, flags.seed,
                           [&](double done) { progress.update("measuring", done); });
  }
  if (command_flags.json()) {
    Json result = {{"model", flags.model}, {"data", clips.name}};
    result.update(scores.to_json());
    output_json(result);
    return;
  }
  fmt::print("{} frames of {}\n{}", scores.frames, clips.name, scores.to_table());
}

}  // namespace

void register_eval_video(CLI::App& eval) {
  add_command(
      eval, "video", "Measure how well a model foretells frames, for how many thinking steps.",
      kExamples, [](Flags& flags) { flags.bind(EvalVideoFlags{}, "Evaluation"); }, run_eval_video);
}

}  // namespace ebt
