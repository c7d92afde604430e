// One pass of thinking over a chunk of candidates, and the gradient of training through it.
//
// Whatever a candidate is, a thinking step takes its state x to x' = start(x) - alpha g, where g is
// the gradient of its energy. With v the loss's derivative by x', t = -alpha v is the tangent along
// which g is differentiated: the step's share of every gradient is that of <g, t>. The modes share
// one sweep (EnergyStream::sweep):
//   detached (S1)     each step is swept as soon as it is taken, in the same memory
//   not detached      all steps are kept, then swept from the last to the first, each passing v on
//   truncated (S2)    only the last step is swept; earlier ones pass v on for alpha's sake alone
// Where only the last steps are learned from, all of this is true of those, and earlier ones are
// where thinking happened to start.
//
// The pass knows neither what a candidate is nor what its energy depends on. Those are
//   Space     the candidates (simplex.h, vectors.h): embedding, descent, and their derivatives
//   Problem   the chunk at hand: its space, the landscape of every step, the loss
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "ebt/core/phase.h"
#include "ebt/kernels/elementwise.h"
#include "ebt/kernels/sums.h"
#include "ebt/model/energy_stream.h"
#include "ebt/model/loss_sums.h"
#include "ebt/model/thinking_config.h"
#include "ebt/think/chunk.h"
#include "ebt/think/thinking_draws.h"

namespace ebt {

// Sees every thinking step of a pass: its number, the first of n candidates, the states (n, size)
// that they end in, and the energies (n) they started from.
template <class T>
using StepObserver = std::function<void(int64_t, int64_t, Tensor<const T>, Tensor<const T>)>;

// What one thinking step computes, kept where the step is differentiated later.
template <class Space, class Stream>
struct ThinkingStep {
  using T = typename Space::Scalar;

  ThinkingStep(Arena& arena, const StackShape& shape, Pooling pooling, const Space& space,
               int64_t count, bool training, bool keep_gradient)
      : stream(arena, shape, pooling, training),
        next(arena.take<T>({count, space.size()})),
        candidate(arena, space, next, keep_gradient || space.keeps_gradient()) {}

  Stream stream;
  Tensor<T> next;  // (N, size) where it ends
  typename Space::Step candidate;
  Tensor<const T> energy;  // (N)
};

// The energies of states (N, size) that are not to be moved, into step.energy.
template <class Space, class Stream>
void measure_energy(const Space& space, const typename Stream::Params& at,
                    Tensor<const typename Space::Scalar> state, ThinkingStep<Space, Stream>& step) {
  const PhaseScope scope(Space::kPhase);
  space.embed(state, step.candidate, step.stream.embedded());
  step.energy = step.stream.forward(at);
}

// One thinking step from `state`, which may be step.next, with the step sizes (N) of the
// candidates. Afterwards step.stream holds what a sweep needs.
template <class Space, class Stream>
void think_once(const Space& space, const typename Stream::Params& at,
                Tensor<const typename Space::Scalar> state,
                Tensor<const typename Space::Scalar> step_size, ThinkingStep<Space, Stream>& step) {
  measure_energy(space, at, state, step);
  step.stream.input_gradient(at);
  const PhaseScope scope(Space::kPhase);
  space.descend(state, step_size, step.stream, step.candidate, step.next);
}

// The buffers of a chunk of N candidates. What is not there is not wanted: `training` false leaves
// what a single step needs.
template <class Space, class Stream>
struct PassBuffers {
  using T = typename Space::Scalar;
  using S = typename Space::Stored;
  using Step = ThinkingStep<Space, Stream>;

  PassBuffers(Arena& arena, const StackShape& shape, Pooling pooling, const Space& space,
              int64_t count, const ThinkingSettings& thinking, int64_t most_steps, bool training) {
    const Shape state{count, space.size()};
    keeps_all = training && thinking.gradient_crosses_steps();
    const int64_t kept =
        thinking.learned_steps > 0 ? std::min(thinking.learned_steps, most_steps) : most_steps;
    for (int64_t i = 0; i < (keeps_all ? kept : 1); ++i) {
      steps.emplace_back(arena, shape, pooling, space, count, training, keeps_all);
      if (training) {
        slopes.push_back(arena.take<T>(state));
      }
    }
    initial = keeps_all ? arena.take<T>(state) : steps.front().next;
    step_size = arena.take<T>({count});
    row_loss = arena.take<T>({count});
    if (!training) {
      return;
    }
    noisy = thinking.langevin_noise > 0 ? arena.take<T>(state) : Tensor<T>{};
    e_dot = arena.take<T>(shape.stream());
    e_bar = arena.take<T>(shape.stream());
    sweep = SweepSpace<T, S>::take(arena, shape);
    work = typename Space::Work(arena, space, slopes.front(), keeps_all);
  }

