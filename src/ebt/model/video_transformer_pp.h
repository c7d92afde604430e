// Transformer++ of video, the baseline: the next frame, which a linear layer reads off a context.
#pragma once

#include <memory>

#include "ebt/model/direct_predictor.h"
#include "ebt/model/video_model.h"

namespace ebt {

template <class T, class S = T>
class VideoTransformerPp : public ModelShell<T, S, VideoModel<T>> {
  using Shell = ModelShell<T, S, VideoModel<T>>;

 public:
  // Workspace for at most `rows` clips of `context` frames and the one behind them. Throws Error
  // for an impossible configuration.
  VideoTransformerPp(const VideoModelConfig& model, int64_t rows, int64_t context,
                     const EngineOptions& options);
  ~VideoTransformerPp() override;
  static size_t workspace_bytes(const VideoModelConfig& model, int64_t rows, int64_t context,
                                const EngineOptions& options);

  LossSums train(const ClipRows<T>& rows, uint64_t seed, uint64_t training_step) override;
  LossSums evaluate(const ClipRows<T>& rows, uint64_t seed, int64_t steps,
                    const FrameObserver<T>& observe) override;

 private:
  struct Workspace;
  LossSums measure(const ClipRows<T>& rows, bool learns, const FrameObserver<T>& observe);

  RotaryTable<T> rotary_;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace ebt
