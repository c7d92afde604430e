#include "ebt/think/text_ebt.h"

#include <algorithm>
#include <utility>

#include "ebt/core/work_watch.h"
#include "ebt/kernels/elementwise.h"
#include "ebt/layers/cross_entropy.h"
#include "ebt/layers/target_sums.h"

namespace ebt {
namespace {

// Thinking steps have streams of their own: more than ThinkingConfig and ModelConfig admit.
constexpr uint64_t kStepsPerTrainingStep = 1'000'000;

}  // namespace

template <class T, class S>
TextEbt<T, S>::TextEbt(const ModelConfig& model, const ThinkingConfig& thinking, int64_t rows,
                       int64_t context, const EngineOptions& options)
    : config_(model),
      thinking_(thinking),
      options_(options),
      layout_(text_model_layout(model)),
      weights_(layout_),
      gradients_(options.training ? ParameterBlock<T>(layout_) : ParameterBlock<T>()),
      gradient_views_(options.training ? text_weights<T>(model, gradients_) : TextWeights<T>{}),
      operands_(model, text_weights<const T>(model, std::as_const(weights_))),
      rotary_(context + model.lead() + 1, model.head_width(), model.rope_theta),
      arena_(workspace_bytes(model, thinking, rows, context, options)) {}

namespace {

// Lays out a workspace for (batch, context) tokens.
template <class T, class S>
TextWorkspace<T, S> lay_out(Arena& arena, const ModelConfig& model, const ThinkingConfig& thinking,
                            int64_t batch, int64_t context, QueryRange range, bool training,
                            const EngineOptions& options) {
  const Keep keep = !training ? Keep::kKeys : options.recompute ? Keep::kStream : Keep::kAll;
  return {arena,
          model,
          thinking,
          batch,
          context,
          range,
          training,
          keep,
          options.chunk_positions > 0 ? options.chunk_positions
                                      : default_chunk_positions(model.vocab_size)};
}

}  // namespace

template <class T, class S>
size_t TextEbt<T, S>::workspace_bytes(const ModelConfig& model, const ThinkingConfig& thinking,
                                      int64_t rows, int64_t context, const EngineOptions& options) {
  size_t most = 0;
  for (const bool training : {false, true}) {
    if (options.training || !training) {
      Arena measure;
      lay_out<T, S>(measure, model, thinking, rows, context, {0, context}, training, options);
      most = std::max(most, measure.peak_bytes());
    }
  }
  return most;
}

template <class T, class S>
TextWorkspace<T, S>& TextEbt<T, S>::prepare(Tensor<const int32_t> targets, bool training) {
  const int64_t batch = targets.dim(0);
  const int64_t context = targets.dim(1);
  const QueryRange range = range_of_targets(targets);
  if (copies_are_stale_) {
    operands_.refresh();
    copies_are_stale_ = false;
  }
  if (workspace_ == nullptr || !workspace_->fits(batch, context, range, training)) {
    arena_.rewind();
    workspace_ = std::make_unique<TextWorkspace<T, S>>(
        lay_out<T, S>(arena_, config_, thinking_, batch, context, range, training, options_));
  }
  return *workspace_;
}

template <class T, class S>
LossSums TextEbt<T, S>::train_from(const TrainingRows<T>& rows, const ThinkingDraws<T>& draws,
                                   const StepObserver<T>& observe) {
  return train_pass(parts(), rows, draws, observe, prepare(rows.targets, true));
}

template <class T, class S>
LossSums TextEbt<T, S>::train(const TrainingRows<T>& rows, uint64_t seed, uint64_t training_step) {
  // Draws belong to positions of the whole batch.
  const int64_t before = rows.first_row * rows.inputs.dim(1);
  const auto vocab = static_cast<uint64_t>(config_.vocab_size);
  ThinkingDraws<T> draws;
  draws.initial = [=](int64_t first, Tensor<T> out) {
    RandomStream{seed, RandomPurpose::kInitialPrediction, training_step}.normal(
        static_cast<uint64_t>(before + first) * vocab, out, T(1));
  };
  draws.langevin = [=](int64_t step, int64_t first, Tensor<T> out) {
    const uint64_t stream = training_step * kStepsPerTrainingStep + static_cast<uint64_t>(step);
    RandomStream{seed, RandomPurpose::kLangevin, stream}.normal(
        static_cast<uint64_t>(before + first) * vocab, out, T(1));
  };
  draws.step_size = [=](int64_t first, Tensor<T> out) {
    RandomStream{seed, RandomPurpose::kStepSize, training_step}.uniform(
        static_cast<uint64_t>(before + first), out);
  };
  const RandomStream counts{seed, RandomPurpose::kStepCount, training_step};
  const auto choices = static_cast<uint64_t>(thinking_.steps_max - thinking_.steps_min + 1);
  for (int64_t i = 0; i < config_.landscapes; ++i) {
    draws.repeats.push_back(thinking_.steps_min +
                            static_cast<int64_t>(counts.below(choices, static_cast<uint64_t>(i))));
  }
  return train_from(rows, draws, {});
}

// Every landscape as often as in training, then the last one for as long as wanted.
template <class T, class S>
std::vector<int64_t> TextEbt<T, S>::inference_plan(int64_t steps) const {
  if (steps == 0) {
    steps = config_.landscapes * thinking_.steps_max;
  }
  std::vector<int64_t> plan;
  for (int64_t i = 0; i < steps; ++i) {
    plan.push_back(std::min(i / thinking_.steps_max, config_.landscapes - 1));
  }
  return plan;
}

template <class T, class S>
void TextEbt<T, S>::read(TextWorkspace<T, S>& workspace, Tensor<const int32_t> tokens,
                         const PassOptions& options) {
  const Tensor<const int32_t> read = workspace.tokens_of(tokens);
  const std::vector<int64_t> plan = inference_plan(options.steps);
  const PartOfWork work(0, 0);  // little of what follows
  for (size_t context = 0; context <= workspace.context_of(plan.back()); ++context) {
    workspace.contexts[context].forward(operands_.views(), rotary_, read,
                                        static_cast<int64_t>(context));
  }
}

template <class T, class S>
void TextEbt<T, S>::think(TextWorkspace<T, S>& workspace, const Chunk& chunk,
                          ChunkSpace<T, S>& space, const PassOptions& options,
                          const std::function<void(size_t)>& after_step) {
  TextStep<T, S>& step = space.steps.front();
  parts().set_step_sizes(space, {});
  if (thinking_.initial == InitialPrediction::kZeros) {
    kernels::elementwise<T>().fill(step.next.count(), T(0), step.next.data);
  } else {
    const RandomStream random{options.seed, RandomPurpose::kInitialPrediction, 0};
    const int64_t before = options.first_row * workspace.context;
    chunk.for_each_run([&](int64_t first, int64_t at, int64_t n) {
      random.normal(static_cast<uint64_t>((before + first) * config_.vocab_size),
                    step.next.slice(at, n), static_cast<T>(thinking_.initial_scale));
    });
  }
  const std::vector<int64_t> plan = inference_plan(options.steps);
  for (size_t i = 0; i < plan.size(); ++i) {
    TextContext<T, S>& context = workspace.contexts[workspace.context_of(plan[i])];
    think_once<T, S>(config_, parts().landscape(context, chunk), step.next,
                     {space.step_size, space.bound}, step);
    after_step(i);
  }
}

template <class T, class S>
LossSums TextEbt<T, S>::evaluate(Tensor<const int32_t> inputs, Tensor<const int32_t> targets,
                                 const PassOptions& options) {
  TextWorkspace<T, S>& workspace = prepare(targets, false);
  const size_t steps = inference_plan(options.steps).size();
  LossSums sums;
  sums.count = count_targets(targets);
  sums.losses.assign(steps, 0.0);
  sums.energies.assign(steps, 0.0);
  if (workspace.chunks.empty()) {
    return sums;
  }
  read(workspace, inputs, options);
  for (size_t i = 0; i < workspace.chunks.size(); ++i) {
    const Chunk& chunk = workspace.chunks[i];
    ChunkSpace<T, S>& space = workspace.space(chunk, targets);
    const TextStep<T, S>& step = space.steps.front();
    const Tensor<const int32_t> wanted = space.targets;
    think(workspace, chunk, space, options, [&](size_t thought) {
      CrossEntropy<T>::loss_and_gradient({wanted, T(0)}, step.next, T(0), space.row_loss, {});
      sums.losses[thought] += sum_over_targets<T>(space.row_loss, wanted);
      sums.energies[thought] += sum_over_targets(step.energy, wanted);
    });
    tell_share(static_cast<double>(i + 1) / static_cast<double>(workspace.chunks.size()));
  }
  sums.objective = sums.losses.back();
  return sums;
}

template class TextEbt<float>;
template class TextEbt<double>;
template class TextEbt<float, Bfloat16>;

}  // namespace ebt