  bool keeps_all = false;
  std::vector<Step> steps;        // one, or one per learned step where all are kept
  std::vector<Tensor<T>> slopes;  // (N, size) per kept step: derivative of the loss by its end
  Tensor<T> initial;              // (N, size) before the first step
  Tensor<T> noisy;                // (N, size) with Langevin noise
  Tensor<T> step_size, row_loss;  // (N)
  Tensor<T> e_dot, e_bar;         // like the stream
  SweepSpace<T, S> sweep;
  typename Space::Work work;
};

// A chunk, in the order in which it happens. Problem has
//   Space, Stream      its types
//   space              the candidates, and where their gradients go
//   at(i), grads(i)    EnergyStream's parameters and gradients for step i
//   measure(i, last, scale, row_loss, slope)
//                      the losses of where step i ends, as StepLoss; slope = their derivative times
//                      `scale`, if it is not absent
//   energy_sum(energy) sum over the candidates that count
//   energy_bar(i)      cotangents of the energies of the last step, from terms of the loss on them;
//                      absent without such terms
//   learned_alpha, alpha_bar
//                      the weight that is the step size, and its gradient
//   set_step_sizes(alpha, sizes)
//                      told the step size as it is, and those (N) of the candidates
struct StepLoss {
  double measured = 0;   // what is reported
  double objective = 0;  // what is minimised
};

template <class Problem>
class ThinkingPass {
 public:
  using Space = typename Problem::Space;
  using Stream = typename Problem::Stream;
  using T = typename Space::Scalar;
  using Buffers = PassBuffers<Space, Stream>;

  // With `learns`, gradients are added to, each candidate's loss times `scale`.
  ThinkingPass(Problem& problem, const ThinkingSettings& thinking, const ThinkingDraws<T>& draws,
               const Chunk& chunk, Buffers& buffers, LossSums& sums)
      : problem_(problem),
        thinking_(thinking),
        draws_(draws),
        chunk_(chunk),
        buffers_(buffers),
        sums_(sums) {}

  void run(bool learns, double scale, const StepObserver<T>& observe) {
    learns_ = learns;
    scale_ = scale;
    start();
    for (size_t i = 0; i < count(); ++i) {
      take_step(i, observe);
      if (learns_ && !buffers_.keeps_all && has_loss(i)) {
        sweep(i, false);
      }
    }
    for (size_t i = count(); learns_ && buffers_.keeps_all && i-- > first_learned();) {
      if (!is_last(i) && has_loss(i)) {
        kernels::elementwise<T>().add(slope(i).count(), T(1), slope(i + 1).data, slope(i).data);
      } else if (!is_last(i)) {
        kernels::elementwise<T>().copy(slope(i).count(), slope(i + 1).data, slope(i).data);
      }
      if (has_loss(i) || thinking_.learned_steps > 0) {
        sweep(i, i > first_learned());
      } else if constexpr (requires { &Space::template pass_through<Stream>; }) {
        pass_through(i);
      }
    }
  }
  // Where thinking ended (N, size).
  Tensor<const T> result() { return step(count() - 1).next; }

 private:
  size_t count() const { return draws_.landscapes.size(); }
  // Not below what the published implementation raises it to.
  double alpha() const {
    return std::max(static_cast<double>(problem_.learned_alpha()), kSmallestStepSize);
  }
  bool is_last(size_t i) const { return i + 1 == count(); }
  bool has_loss(size_t i) const {
    return i >= first_learned() && (!thinking_.truncate || is_last(i));
  }
  size_t first_learned() const {
    const auto learned = static_cast<size_t>(thinking_.learned_steps);
    return learned == 0 || learned >= count() ? 0 : count() - learned;
  }
  // Each step's weight in the objective.
  double weight() const { return thinking_.truncate ? 1.0 : 1.0 / static_cast<double>(count()); }
  // Where step i is kept: all that nothing is learned from lie in the memory of the first that is.
  size_t slot(size_t i) const {
    return buffers_.keeps_all && i > first_learned() ? i - first_learned() : 0;
  }
  typename Buffers::Step& step(size_t i) { return buffers_.steps[slot(i)]; }
  Tensor<T> slope(size_t i) { return buffers_.slopes[slot(i)]; }
  // Calls visit(first, part) for the parts of a tensor (N, ...) of the chunk whose candidates
  // follow each other in the batch, from `first` on.
  template <class P, class Visit>
  void for_each_run(Tensor<P> of_chunk, const Visit& visit) const {
    chunk_.for_each_run(
        [&](int64_t first, int64_t at, int64_t n) { visit(first, of_chunk.slice(at, n)); });
  }

