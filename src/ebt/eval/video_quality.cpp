#include "ebt/eval/video_quality.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ebt/layers/smooth_l1.h"

namespace ebt {
namespace {

double cosine(const float* a, const float* b, int64_t width) {
  double product = 0;
  double a_squared = 0;
  double b_squared = 0;
  for (int64_t i = 0; i < width; ++i) {
    product += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    a_squared += static_cast<double>(a[i]) * static_cast<double>(a[i]);
    b_squared += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  const double norms = std::sqrt(a_squared * b_squared);
  return norms > 0 ? product / norms : 0;
}

// Adds the scores of frames (n, D) that were foretold for `targets`.
void add_scores(Tensor<const float> frames, Tensor<const float> targets, VideoScores::Score& sums) {
  std::vector<float> losses(static_cast<size_t>(frames.dim(0)));
  std::vector<float> errors(losses.size());
  const Shape rows{frames.dim(0)};
  smooth_l1<float>(frames, targets, 0.0F, {losses.data(), rows}, {errors.data(), rows}, {});
  for (int64_t i = 0; i < frames.dim(0); ++i) {
    sums.smooth_l1 += static_cast<double>(losses[static_cast<size_t>(i)]);
    sums.cosine += cosine(frames.slice(i, 1).data, targets.slice(i, 1).data, frames.dim(1));
  }
}

Json to_json_of(const VideoScores::Score& score) {
  return {{"smooth_l1", score.smooth_l1}, {"cosine", score.cosine}};
}

}  // namespace

VideoScores measure_video(VideoModel<float>& model, const ClipWindows& windows, int64_t steps,
                          int64_t batch, uint64_t seed,
                          const std::function<void(double)>& progress) {
  const int64_t context = model.config().context;
  const int64_t width = model.config().width;
  VideoScores scores;
  scores.windows = windows.count();
  scores.frames = scores.windows * context;
  std::vector<float> frames(static_cast<size_t>(batch * (context + 1) * width));
  std::vector<float> targets;
  std::vector<float> before;
  for (int64_t first = 0; first < scores.windows; first += batch) {
    const int64_t count = std::min(batch, scores.windows - first);
    const Tensor<float> rows{frames.data(), {count, context + 1, width}};
    targets.clear();
    before.clear();
    for (int64_t row = 0; row < count; ++row) {
      const Tensor<float> window = rows.slice(row, 1).reshape({context + 1, width});
      windows.read(first + row, window);
      before.insert(before.end(), window.begin(), window.end() - width);
      targets.insert(targets.end(), window.begin() + width, window.end());
    }
    const Tensor<const float> expected{targets.data(), {count * context, width}};
    add_scores({before.data(), expected.shape}, expected, scores.last_frame);
    const auto observe = [&](int64_t step, int64_t at, Tensor<const float> foretold) {
      scores.by_step.resize(std::max(scores.by_step.size(), static_cast<size_t>(step) + 1));
      add_scores(foretold, expected.slice(at, foretold.dim(0)),
                 scores.by_step[static_cast<size_t>(step)]);
    };
    model.evaluate({rows, first, 0.0}, seed, steps, observe);
    progress(static_cast<double>(first + count) / static_cast<double>(scores.windows));
  }
  const auto to_mean = [&](VideoScores::Score& sums) {
    sums.smooth_l1 /= static_cast<double>(scores.frames);
    sums.cosine /= static_cast<double>(scores.frames);
  };
  to_mean(scores.last_frame);
  std::for_each(scores.by_step.begin(), scores.by_step.end(), to_mean);
  return scores;
}

Json VideoScores::to_json() const {
  Json steps = Json::array();
  for (const Score& score : by_step) {
    steps.push_back(to_json_of(score));
  }
  return {{"windows", windows},
          {"frames", frames},
          {"last_frame", to_json_of(last_frame)},
          {"steps", steps}};
}

std::string VideoScores::to_table() const {
  std::string text = fmt::format("{:<16} {:>12} {:>12}\n", "", "smooth L1", "cosine");
  const auto add = [&](const std::string& what, const Score& score) {
    text += fmt::format("{:<16} {:>12.6f} {:>12.6f}\n", what, score.smooth_l1, score.cosine);
  };
  add("last frame", last_frame);
  for (size_t i = 0; i < by_step.size(); ++i) {
    add(fmt::format("after step {}", i + 1), by_step[i]);
  }
  return text;
}

}  // namespace ebt
