#include "ebt/think/video_ebt.h"

#include <algorithm>
#include <utility>

#include "ebt/kernels/elementwise.h"
#include "ebt/layers/smooth_l1.h"
#include "ebt/layers/target_sums.h"

namespace ebt {
namespace {

// Frames per chunk that keep products large and activations in the cache of a core or near it.
constexpr int64_t kChunkFrames = 512;

// One chunk (thinking_pass.h).
template <class T, class S>
struct VideoProblem : CausalProblem<Embedded<T, S>> {
  VideoExtra<T, S>& extra;

  void set_step_sizes(double /*alpha*/, Tensor<const T> /*sizes*/) {}
  StepLoss measure(size_t /*i*/, size_t /*last*/, Tensor<const T> frames, T scale,
                   Tensor<T> row_loss, Tensor<T> slope) const {
    smooth_l1<T>(frames, extra.targets, scale, row_loss, extra.row_error, slope);
    return {sum_of<T>(extra.row_error), sum_of<T>(row_loss)};
  }
  double energy_sum(Tensor<const T> energy) const { return sum_of(energy); }
  template <class Buffers>
  Tensor<const T> energy_bar(size_t /*i*/, Buffers& /*buffers*/) const {
    return {};
  }
};

// Lays out a workspace.
template <class Workspace, class T, class S>
std::unique_ptr<Workspace> lay_out(Arena& arena, const VideoModelConfig& model,
                                   const VideoThinkingConfig& thinking, const CausalWork& work,
                                   const EngineOptions& options, Tensor<T>& observed) {
  observed = arena.take<T>({work.batch, work.context, model.width});
  return std::make_unique<Workspace>(arena, model, thinking, Embedded<T, S>{model.width}, work,
                                     options, kChunkFrames);
}

}  // namespace

template <class T, class S>
VideoEbt<T, S>::VideoEbt(const VideoModelConfig& model, const VideoThinkingConfig& thinking,
                         int64_t rows, int64_t context, const EngineOptions& options)
    : Shell(model, options, workspace_bytes(model, thinking, rows, context, options)),
      thinking_(thinking),
      rotary_(context + model.lead() + 1, model.head_width(), model.rope_theta) {}

template <class T, class S>
size_t VideoEbt<T, S>::workspace_bytes(const VideoModelConfig& model,
                                       const VideoThinkingConfig& thinking, int64_t rows,
                                       int64_t context, const EngineOptions& options) {
  return larger_layout_bytes(options.training, [&](Arena& arena, bool training) {
    Tensor<T> observed;
    lay_out<Workspace, T, S>(arena, model, thinking, {rows, context, {0, context}, training},
                             options, observed);
  });
}

template <class T, class S>
typename VideoEbt<T, S>::Workspace& VideoEbt<T, S>::prepare(const CausalWork& work) {
  if (workspace_ == nullptr || !(workspace_->work == work)) {
    this->arena_.rewind();
    workspace_ = lay_out<Workspace, T, S>(this->arena_, this->config(), thinking_, work,
                                          this->options(), observed_);
  }
  return *workspace_;
}

template <class T, class S>
LossSums VideoEbt<T, S>::run(const ClipRows<T>& rows, ThinkingDraws<T> draws,
                             const StepObserver<T>& observe, bool learns) {
  const int64_t batch = rows.frames.dim(0);
  const int64_t context = rows.frames.dim(1) - 1;
  const int64_t width = this->config().width;
  EBT_CHECK(rows.frames.dim(2) == width, "video: frames of {} values, but the model's have {}",
            rows.frames.dim(2), width);
  Workspace& workspace = prepare({batch, context, {0, context}, learns});
  for (int64_t row = 0; row < batch; ++row) {
    kernels::elementwise<T>().copy(context * width, rows.frames.slice(row, 1).data,
                                   observed_.slice(row, 1).data);
  }
  if (!draws.initial) {
    draws.initial = [this, width](int64_t first, Tensor<T> out) {
      kernels::elementwise<T>().copy(out.count(), observed_.data + first * width, out.data);
    };
  }
  LossSums sums(draws.landscapes.size(), batch * context);
  const CausalParts<T, S> parts{this->config(), this->operands().views(), this->gradients_by_role(),
                                rotary_};
  run_causal_pass(
      parts, {{}, observed_}, draws.landscapes, learns, workspace,
      [&](const Chunk& chunk, typename Workspace::ChunkMemory& memory) {
        chunk.for_each_run([&](int64_t first, int64_t at, int64_t n) {
          for (int64_t i = 0; i < n; ++i) {
            const int64_t row = (first + i) / context;
            const int64_t frame = (first + i) % context + 1;
            kernels::elementwise<T>().copy(width,
                                           rows.frames.data + (row * (context + 1) + frame) * width,
                                           memory.extra.targets.data + (at + i) * width);
          }
        });
        VideoProblem<T, S> problem{{parts, workspace.contexts, chunk, draws.landscapes, {width}},
                                   memory.extra};
        ThinkingPass<VideoProblem<T, S>>(problem, thinking_, draws, chunk, memory.buffers, sums)
            .run(learns, rows.inverse_frame_count, observe);
      });
  return sums;
}

template <class T, class S>
void VideoEbt<T, S>::set_initial(ThinkingDraws<T>& draws, const DrawAddress& address) const {
  if (thinking_.initial == FirstFrame::kRandomNoise) {
    draws.initial = address.initial_noise<T>(thinking_.initial_scale);
  }
}

template <class T, class S>
LossSums VideoEbt<T, S>::train(const ClipRows<T>& rows, uint64_t seed, uint64_t training_step) {
  const DrawAddress address{seed, training_step, rows.first_row * (rows.frames.dim(1) - 1),
                            this->config().width};
  ThinkingDraws<T> draws = training_draws<T>(thinking_, this->config().landscapes, address);
  set_initial(draws, address);
  return run(rows, std::move(draws), {}, true);
}

template <class T, class S>
LossSums VideoEbt<T, S>::evaluate(const ClipRows<T>& rows, uint64_t seed, int64_t steps,
                                  const FrameObserver<T>& observe) {
  ThinkingDraws<T> draws;
  draws.landscapes = inference_landscapes(this->config().landscapes, thinking_, steps);
  set_initial(draws, {seed, 0, rows.first_row * (rows.frames.dim(1) - 1), this->config().width});
  StepObserver<T> every_step;
  if (observe) {
    every_step = [&](int64_t step, int64_t first, Tensor<const T> frames,
                     Tensor<const T> /*energy*/) { observe(step, first, frames); };
  }
  return run(rows, std::move(draws), every_step, false);
}

template class VideoEbt<float>;
template class VideoEbt<double>;
template class VideoEbt<float, Bfloat16>;

}  // namespace ebt
