#include "ebt/backward/text_ebt.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/isa.h"
#include "ebt/kernels/softmax.h"
#include "ebt/loss/cross_entropy.h"

namespace ebt {
namespace {

template <class T>
const kernels::ElementwiseKernels<T>& elementwise() {
  return kernels::kernels<kernels::ElementwiseKernels<T>>();
}
template <class T>
const kernels::SoftmaxKernels<T>& softmax() {
  return kernels::kernels<kernels::SoftmaxKernels<T>>();
}
template <class T>
Tensor<T> flat(Tensor<T> x) {
  return x.reshape({x.count()});
}

int64_t valid_count(Tensor<const int32_t> targets) {
  return std::count_if(targets.begin(), targets.end(), [](int32_t t) { return t >= 0; });
}

// Sum over the positions that have a target.
template <class T>
double sum_valid(Tensor<const T> values, Tensor<const int32_t> targets) {
  double sum = 0;
  for (int64_t i = 0; i < targets.count(); ++i) {
    sum += targets[i] >= 0 ? static_cast<double>(values[i]) : 0.0;
  }
  return sum;
}

// A step's number within a training step, as a stream of its own.
constexpr uint64_t kStepsPerTrainingStep = 4096;

}  // namespace

// The buffers of one shape of work. Laid out anew, in the same memory, when the shape changes.
template <class T>
struct TextEbt<T>::Workspace {
  int64_t batch, context, queries;
  bool training;
  std::vector<TextContext<T>> contexts;  // one, or one per landscape where all are kept
  std::vector<TextStep<T>> steps;        // one, or one per thinking step where all are kept
  std::vector<Tensor<T>> slopes;  // (N, V) per kept step: derivative of the loss by its logits
  Tensor<T> initial;              // (N, V) logits before the first step
  Tensor<T> work;                 // (N, V), where steps are kept
  Tensor<T> step_size, bound, row_loss, energy_bar;  // (N)
  Tensor<T> tangent, embedding_bar;                  // (B, Q, D)
  SweepSpace<T> sweep;
  std::optional<TextStep<T>> truth;  // the contrastive term's stream

  bool fits(int64_t b, int64_t s, int64_t q, bool train) const {
    return batch == b && context == s && queries == q && training == train;
  }

