#include "ebt/think/training_pass.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "ebt/core/phase.h"
#include "ebt/core/work_watch.h"
#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/ranking.h"
#include "ebt/kernels/rows.h"
#include "ebt/kernels/simplex_descent.h"
#include "ebt/kernels/softmax.h"
#include "ebt/kernels/sums.h"
#include "ebt/layers/cross_entropy.h"
#include "ebt/layers/target_sums.h"

namespace ebt {
namespace {

// The thinking steps of a training step, which all chunks share.
struct Plan {
  std::vector<int64_t> landscapes;  // the landscape of every thinking step

  explicit Plan(const std::vector<int64_t>& repeats) {
    for (size_t landscape = 0; landscape < repeats.size(); ++landscape) {
      landscapes.insert(landscapes.end(), static_cast<size_t>(repeats[landscape]),
                        static_cast<int64_t>(landscape));
    }
  }
  size_t size() const { return landscapes.size(); }
  bool is_last(size_t i) const { return i + 1 == size(); }
};

// How a pass spends its time, roughly; the way back is the contexts'.
struct Shares {
  double reading, thinking, way_back;
  explicit Shares(size_t steps)
      : reading(1 / (3 + 4 * static_cast<double>(steps))),
        thinking(1 - 3 * reading),
        way_back(2 * reading) {}
};

// One chunk of a training step, in the order in which it happens.
template <class T, class S>
struct ChunkPass {
  const TextEbtParts<T, S>& model;
  const TrainingRows<T>& rows;
  const ThinkingDraws<T>& draws;
  const StepObserver<T>& observe;
  const Plan& plan;
  TextWorkspace<T, S>& workspace;
  const Chunk& chunk;
  ChunkSpace<T, S>& space;
  LossSums& sums;

  const ThinkingConfig& thinking() const { return model.thinking; }
  bool keep_all() const { return gradient_crosses_steps(thinking()); }
  bool has_loss(size_t i) const { return !thinking().truncate || plan.is_last(i); }
  TextStep<T, S>& step(size_t i) { return space.steps[keep_all() ? i : 0]; }
  Tensor<T> slope(size_t i) { return space.slopes[keep_all() ? i : 0]; }
  // Each step's weight in the objective.
  double weight() const {
    return thinking().truncate ? 1.0 : 1.0 / static_cast<double>(plan.size());
  }
  EnergyLandscape<T, S> at(size_t i) {
    return model.landscape(workspace.contexts[workspace.context_of(plan.landscapes[i])], chunk);
  }
  Tensor<const int32_t> targets() const { return space.targets; }  // (N)
  // Calls visit(first, part) for the parts of a tensor (N, ...) of the chunk whose positions follow
  // each other in the batch, from `first` on.
  template <class P, class Visit>
  void for_each_run(Tensor<P> of_chunk, const Visit& visit) const {
    chunk.for_each_run(
        [&](int64_t first, int64_t at, int64_t n) { visit(first, of_chunk.slice(at, n)); });
  }

  Tensor<const T> logits_before(size_t i) {
    return i == 0 ? Tensor<const T>(space.initial) : Tensor<const T>(step(i - 1).next);
  }

  void start() {
    const PhaseScope scope(Phase::kVocabulary);
    const Tensor<T> initial = space.initial;
    if (rows.initial_logits) {
      for_each_run(initial, [&](int64_t first, Tensor<T> part) {
        kernels::elementwise<T>().copy(
            part.count(), rows.initial_logits.data + first * model.config.vocab_size, part.data);
      });
    } else if (thinking().initial == InitialPrediction::kZeros) {
      kernels::elementwise<T>().fill(initial.count(), T(0), initial.data);
    } else {
      for_each_run(initial, draws.initial);
      if (thinking().initial_scale != 1) {
        kernels::elementwise<T>().scale(initial.count(), static_cast<T>(thinking().initial_scale),
                                        initial.data);
      }
    }
    model.set_step_sizes(space, draws.step_size
                                    ? [&](Tensor<T> out) { for_each_run(out, draws.step_size); }
                                    : std::function<void(Tensor<T>)>{});
  }