  void start() {
    const PhaseScope scope(Space::kPhase);
    if (draws_.initial) {
      for_each_run(buffers_.initial, draws_.initial);
    } else {
      kernels::elementwise<T>().fill(buffers_.initial.count(), T(0), buffers_.initial.data);
    }
    const auto step_size = static_cast<T>(alpha());
    const auto spread = static_cast<T>(thinking_.step_size_spread);
    const Tensor<T> sizes = buffers_.step_size;
    if (draws_.step_size && spread != T(1)) {
      for_each_run(sizes, draws_.step_size);
      const T least = T(1) / spread;
      kernels::elementwise<T>().affine(sizes.count(), least, spread - least, sizes.data);
      kernels::elementwise<T>().scale(sizes.count(), step_size, sizes.data);
    } else {
      kernels::elementwise<T>().fill(sizes.count(), step_size, sizes.data);
    }
    problem_.set_step_sizes(alpha(), sizes);
  }

  void take_step(size_t i, const StepObserver<T>& observe) {
    typename Buffers::Step& s = step(i);
    Tensor<const T> state = i == 0 ? Tensor<const T>(buffers_.initial) : step(i - 1).next;
    if (buffers_.noisy && draws_.langevin && thinking_.langevin_noise > 0) {
      const PhaseScope scope(Space::kPhase);
      const Tensor<T> noisy = buffers_.noisy;
      for_each_run(noisy, [&](int64_t first, Tensor<T> part) {
        draws_.langevin(static_cast<int64_t>(i), first, part);
      });
      const auto scale = static_cast<T>(std::max(thinking_.langevin_noise, 1e-6));
      kernels::elementwise<T>().axpby(state.count(), T(1), state.data, scale, noisy.data);
      state = noisy;
    }
    think_once(problem_.space, problem_.at(i), state, buffers_.step_size, s);
    sums_.energies[i] += problem_.energy_sum(s.energy);
    if (observe) {
      const Tensor<const T> energy = s.energy.reshape({s.energy.count()});
      chunk_.for_each_run([&](int64_t first, int64_t at, int64_t n) {
        observe(static_cast<int64_t>(i), first, s.next.slice(at, n), energy.slice(at, n));
      });
    }
    const PhaseScope scope(Space::kPhase);
    const StepLoss loss =
        problem_.measure(i, count() - 1, s.next, static_cast<T>(weight() * scale_),
                         buffers_.row_loss, learns_ && has_loss(i) ? slope(i) : Tensor<T>{});
    sums_.losses[i] += loss.measured;
    sums_.objective += has_loss(i) ? weight() * loss.objective : 0.0;
  }

  // The second-order sweep of step i, from slope(i). With `pass_on`, slope(i) becomes the
  // derivative by the state before the step.
  void sweep(size_t i, bool pass_on) {
    const PhaseScope scope(Space::kPhase);
    typename Buffers::Step& s = step(i);
    const Tensor<T> v = slope(i);
    problem_.space.tangent(s.stream, s.candidate, buffers_.step_size, v, buffers_.work,
                           buffers_.e_dot, buffers_.row_loss);
    add_to_step_size();
    const Tensor<const T> energy_bar =
        is_last(i) ? problem_.energy_bar(i, buffers_) : Tensor<const T>{};
    auto grads = problem_.grads(i);
    const auto e_bar = s.stream.sweep(problem_.at(i), buffers_.e_dot, energy_bar, buffers_.sweep,
                                      grads, buffers_.e_bar);
    problem_.space.vjp(s.stream, s.candidate, e_bar, buffers_.e_bar, buffers_.work,
                       pass_on ? v : Tensor<T>{});
  }

  // A truncated step: its energy gradient counts as a constant, but alpha scaled it.
  void pass_through(size_t i) {
    typename Buffers::Step& s = step(i);
    problem_.space.pass_through(s.stream, s.candidate, buffers_.step_size, slope(i), buffers_.work,
                                buffers_.row_loss);
    add_to_step_size();
  }

  // d loss / d alpha = sum <t, g> / alpha, candidate by candidate in row_loss.
  void add_to_step_size() {
    if (static_cast<double>(problem_.learned_alpha()) < kSmallestStepSize) {
      return;  // the clamp holds it
    }
    double sum = 0;
    kernels::sums<T>().sum(buffers_.row_loss.count(), buffers_.row_loss.data, &sum);
    problem_.alpha_bar() += static_cast<T>(sum / alpha());
  }

  Problem& problem_;
  const ThinkingSettings& thinking_;
  const ThinkingDraws<T>& draws_;
  const Chunk& chunk_;
  Buffers& buffers_;
  LossSums& sums_;
  bool learns_ = false;
  double scale_ = 0;
};

}  // namespace ebt