  Workspace(Arena& arena, const ModelConfig& model, const ThinkingConfig& thinking, int64_t b,
            int64_t s, int64_t q, bool train)
      : batch(b), context(s), queries(q), training(train) {
    const bool keep_all = train && !thinking.detach;
    const bool many_contexts = keep_all && model.type != EbtType::kDefault;
    const bool keep_gradient = train && (thinking.clamp_gradient > 0 || keep_all);
    for (int64_t i = 0; i < (many_contexts ? model.landscapes : 1); ++i) {
      contexts.emplace_back(arena, model, b, s, train);
    }
    const Shape logits{b * q, model.vocab_size};
    for (int64_t i = 0; i < (keep_all ? model.landscapes * thinking.steps_max : 1); ++i) {
      steps.emplace_back(arena, model, b, q, train, keep_gradient || thinking.clamp_gradient > 0);
      if (train) {
        slopes.push_back(arena.take<T>(logits));
      }
    }
    initial = keep_all ? arena.take<T>(logits) : steps.front().next;
    step_size = arena.take<T>({b * q});
    bound = thinking.clamp_gradient > 0 ? arena.take<T>({b * q}) : Tensor<T>{};
    row_loss = arena.take<T>({b * q});
    if (!train) {
      return;
    }
    work = keep_all || thinking.contrastive > 0 ? arena.take<T>(logits) : Tensor<T>{};
    energy_bar = arena.take<T>({b, q});
    tangent = arena.take<T>({b, q, model.width});
    embedding_bar = arena.take<T>(tangent.shape);
    sweep = SweepSpace<T>::take(arena, model, b, q);
    if (thinking.contrastive > 0) {
      truth.emplace(arena, model, b, q, false, false);
    }
  }
};

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
TextEbt<T>::~TextEbt() = default;

template <class T>
size_t TextEbt<T>::workspace_bytes(const ModelConfig& model, const ThinkingConfig& thinking,
                                   int64_t rows, int64_t context, bool training) {
  Arena inference;
  Workspace(inference, model, thinking, rows, context, context, false);
  if (!training) {
    return inference.used_bytes();
  }
  Arena measure;
  Workspace(measure, model, thinking, rows, context, context, true);
  return std::max(measure.used_bytes(), inference.used_bytes());
}

template <class T>
typename TextEbt<T>::Workspace& TextEbt<T>::workspace(int64_t batch, int64_t context,
                                                      int64_t queries, bool training) {
  if (workspace_ == nullptr || !workspace_->fits(batch, context, queries, training)) {
    arena_.rewind();
    workspace_ =
        std::make_unique<Workspace>(arena_, config_, thinking_, batch, context, queries, training);
  }
  return *workspace_;
}

template <class T>
double TextEbt<T>::step_size() const {
  return std::max(static_cast<double>(views_.step_size[0]), kSmallestStepSize);
}

template <class T>
EnergyLandscape<T> TextEbt<T>::landscape(Workspace& space, size_t context,
                                         int64_t first_query) const {
  TextContext<T>& c = space.contexts[context];
  return {views_, c.vectors, rotary_, c.stream, first_query};
}

// alpha at every position, alpha / spread + draw (alpha spread - alpha / spread) where random.
template <class T>
void TextEbt<T>::set_step_sizes(Workspace& space, const ThinkingDraws<T>* draws) const {
  const auto alpha = static_cast<T>(step_size());
  const auto spread = static_cast<T>(thinking_.step_size_spread);
  if (draws != nullptr && spread != T(1)) {
    draws->step_size(space.step_size);
    for (T& step : space.step_size) {
      step = alpha * (T(1) / spread + step * (spread - T(1) / spread));
    }
  } else {
    std::fill(space.step_size.begin(), space.step_size.end(), alpha);
  }
  // No entry of the prediction may move by more than clamp_gradient at the nominal step size.
  std::fill_n(space.bound.data, space.bound ? space.bound.count() : 0,
              static_cast<T>(thinking_.clamp_gradient) / alpha);
}

// One training pass over some rows, in the order in which it happens.
template <class T>
struct TextEbt<T>::Pass {
  TextEbt& model;
  const TrainingRows<T>& rows;
  const ThinkingDraws<T>& draws;
  Workspace& space;
  std::vector<int64_t> plan;  // the landscape of every thinking step
  LossSums sums;
  std::vector<int64_t> open;  // the landscape that a context holds, -1: none

  Pass(TextEbt& m, const TrainingRows<T>& r, const ThinkingDraws<T>& d, Workspace& s)
      : model(m), rows(r), draws(d), space(s), open(s.contexts.size(), -1) {
    for (size_t landscape = 0; landscape < d.repeats.size(); ++landscape) {
      plan.insert(plan.end(), static_cast<size_t>(d.repeats[landscape]),
                  static_cast<int64_t>(landscape));
    }
    sums.cross_entropy.assign(plan.size(), 0.0);
    sums.energy.assign(plan.size(), 0.0);
    sums.token_count = valid_count(r.targets);
  }

  const ThinkingConfig& thinking() const { return model.thinking_; }
  bool keep_all() const { return !thinking().detach; }
  bool is_last(size_t i) const { return i + 1 == plan.size(); }
  bool has_loss(size_t i) const { return !thinking().truncate || is_last(i); }
  TextStep<T>& step(size_t i) { return space.steps[keep_all() ? i : 0]; }
  Tensor<T> slope(size_t i) { return space.slopes[keep_all() ? i : 0]; }
  // Each step's weight in the objective.
  double weight() const {
    return thinking().truncate ? 1.0 : 1.0 / static_cast<double>(plan.size());
  }
  size_t context_of(size_t i) const {
    return space.contexts.size() > 1 ? static_cast<size_t>(plan[i]) : 0;
  }
  EnergyLandscape<T> at(size_t i) { return model.landscape(space, context_of(i), 0); }

  // Makes the context of step i current. With the default type all landscapes are one.
  void enter_landscape(size_t i) {
    const int64_t wanted = model.config_.type == EbtType::kDefault ? 0 : plan[i];
    int64_t& held = open[context_of(i)];
    if (held == wanted) {
      return;
    }
    if (held >= 0) {
      leave_landscape(context_of(i));
    }
    space.contexts[context_of(i)].forward(model.views_, model.rotary_, rows.inputs, wanted);
    held = wanted;
  }
  // Collects the gradients of a context that no step needs any more.
  void leave_landscape(size_t context) {
    space.contexts[context].vjp(model.views_, model.rotary_, model.gradient_views_);
    open[context] = -1;
  }

