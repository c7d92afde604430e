// The energy-based transformer for video: causal predictions of the embedding of the next frame.
#pragma once

#include <memory>

#include "ebt/model/video_model.h"
#include "ebt/think/causal_pass.h"
#include "ebt/think/vectors.h"

namespace ebt {

// What video needs for a chunk of N candidates beside the buffers of every pass.
template <class T, class S>
struct VideoExtra {
  VideoExtra(Arena& arena, const SequenceConfig& config, const ThinkingSettings& /*thinking*/,
             const Embedded<T, S>& /*space*/, const Chunk& chunk, bool /*training*/)
      : targets(arena.take<T>({chunk.count(), config.width})),
        row_error(arena.take<T>({chunk.count()})) {}

  Tensor<T> targets;    // (N, D)
  Tensor<T> row_error;  // (N)
};

template <class T, class S = T>
class VideoEbt : public ModelShell<T, S, VideoModel<T>> {
  using Shell = ModelShell<T, S, VideoModel<T>>;
  using Workspace = CausalWorkspace<Embedded<T, S>, VideoExtra<T, S>>;

 public:
  // Workspace for at most `rows` clips of `context` frames and the one behind them. Throws Error
  // for an impossible configuration.
  VideoEbt(const VideoModelConfig& model, const VideoThinkingConfig& thinking, int64_t rows,
           int64_t context, const EngineOptions& options);
  // Bytes of that workspace.
  static size_t workspace_bytes(const VideoModelConfig& model, const VideoThinkingConfig& thinking,
                                int64_t rows, int64_t context, const EngineOptions& options);

  LossSums train(const ClipRows<T>& rows, uint64_t seed, uint64_t training_step) override;
  LossSums evaluate(const ClipRows<T>& rows, uint64_t seed, int64_t steps,
                    const FrameObserver<T>& observe) override;

  // train, from given draws, of which where thinking starts may be absent: the most recent frames.
  // `observe` may be empty.
  LossSums train_from(const ClipRows<T>& rows, ThinkingDraws<T> draws,
                      const StepObserver<T>& observe) {
    return run(rows, std::move(draws), observe, true);
  }

 private:
  LossSums run(const ClipRows<T>& rows, ThinkingDraws<T> draws, const StepObserver<T>& observe,
               bool learns);
  // Where thinking starts if it is random.
  void set_initial(ThinkingDraws<T>& draws, const DrawAddress& address) const;
  Workspace& prepare(const CausalWork& work);

  VideoThinkingConfig thinking_;
  RotaryTable<T> rotary_;
  Tensor<T> observed_;  // (B, S, D): all frames but the last of every clip
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace ebt