  void take_step(size_t i) {
    TextStep<T, S>& s = step(i);
    Tensor<const T> logits = logits_before(i);
    if (space.noisy) {
      const PhaseScope scope(Phase::kVocabulary);
      for_each_run(space.noisy, [&](int64_t first, Tensor<T> part) {
        draws.langevin(static_cast<int64_t>(i), first, part);
      });
      const auto scale = static_cast<T>(std::max(thinking().langevin_noise, 1e-6));
      kernels::elementwise<T>().axpby(logits.count(), T(1), logits.data, scale, space.noisy.data);
      logits = space.noisy;
    }
    think_once<T, S>(model.config, at(i), logits, {space.step_size, space.bound}, s);
    sums.energies[i] += sum_over_targets(s.energy, targets());
    if (observe) {
      const Tensor<const T> energy = s.energy.reshape({chunk.count()});
      chunk.for_each_run([&](int64_t first, int64_t at, int64_t n) {
        observe(static_cast<int64_t>(i), first, s.next.slice(at, n), energy.slice(at, n));
      });
    }
    measure(i);
  }

  // The loss of step i and, where it counts, its derivative by the logits.
  void measure(size_t i) {
    const PhaseScope scope(Phase::kVocabulary);
    const size_t last = plan.size() - 1;
    const double smoothing = last == 0 ? 0.0
                                       : thinking().soften_targets * static_cast<double>(last - i) /
                                             static_cast<double>(last);
    const auto scale = static_cast<T>(weight() * rows.inverse_token_count);
    CrossEntropy<T>::loss_and_gradient({targets(), static_cast<T>(smoothing)}, step(i).next, scale,
                                       space.row_loss, has_loss(i) ? slope(i) : Tensor<T>{});
    const double loss = sum_over_targets<T>(space.row_loss, targets());
    sums.losses[i] += loss;
    sums.objective += has_loss(i) ? weight() * loss : 0.0;
  }

  // The second-order sweep of step i, from slope(i). With `pass_on`, slope(i) becomes the
  // derivative by the logits before the step.
  void sweep(size_t i, bool pass_on) {
    const PhaseScope scope(Phase::kVocabulary);
    TextStep<T, S>& s = step(i);
    const Tensor<T> v = slope(i);
    typename DescendLogits<T, S>::Grads descent{model.gradients.vocabulary.weight};
    DescendLogits<T, S>::vjp({model.weights.vocabulary, s.p, space.step_size, space.bound},
                             {as_rows(s.stream.gradient_stored()), s.g, space.slope_by_gradient}, v,
                             as_rows(space.tangent), Write::kReplace, &descent);
    add_step_size_gradient(s);
    const Tensor<const S> e_bar = as_rows(
        s.stream.sweep(at(i), space.tangent, plan.is_last(i) ? contrast(i) : Tensor<const T>{},
                       space.sweep, model.gradients, space.embedding_bar));
    typename EmbedPrediction<T, S>::Grads embed{model.gradients.vocabulary.weight};
    const typename EmbedPrediction<T, S>::Params params{model.weights.vocabulary,
                                                        model.config.normalize};
    if (!pass_on) {
      EmbedPrediction<T, S>::vjp_of_weight(params, s.p, e_bar, &embed);
      return;
    }
    through_softmax(s, v);
    EmbedPrediction<T, S>::vjp(params, {s.p, space.work}, e_bar, v, Write::kAdd, &embed);
  }

  // v = the derivative by the logits, where v was that by the normalised prediction.
  void through_softmax(const TextStep<T, S>& s, Tensor<T> v) const {
    if (model.config.normalize) {
      kernels::softmax<T, S>().vjp(v.dim(0), v.dim(1), s.p.data, v.data, false, v.data);
    }
  }

