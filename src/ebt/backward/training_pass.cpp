#include "ebt/backward/training_pass.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/isa.h"
#include "ebt/kernels/softmax.h"
#include "ebt/loss/cross_entropy.h"
#include "ebt/loss/target_sums.h"

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

// One training pass over some rows, in the order in which it happens.
template <class T>
struct TrainingPass {
  const TextEbtParts<T>& model;
  const TrainingRows<T>& rows;
  const ThinkingDraws<T>& draws;
  TextWorkspace<T>& space;
  std::vector<int64_t> plan;  // the landscape of every thinking step
  LossSums sums;
  std::vector<int64_t> open;  // the landscape that a context holds, -1: none

  TrainingPass(const TextEbtParts<T>& m, const TrainingRows<T>& r, const ThinkingDraws<T>& d,
               TextWorkspace<T>& s)
      : model(m), rows(r), draws(d), space(s), open(s.contexts.size(), -1) {
    for (size_t landscape = 0; landscape < d.repeats.size(); ++landscape) {
      plan.insert(plan.end(), static_cast<size_t>(d.repeats[landscape]),
                  static_cast<int64_t>(landscape));
    }
    sums.cross_entropy.assign(plan.size(), 0.0);
    sums.energy.assign(plan.size(), 0.0);
    sums.token_count = count_targets(r.targets);
  }

  const ThinkingConfig& thinking() const { return model.thinking; }
  bool keep_all() const { return gradient_crosses_steps(thinking()); }
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
  EnergyLandscape<T> at(size_t i) { return model.landscape(space.contexts[context_of(i)], 0); }

  // Makes the context of step i current. With the default type all landscapes are one.
  void enter_landscape(size_t i) {
    const int64_t wanted = model.config.type == EbtType::kDefault ? 0 : plan[i];
    int64_t& held = open[context_of(i)];
    if (held == wanted) {
      return;
    }
    if (held >= 0) {
      leave_landscape(context_of(i));
    }
    space.contexts[context_of(i)].forward(model.weights, model.rotary, rows.inputs, wanted);
    held = wanted;
  }
  // Collects the gradients of a context that no step needs any more.
  void leave_landscape(size_t context) {
    space.contexts[context].vjp(model.weights, model.rotary, model.gradients);
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
    model.set_step_sizes(space, draws.step_size);
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
    think_once<T>(model.config, at(i), logits, {space.step_size, space.bound}, s);
    sums.energy[i] += sum_over_targets(s.energy, rows.targets);
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
    CrossEntropy<T>::loss_and_gradient(
        {rows.targets.reshape({rows.targets.count()}), static_cast<T>(smoothing)}, step(i).next,
        scale, space.row_loss, has_loss(i) ? slope(i) : Tensor<T>{});
    const double loss = sum_over_targets<T>(space.row_loss, rows.targets);
    sums.cross_entropy[i] += loss;
    sums.objective += has_loss(i) ? weight() * loss : 0.0;
  }