  Tensor<const T> logits_before(size_t i) {
    return i == 0 ? Tensor<const T>(space.initial) : Tensor<const T>(step(i - 1).next);
  }

  void start() {
    if (rows.initial_logits) {
      elementwise<T>().copy(space.initial.count(), rows.initial_logits.data, space.initial.data);
    } else if (thinking().initial == InitialPrediction::kZeros) {
      elementwise<T>().zero(space.initial.count(), space.initial.data);
    } else {
      draws.initial(space.initial);
      const auto scale = static_cast<T>(thinking().initial_scale);
      for (int64_t i = 0; i < space.initial.count() && scale != T(1); ++i) {
        space.initial[i] *= scale;
      }
    }
    model.set_step_sizes(space, &draws);
  }

  void take_step(size_t i, const StepObserver<T>& observe) {
    enter_landscape(i);
    TextStep<T>& s = step(i);
    Tensor<const T> logits = logits_before(i);
    if (thinking().langevin_noise > 0) {
      draws.langevin(static_cast<int64_t>(i), s.p);
      const auto scale = static_cast<T>(std::max(thinking().langevin_noise, 1e-6));
      // p = logits + scale * noise; the softmax then works in place.
      const std::vector<T> scales(static_cast<size_t>(s.p.dim(0)), scale);
      elementwise<T>().scale_rows(s.p.dim(0), s.p.dim(1), scales.data(), s.p.data, s.p.data);
      elementwise<T>().add(s.p.count(), T(1), logits.data, s.p.data);
      logits = s.p;
    }
    think_once<T>(model.config_, at(i), logits, {space.step_size, space.bound}, s);
    sums.energy[i] += sum_valid(s.energy, rows.targets);
    if (observe) {
      observe(static_cast<int64_t>(i), s.next, s.energy);
    }
    measure(i);
  }

  // The loss of step i and, where it counts, its derivative by the logits.
  void measure(size_t i) {
    const size_t last = plan.size() - 1;
    const double smoothing = last == 0 ? 0.0
                                       : thinking().soften_targets * static_cast<double>(last - i) /
                                             static_cast<double>(last);
    const auto scale = static_cast<T>(weight() * rows.inverse_token_count);
    CrossEntropy<T>::loss_and_gradient({flat(rows.targets), static_cast<T>(smoothing)},
                                       step(i).next, scale, space.row_loss,
                                       has_loss(i) ? slope(i) : Tensor<T>{});
    const double loss = sum_valid<T>(space.row_loss, rows.targets);
    sums.cross_entropy[i] += loss;
    sums.objective += has_loss(i) ? weight() * loss : 0.0;
  }

  // The second-order sweep of step i, from slope(i). With `pass_on`, slope(i) becomes the
  // derivative by the logits before the step.
  void sweep(size_t i, bool pass_on) {
    TextStep<T>& s = step(i);
    const Tensor<T> v = slope(i);
    const Tensor<T> g_work = pass_on ? space.work : v;
    typename DescendLogits<T>::Grads descent{model.gradient_views_.vocabulary.weight};
    DescendLogits<T>::vjp({model.views_.vocabulary, s.p, space.step_size, space.bound},
                          {as_rows(s.stream.gradient()), s.g, g_work}, v, as_rows(space.tangent),
                          Write::kReplace, &descent);
    add_step_size_gradient(s);
    s.stream.sweep(at(i), space.tangent, is_last(i) ? contrast(i) : Tensor<const T>{}, space.sweep,
                   model.gradient_views_, space.embedding_bar);
    typename EmbedPrediction<T>::Grads embed{model.gradient_views_.vocabulary.weight};
    const typename EmbedPrediction<T>::Params params{model.views_.vocabulary,
                                                     model.config_.normalize};
    if (!pass_on) {
      EmbedPrediction<T>::vjp_of_weight(params, s.p, as_rows(space.embedding_bar), &embed);
      return;
    }
    through_softmax(s, v);
    EmbedPrediction<T>::vjp(params, {s.p, space.work}, as_rows(space.embedding_bar), v, Write::kAdd,
                            &embed);
  }