  // d loss / d alpha = -sum <v, g> position by position = sum <t, u> / alpha.
  void add_step_size_gradient(const TextStep<T, S>& s) {
    const Tensor<const T> u = s.stream.gradient();
    kernels::rows<T>().dot(space.row_loss.count(), u.dim(2), space.tangent.data, u.data,
                           space.row_loss.data);
    add_to_step_size(1.0);
  }
  void add_to_step_size(double sign) {
    if (static_cast<double>(model.weights.values.step_size[0]) < kSmallestStepSize) {
      return;  // the clamp holds it
    }
    double sum = 0;
    kernels::sums<T>().sum(space.row_loss.count(), space.row_loss.data, &sum);
    model.gradients.step_size[0] += static_cast<T>(sign * sum / model.step_size());
  }

  // A truncated step: its energy gradient counts as a constant, but alpha scaled it, and the step
  // started from the softmax of the logits before it.
  void pass_through(size_t i, Tensor<T> v) {
    const TextStep<T, S>& s = step(i);
    kernels::simplex_descent<T, S>().step_gradient(v.dim(0), v.dim(1), v.data, space.step_size.data,
                                                   space.bound.data, s.g.data, space.row_loss.data);
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
    TextStep<T, S>& truth = *space.truth;
    const Tensor<T> one_hot = truth.next;
    kernels::rows<T>().one_hot(one_hot.dim(0), one_hot.dim(1), targets().data, one_hot.data);
    const typename EmbedPrediction<T, S>::Params params{model.weights.vocabulary, false};
    typename EmbedPrediction<T, S>::Saved saved{truth.p, {}};
    EmbedPrediction<T, S>::forward(params, one_hot, as_rows(truth.stream.embedded()), saved);
    const Tensor<const T> truth_energy = truth.stream.forward(at(i));
    const Tensor<const T> energy = step(i).energy;
    const double scale = thinking().contrastive * rows.inverse_token_count;
    kernels::ranking<T>().loss_and_gradient(energy.count(), truth_energy.data, energy.data,
                                            targets().data, scale, space.row_loss.data,
                                            space.energy_bar.data);
    sums.objective += thinking().contrastive * sum_over_targets<T>(space.row_loss, targets());
    // The tangent waits in space.tangent; the truth's way down needs no tangents.
    const Tensor<const S> e_bar = truth.stream.vjp(at(i), space.energy_bar, space.sweep,
                                                   model.gradients, space.embedding_bar);
    typename EmbedPrediction<T, S>::Grads embed{model.gradients.vocabulary.weight};
    EmbedPrediction<T, S>::vjp_of_weight(params, truth.p, as_rows(e_bar), &embed);
    kernels::elementwise<T>().scale(space.energy_bar.count(), T(-1), space.energy_bar.data);
    return space.energy_bar;
  }

  void run() {
    start();
    if (keep_all()) {
      run_through_all();
    } else {
      run_step_by_step();
    }
    if (rows.final_logits) {
      for_each_run(step(plan.size() - 1).next, [&](int64_t first, Tensor<T> part) {
        kernels::elementwise<T>().copy(part.count(), part.data,
                                       rows.final_logits.data + first * model.config.vocab_size);
      });
    }
  }

  void run_step_by_step() {
    for (size_t i = 0; i < plan.size(); ++i) {
      take_step(i);
      if (has_loss(i)) {
        sweep(i, false);
      }
    }
  }