  // The second-order sweep of step i, from slope(i). With `pass_on`, slope(i) becomes the
  // derivative by the logits before the step.
  void sweep(size_t i, bool pass_on) {
    TextStep<T>& s = step(i);
    const Tensor<T> v = slope(i);
    const Tensor<T> g_work = pass_on ? space.work : v;
    typename DescendLogits<T>::Grads descent{model.gradients.vocabulary.weight};
    DescendLogits<T>::vjp({model.weights.vocabulary, s.p, space.step_size, space.bound},
                          {as_rows(s.stream.gradient()), s.g, g_work}, v, as_rows(space.tangent),
                          Write::kReplace, &descent);
    add_step_size_gradient(s);
    s.stream.sweep(at(i), space.tangent, is_last(i) ? contrast(i) : Tensor<const T>{}, space.sweep,
                   model.gradients, space.embedding_bar);
    typename EmbedPrediction<T>::Grads embed{model.gradients.vocabulary.weight};
    const typename EmbedPrediction<T>::Params params{model.weights.vocabulary,
                                                     model.config.normalize};
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
    if (model.config.normalize) {
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
    if (static_cast<double>(model.weights.step_size[0]) < kSmallestStepSize) {
      return;  // the clamp holds it
    }
    double sum = 0;
    for (const T value : space.row_loss) {
      sum += static_cast<double>(value);
    }
    model.gradients.step_size[0] += static_cast<T>(sign * sum / model.step_size());
  }

  // A truncated step: its energy gradient counts as a constant, but alpha scaled it, and the step
  // started from the softmax of the logits before it.
  void pass_through(size_t i, Tensor<T> v) {
    TextStep<T>& s = step(i);
    Tensor<T> moved = v;
    if (space.bound) {  // clamped entries move by the same amount whatever alpha is
      moved = space.work;
      elementwise<T>().copy(v.count(), v.data, moved.data);
      elementwise<T>().mask_clamped(v.dim(0), v.dim(1), s.g.data, space.bound.data, moved.data);
    }
    elementwise<T>().dot_rows(v.dim(0), v.dim(1), moved.data, s.g.data, space.row_loss.data);
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
    const typename EmbedPrediction<T>::Params params{model.weights.vocabulary, false};
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
    truth.stream.vjp(at(i), space.energy_bar, space.sweep, model.gradients, space.embedding_bar);
    typename EmbedPrediction<T>::Grads embed{model.gradients.vocabulary.weight};
    EmbedPrediction<T>::vjp_of_weight(params, one_hot, as_rows(space.embedding_bar), &embed);
    for (T& bar : space.energy_bar) {
      bar = -bar;
    }
    return space.energy_bar;
  }

  void run_step_by_step(const StepObserver<T>& observe) {
    for (size_t i = 0; i < plan.size(); ++i) {
      take_step(i, observe);
      if (has_loss(i)) {
        sweep(i, false);
      }
    }
    leave_landscape(0);
  }

  void run_through_all(const StepObserver<T>& observe) {
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

}  // namespace

template <class T>
double TextEbtParts<T>::step_size() const {
  return std::max(static_cast<double>(weights.step_size[0]), kSmallestStepSize);
}

template <class T>
EnergyLandscape<T> TextEbtParts<T>::landscape(TextContext<T>& context, int64_t first_query) const {
  return {weights, context.vectors, rotary, context.stream, first_query};
}

// alpha at every position, alpha / spread + draw (alpha spread - alpha / spread) where random.
template <class T>
void TextEbtParts<T>::set_step_sizes(TextWorkspace<T>& space,
                                     const std::function<void(Tensor<T>)>& draw) const {
  const auto alpha = static_cast<T>(step_size());
  const auto spread = static_cast<T>(thinking.step_size_spread);
  if (draw && spread != T(1)) {
    draw(space.step_size);
    for (T& step : space.step_size) {
      step = alpha * (T(1) / spread + step * (spread - T(1) / spread));
    }
  } else {
    std::fill(space.step_size.begin(), space.step_size.end(), alpha);
  }
  // No entry of the prediction may move by more than clamp_gradient at the nominal step size.
  std::fill_n(space.bound.data, space.bound ? space.bound.count() : 0,
              static_cast<T>(thinking.clamp_gradient) / alpha);
}

template <class T>
LossSums train_pass(const TextEbtParts<T>& model, const TrainingRows<T>& rows,
                    const ThinkingDraws<T>& draws, const StepObserver<T>& observe,
                    TextWorkspace<T>& space) {
  TrainingPass<T> pass(model, rows, draws, space);
  pass.start();
  if (pass.keep_all()) {
    pass.run_through_all(observe);
  } else {
    pass.run_step_by_step(observe);
  }
  if (rows.final_logits) {
    const Tensor<T> last = pass.step(pass.plan.size() - 1).next;
    elementwise<T>().copy(last.count(), last.data, rows.final_logits.data);
  }
  return std::move(pass.sums);
}

template struct TextEbtParts<float>;
template struct TextEbtParts<double>;
template LossSums train_pass(const TextEbtParts<float>&, const TrainingRows<float>&,
                             const ThinkingDraws<float>&, const StepObserver<float>&,
                             TextWorkspace<float>&);
template LossSums train_pass(const TextEbtParts<double>&, const TrainingRows<double>&,
                             const ThinkingDraws<double>&, const StepObserver<double>&,
                             TextWorkspace<double>&);

}  // namespace ebt
