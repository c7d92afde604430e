#include "ebt/model/video_transformer_pp.h"

#include <algorithm>

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/sums.h"
#include "ebt/layers/smooth_l1.h"

namespace ebt {

template <class T, class S>
struct VideoTransformerPp<T, S>::Workspace {
  DirectPredictor<T, S> predictor;
  Tensor<T> observed;             // (B, S, D): all frames but the last of every clip
  Tensor<T> targets;              // (B, S, D): all but the first
  Tensor<T> row_loss, row_error;  // (chunk)

  Workspace(Arena& arena, const VideoModelConfig& config,
            const typename DirectPredictor<T, S>::Work& work, const EngineOptions& options)
      : predictor(arena, config, config.width, work, options),
        observed(arena.take<T>({work.batch, work.context, config.width})),
        targets(arena.take<T>(observed.shape)),
        row_loss(arena.take<T>({work.chunk()})),
        row_error(arena.take<T>({work.chunk()})) {}

  void take(Tensor<const T> frames) {
    const int64_t count = observed.count() / observed.dim(0);
    for (int64_t row = 0; row < frames.dim(0); ++row) {
      const T* const clip = frames.slice(row, 1).data;
      kernels::elementwise<T>().copy(count, clip, observed.slice(row, 1).data);
      kernels::elementwise<T>().copy(count, clip + frames.dim(2), targets.slice(row, 1).data);
    }
  }
};

template <class T, class S>
VideoTransformerPp<T, S>::VideoTransformerPp(const VideoModelConfig& model, int64_t rows,
                                             int64_t context, const EngineOptions& options)
    : Shell(model, options, workspace_bytes(model, rows, context, options)),
      rotary_(context, model.head_width(), model.rope_theta) {}

template <class T, class S>
VideoTransformerPp<T, S>::~VideoTransformerPp() = default;

template <class T, class S>
size_t VideoTransformerPp<T, S>::workspace_bytes(const VideoModelConfig& model, int64_t rows,
                                                 int64_t context, const EngineOptions& options) {
  return larger_layout_bytes(options.training, [&](Arena& arena, bool training) {
    const Workspace layout(arena, model, {rows, context, training}, options);
  });
}

template <class T, class S>
LossSums VideoTransformerPp<T, S>::measure(const ClipRows<T>& rows, bool learns,
                                           const FrameObserver<T>& observe) {
  EBT_CHECK(rows.frames.dim(2) == this->config().width,
            "video: frames of {} values, but the model's have {}", rows.frames.dim(2),
            this->config().width);
  const typename DirectPredictor<T, S>::Work work{rows.frames.dim(0), rows.frames.dim(1) - 1,
                                                  learns};
  if (workspace_ == nullptr || !(workspace_->predictor.work() == work)) {
    this->arena_.rewind();
    workspace_ = std::make_unique<Workspace>(this->arena_, this->config(), work, this->options());
  }
  Workspace& space = *workspace_;
  space.take(rows.frames);
  const SequenceOperandViews<T, S>& weights = this->operands().views();
  space.predictor.read(weights, rotary_, {{}, space.observed});
  LossSums sums;
  sums.losses = {0.0};
  sums.count = work.batch * work.context;
  const Tensor<T> targets = space.targets.reshape({sums.count, this->config().width});
  space.predictor.predict(
      weights, learns ? &this->gradients_by_role() : nullptr, [&](int64_t first, Tensor<T> frames) {
        if (observe) {
          observe(0, first, frames);
        }
        const int64_t count = frames.dim(0);
        const Tensor<T> loss = space.row_loss.slice(0, count);
        const Tensor<T> error = space.row_error.slice(0, count);
        smooth_l1<T>(frames, targets.slice(first, count), static_cast<T>(rows.inverse_frame_count),
                     loss, error, learns ? frames : Tensor<T>{});
        kernels::sums<T>().sum(count, loss.data, &sums.objective);
        kernels::sums<T>().sum(count, error.data, &sums.losses[0]);
      });
  if (learns) {
    space.predictor.vjp(weights, rotary_, this->gradients_by_role());
  }
  return sums;
}

template <class T, class S>
LossSums VideoTransformerPp<T, S>::train(const ClipRows<T>& rows, uint64_t /*seed*/,
                                         uint64_t /*training_step*/) {
  return measure(rows, true, {});
}

template <class T, class S>
LossSums VideoTransformerPp<T, S>::evaluate(const ClipRows<T>& rows, uint64_t /*seed*/,
                                            int64_t /*steps*/, const FrameObserver<T>& observe) {
  return measure(rows, false, observe);
}

template class VideoTransformerPp<float>;
template class VideoTransformerPp<double>;
template class VideoTransformerPp<float, Bfloat16>;

}  // namespace ebt