  void run_through_all() {
    for (size_t i = 0; i < plan.size(); ++i) {
      take_step(i);
    }
    for (size_t i = plan.size(); i-- > 0;) {
      if (!plan.is_last(i)) {
        if (has_loss(i)) {
          kernels::elementwise<T>().add(slope(i).count(), T(1), slope(i + 1).data, slope(i).data);
        } else {
          kernels::elementwise<T>().copy(slope(i).count(), slope(i + 1).data, slope(i).data);
        }
      }
      if (has_loss(i)) {
        sweep(i, i > 0);
      } else {
        pass_through(i, slope(i));
      }
    }
  }
};

}  // namespace

template <class T, class S>
double TextEbtParts<T, S>::step_size() const {
  return std::max(static_cast<double>(weights.values.step_size[0]), kSmallestStepSize);
}

template <class T, class S>
EnergyLandscape<T, S> TextEbtParts<T, S>::landscape(TextContext<T, S>& context,
                                                    const Chunk& chunk) const {
  return {weights, context.vectors, rotary, context.stream, chunk.first_row, chunk.first_query};
}

// alpha at every position, alpha / spread + draw (alpha spread - alpha / spread) where random.
template <class T, class S>
void TextEbtParts<T, S>::set_step_sizes(ChunkSpace<T, S>& space,
                                        const std::function<void(Tensor<T>)>& draw) const {
  const auto alpha = static_cast<T>(step_size());
  const auto spread = static_cast<T>(thinking.step_size_spread);
  if (draw && spread != T(1)) {
    draw(space.step_size);
    const Tensor<T> steps = space.step_size;
    const T least = T(1) / spread;
    kernels::elementwise<T>().affine(steps.count(), least, spread - least, steps.data);
    kernels::elementwise<T>().scale(steps.count(), alpha, steps.data);
  } else {
    kernels::elementwise<T>().fill(space.step_size.count(), alpha, space.step_size.data);
  }
  // No entry of the prediction may move by more than clamp_gradient at the nominal step size.
  if (space.bound) {
    kernels::elementwise<T>().fill(
        space.bound.count(), static_cast<T>(thinking.clamp_gradient) / alpha, space.bound.data);
  }
}

template <class T, class S>
LossSums train_pass(const TextEbtParts<T, S>& model, const TrainingRows<T>& rows,
                    const ThinkingDraws<T>& draws, const StepObserver<T>& observe,
                    TextWorkspace<T, S>& workspace) {
  const Plan plan(draws.repeats);
  LossSums sums;
  sums.losses.assign(plan.size(), 0.0);
  sums.energies.assign(plan.size(), 0.0);
  sums.count = count_targets(rows.targets);
  if (rows.final_logits && workspace.range.count() < workspace.context) {
    // What is not thought about is nothing, rather than what lay there.
    kernels::elementwise<T>().fill(rows.final_logits.count(), T(0), rows.final_logits.data);
  }
  if (workspace.chunks.empty()) {
    return sums;
  }
  // A landscape without steps is left alone, and so are its gradients. With the default type all
  // landscapes are one.
  const Tensor<const int32_t> tokens = workspace.tokens_of(rows.inputs);
  std::vector<size_t> open;
  for (const int64_t landscape : plan.landscapes) {
    const size_t context = workspace.context_of(landscape);
    if (open.empty() || open.back() != context) {
      open.push_back(context);
    }
  }
  const auto for_each_open = [&](double begin, double share, const auto& visit) {
    for (size_t i = 0; i < open.size(); ++i) {
      const double each = share / static_cast<double>(open.size());
      const PartOfWork work(begin + each * static_cast<double>(i), each);
      visit(open[i]);
    }
  };
  const Shares shares(plan.size());
  for_each_open(0, shares.reading, [&](size_t context) {
    workspace.contexts[context].forward(model.weights, model.rotary, tokens,
                                        static_cast<int64_t>(context));
  });
  {
    const PartOfWork work(shares.reading, shares.thinking);
    for (size_t i = 0; i < workspace.chunks.size(); ++i) {
      const Chunk& chunk = workspace.chunks[i];
      ChunkPass<T, S>{model, rows,      draws, observe,
                      plan,  workspace, chunk, workspace.space(chunk, rows.targets),
                      sums}
          .run();
      tell_share(static_cast<double>(i + 1) / static_cast<double>(workspace.chunks.size()));
    }
  }
  for_each_open(1 - shares.way_back, shares.way_back, [&](size_t context) {
    workspace.contexts[context].vjp(model.weights, model.rotary, model.gradients);
  });
  return sums;
}

#define EBT_INSTANTIATE(T, S)                                                     \
  template struct TextEbtParts<T, S>;                                             \
  template LossSums train_pass(const TextEbtParts<T, S>&, const TrainingRows<T>&, \
                               const ThinkingDraws<T>&, const StepObserver<T>&,   \
                               TextWorkspace<T, S>&);
EBT_INSTANTIATE(float, float)
EBT_INSTANTIATE(float, Bfloat16)
EBT_INSTANTIATE(double, double)
#undef EBT_INSTANTIATE

}  // namespace ebt
