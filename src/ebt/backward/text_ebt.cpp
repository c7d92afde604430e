#include "ebt/backward/text_ebt.h"

#include <algorithm>
#include <utility>

#include "ebt/loss/cross_entropy.h"
#include "ebt/loss/target_sums.h"

namespace ebt {
namespace {

// Thinking steps have streams of their own: more than ThinkingConfig and ModelConfig admit.
constexpr uint64_t kStepsPerTrainingStep = 1'000'000;

}  // namespace

template <class T>
TextEbt<T>::TextEbt(const ModelConfig& model, const ThinkingConfig& thinking, int64_t rows,
                    int64_t context, bool training)
    : config_(model),
      thinking_(thinking),
      layout_(text_model_layout(model)),
      weights_(layout_),
      gradients_(training ? ParameterBlock<T>(layout_) : ParameterBlock<T>()),
      views_(text_weights<const T>(model, std::as_const(weights_))),
      gradient_views_(training ? text_weights<T>(model, gradients_) : TextWeights<T>{}),
      rotary_(context + model.lead() + 1, model.head_width(), model.rope_theta),
      arena_(workspace_bytes(model, thinking, rows, context, training)) {}

template <class T>
size_t TextEbt<T>::workspace_bytes(const ModelConfig& model, const ThinkingConfig& thinking,
                                   int64_t rows, int64_t context, bool training) {
  Arena inference;
  const TextWorkspace<T> inference_layout(inference, model, thinking, rows, context, context,
                                          false);
  if (!training) {
    return inference.used_bytes();
  }
  Arena measure;
  const TextWorkspace<T> measure_layout(measure, model, thinking, rows, context, context, true);
  return std::max(measure.used_bytes(), inference.used_bytes());
}

template <class T>
TextWorkspace<T>& TextEbt<T>::workspace(int64_t batch, int64_t context, int64_t queries,
                                        bool training) {
  if (workspace_ == nullptr || !workspace_->fits(batch, context, queries, training)) {
    arena_.rewind();
    workspace_ = std::make_unique<TextWorkspace<T>>(arena_, config_, thinking_, batch, context,
                                                    queries, training);
  }
  return *workspace_;
}

template <class T>
LossSums TextEbt<T>::train_from(const TrainingRows<T>& rows, const ThinkingDraws<T>& draws,
                                const StepObserver<T>& observe) {
  const int64_t batch = rows.inputs.dim(0);
  const int64_t context = rows.inputs.dim(1);
  return train_pass(parts(), rows, draws, observe, workspace(batch, context, context, true));
}

template <class T>
LossSums TextEbt<T>::train(const TrainingRows<T>& rows, uint64_t seed, uint64_t training_step) {
  const auto first = static_cast<uint64_t>(rows.first_row * rows.inputs.dim(1));
  const auto vocab = static_cast<uint64_t>(config_.vocab_size);
  ThinkingDraws<T> draws;
  draws.initial = [=](Tensor<T> out) {
    RandomStream{seed, RandomPurpose::kInitialPrediction, training_step}.normal(first * vocab, out,
                                                                                T(1));
  };
  draws.langevin = [=](int64_t step, Tensor<T> out) {
    const uint64_t stream = training_step * kStepsPerTrainingStep + static_cast<uint64_t>(step);
    RandomStream{seed, RandomPurpose::kLangevin, stream}.normal(first * vocab, out, T(1));
  };
  draws.step_size = [=](Tensor<T> out) {
    const RandomStream stream{seed, RandomPurpose::kStepSize, training_step};
    for (int64_t n = 0; n < out.count(); ++n) {
      out[n] = static_cast<T>(stream.uniform(first + static_cast<uint64_t>(n)));
    }
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
template <class T>
std::vector<int64_t> TextEbt<T>::inference_plan(int64_t steps) const {
  if (steps == 0) {
    steps = config_.landscapes * thinking_.steps_max;
  }
  std::vector<int64_t> plan;
  for (int64_t i = 0; i < steps; ++i) {
    plan.push_back(std::min(i / thinking_.steps_max, config_.landscapes - 1));
  }
  return plan;
}

template <class T>
void TextEbt<T>::think(TextWorkspace<T>& space, Tensor<const int32_t> tokens, int64_t first_query,
                       const ThinkOptions& options, const std::function<void()>& after_step) {
  TextStep<T>& step = space.steps.front();
  TextContext<T>& context = space.contexts.front();
  parts().set_step_sizes(space, {});
  if (thinking_.initial == InitialPrediction::kZeros) {
    std::fill(step.next.begin(), step.next.end(), T(0));
  } else {
    const int64_t first = options.first_row * space.queries * config_.vocab_size;
    RandomStream{options.seed, RandomPurpose::kInitialPrediction, 0}.normal(
        static_cast<uint64_t>(first), step.next, static_cast<T>(thinking_.initial_scale));
  }
  int64_t held = -1;
  for (const int64_t wanted : inference_plan(options.steps)) {
    if (held < 0 || (held != wanted && config_.type != EbtType::kDefault)) {
      context.forward(views_, rotary_, tokens, wanted);
      held = wanted;
    }
    think_once<T>(config_, parts().landscape(context, first_query), step.next,
                  {space.step_size, space.bound}, step);
    after_step();
  }
}

template <class T>
LossSums TextEbt<T>::evaluate(Tensor<const int32_t> inputs, Tensor<const int32_t> targets,
                              const ThinkOptions& options) {
  const int64_t context = inputs.dim(1);
  TextWorkspace<T>& space = workspace(inputs.dim(0), context, context, false);
  const TextStep<T>& step = space.steps.front();
  LossSums sums;
  sums.token_count = count_targets(targets);
  think(space, inputs, 0, options, [&] {
    CrossEntropy<T>::loss_and_gradient({targets.reshape({targets.count()}), T(0)}, step.next, T(0),
                                       space.row_loss, {});
    sums.cross_entropy.push_back(sum_over_targets<T>(space.row_loss, targets));
    sums.energy.push_back(sum_over_targets(step.energy, targets));
  });
  sums.objective = sums.cross_entropy.back();
  return sums;
}

template <class T>
ThinkingTrace<T> TextEbt<T>::predict_next(Tensor<const int32_t> tokens,
                                          const ThinkOptions& options) {
  const int64_t context = tokens.count();
  TextWorkspace<T>& space = workspace(1, context, 1, false);
  TextStep<T>& step = space.steps.front();
  ThinkingTrace<T> trace;
  think(space, tokens.reshape({1, context}), context - 1, options,
        [&] { trace.energy.push_back(static_cast<double>(step.energy[0])); });
  trace.logits.assign(step.next.begin(), step.next.end());
  const auto at = parts().landscape(space.contexts.front(), context - 1);
  trace.energy.push_back(static_cast<double>(energy_of<T>(config_, at, step.next, step)[0]));
  return trace;
}

template class TextEbt<float>;
template class TextEbt<double>;

}  // namespace ebt