  // v = the derivative by the logits, where v was that by the normalised prediction.
  void through_softmax(const TextStep<T>& s, Tensor<T> v) const {
    if (model.config_.normalize) {
      softmax<T>().vjp(v.dim(0), v.dim(1), s.p.data, v.data, false, v.data);
    }
  }

  // d loss / d alpha = -sum <v, g> position by position = sum <t, u> / alpha.
  void add_step_size_gradient(const TextStep<T>& s) {
    const Tensor<const T> u = s.stream.gradient();
    elementwise<T>().dot_rows(space.row_loss.count(), u.dim(2), space.tangent.data, u.data,
                              space.row_loss.data);
    add_to_step_size(1.0);
  }
  void add_to_step_size(double sign) {
    if (static_cast<double>(model.views_.step_size[0]) < kSmallestStepSize) {
      return;  // the clamp holds it
    }
    double sum = 0;
    for (const T value : space.row_loss) {
      sum += static_cast<double>(value);
    }
    model.gradient_views_.step_size[0] += static_cast<T>(sign * sum / model.step_size());
  }

  // A truncated step: its energy gradient counts as a constant, but alpha scaled it, and the step
  // started from the softmax of the logits before it.
  void pass_through(size_t i, Tensor<T> v) {
    TextStep<T>& s = step(i);
    elementwise<T>().dot_rows(v.dim(0), v.dim(1), v.data, s.g.data, space.row_loss.data);
    for (int64_t n = 0; n < v.dim(0); ++n) {
      space.row_loss[n] *= space.step_size[n];
    }
    add_to_step_size(-1.0);
    through_softmax(s, v);
  }

  // The contrastive term: the energy of the truth should lie below that of the last candidate,
  //   weight * log(1 + exp(E_truth - E_candidate)).
  // Adds the truth's share of the gradients and returns the derivative by the candidate's energies.
  Tensor<const T> contrast(size_t i) {
    if (thinking().contrastive == 0) {
      return {};
    }
    const Tensor<T> one_hot = space.work;
    elementwise<T>().zero(one_hot.count(), one_hot.data);
    for (int64_t n = 0; n < one_hot.dim(0); ++n) {
      if (rows.targets[n] >= 0) {
        one_hot[n * one_hot.dim(1) + rows.targets[n]] = T(1);
      }
    }
    TextStep<T>& truth = *space.truth;
    const typename EmbedPrediction<T>::Params params{model.views_.vocabulary, false};
    typename EmbedPrediction<T>::Saved saved{one_hot, {}};
    EmbedPrediction<T>::forward(params, one_hot, as_rows(truth.stream.embedded()), saved);
    const Tensor<const T> truth_energy = truth.stream.forward(at(i));
    const Tensor<const T> energy = step(i).energy;
    const double scale = thinking().contrastive * rows.inverse_token_count;
    for (int64_t n = 0; n < energy.count(); ++n) {
      const double gap = static_cast<double>(truth_energy[n]) - static_cast<double>(energy[n]);
      const bool counts = rows.targets[n] >= 0;
      space.energy_bar[n] = counts ? static_cast<T>(scale / (1 + std::exp(-gap))) : T(0);
      sums.objective += counts ? thinking().contrastive *
                                     (std::max(gap, 0.0) + std::log1p(std::exp(-std::abs(gap))))
                               : 0.0;
    }
    truth.stream.vjp(at(i), space.energy_bar, space.sweep, model.gradient_views_,
                     space.embedding_bar);
    typename EmbedPrediction<T>::Grads embed{model.gradient_views_.vocabulary.weight};
    EmbedPrediction<T>::vjp_of_weight(params, one_hot, as_rows(space.embedding_bar), &embed);
    for (T& bar : space.energy_bar) {
      bar = -bar;
    }
    return space.energy_bar;
  }

  void run_detached(const StepObserver<T>& observe) {
    for (size_t i = 0; i < plan.size(); ++i) {
      take_step(i, observe);
      if (has_loss(i)) {
        sweep(i, false);
      }
    }
    leave_landscape(0);
  }

  void run_through(const StepObserver<T>& observe) {
    for (size_t i = 0; i < plan.size(); ++i) {
      take_step(i, observe);
    }
    for (size_t i = plan.size(); i-- > 0;) {
      if (!is_last(i)) {
        if (has_loss(i)) {
          elementwise<T>().add(slope(i).count(), T(1), slope(i + 1).data, slope(i).data);
        } else {
          elementwise<T>().copy(slope(i).count(), slope(i + 1).data, slope(i).data);
        }
      }
      if (has_loss(i)) {
        sweep(i, i > 0);
      } else {
        pass_through(i, slope(i));
      }
    }
    for (size_t context = 0; context < space.contexts.size(); ++context) {
      if (open[context] >= 0) {
        leave_landscape(context);
      }
    }
  }
};

template <class T>
LossSums TextEbt<T>::train_from(const TrainingRows<T>& rows, const ThinkingDraws<T>& draws,
                                const StepObserver<T>& observe) {
  const int64_t batch = rows.inputs.dim(0);
  const int64_t context = rows.inputs.dim(1);
  Workspace& space = workspace(batch, context, context, true);
  Pass pass(*this, rows, draws, space);
  pass.start();
  if (thinking_.detach) {
    pass.run_detached(observe);
  } else {
    pass.run_through(observe);
  }
  if (rows.final_logits) {
    const Tensor<T> last = pass.step(pass.plan.size() - 1).next;
    elementwise<T>().copy(last.count(), last.data, rows.final_logits.data);
  }
  return std::move(pass.sums);
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
LossSums TextEbt<T>::evaluate(Tensor<const int32_t> inputs, Tensor<const int32_t> targets,
                              const ThinkOptions& options) {
  const int64_t context = inputs.dim(1);
  Workspace& space = workspace(inputs.dim(0), context, context, false);
  TextStep<T>& step = space.steps.front();
  set_step_sizes(space, nullptr);
  const auto first = static_cast<uint64_t>(options.first_row * context * config_.vocab_size);
  if (thinking_.initial == InitialPrediction::kZeros) {
    elementwise<T>().zero(step.next.count(), step.next.data);
  } else {
    RandomStream{options.seed, RandomPurpose::kInitialPrediction, 0}.normal(
        first, step.next, static_cast<T>(thinking_.initial_scale));
  }
  LossSums sums;
  sums.token_count = valid_count(targets);
  int64_t held = -1;
  for (const int64_t wanted : inference_plan(options.steps)) {
    if (held < 0 || (held != wanted && config_.type != EbtType::kDefault)) {
      space.contexts.front().forward(views_, rotary_, inputs, wanted);
      held = wanted;
    }
    think_once<T>(config_, landscape(space, 0, 0), step.next, {space.step_size, space.bound}, step);
    CrossEntropy<T>::loss_and_gradient({flat(targets), T(0)}, step.next, T(0), space.row_loss, {});
    sums.cross_entropy.push_back(sum_valid<T>(space.row_loss, targets));
    sums.energy.push_back(sum_valid(step.energy, targets));
  }
  sums.objective = sums.cross_entropy.back();
  return sums;
}

template <class T>
ThinkingTrace<T> TextEbt<T>::predict_next(Tensor<const int32_t> tokens,
                                          const ThinkOptions& options) {
  const int64_t context = tokens.count();
  Workspace& space = workspace(1, context, 1, false);
  TextStep<T>& step = space.steps.front();
  set_step_sizes(space, nullptr);
  const auto first = static_cast<uint64_t>(options.first_row * config_.vocab_size);
  if (thinking_.initial == InitialPrediction::kZeros) {
    elementwise<T>().zero(step.next.count(), step.next.data);
  } else {
    RandomStream{options.seed, RandomPurpose::kInitialPrediction, 0}.normal(
        first, step.next, static_cast<T>(thinking_.initial_scale));
  }
  ThinkingTrace<T> trace;
  int64_t held = -1;
  const auto at = landscape(space, 0, context - 1);
  for (const int64_t wanted : inference_plan(options.steps)) {
    if (held < 0 || (held != wanted && config_.type != EbtType::kDefault)) {
      space.contexts.front().forward(views_, rotary_, tokens.reshape({1, context}), wanted);
      held = wanted;
    }
    think_once<T>(config_, at, step.next, {space.step_size, space.bound}, step);
    trace.energy.push_back(static_cast<double>(step.energy[0]));
  }
  trace.logits.assign(step.next.begin(), step.next.end());
  trace.energy.push_back(static_cast<double>(energy_of<T>(config_, at, step.next, step)[0]));
  return trace;
}

template class TextEbt<float>;
template class TextEbt<double>;

}  // namespace ebt
