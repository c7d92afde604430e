// Thoughts under way: candidates that descend their energies, each at a step of its own, and share
// passes through the model.
//
// A step of a candidate with logits z:
//   p = softmax(z + noise)   E = energy(p W)   z' = p - alpha dE/dp
// A step that is only taken where the energy falls costs another forward pass, which judges z';
// where it is turned down, z' = p. After the last step one more forward pass gives the final
// energy.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "ebt/model/row_pass.h"
#include "ebt/model/thinking_config.h"
#include "ebt/think/generator.h"
#include "ebt/think/plan.h"

namespace ebt {

// Where a thought's random numbers come from: those of candidate c for the token at `position`.
struct NoiseAddress {
  uint64_t seed = 0;
  int64_t position = 0;
  int64_t candidate = 0;
};
template <class T>
struct ThinkingNoise {
  std::function<void(const NoiseAddress&, Tensor<T>)> initial;  // (V) standard normal
  std::function<void(const NoiseAddress&, int64_t step, Tensor<T>)> langevin;
};
// Numbers that depend on nothing but their address.
template <class T>
ThinkingNoise<T> counter_based_noise();

// A candidate to think about. `plan` and `options` must outlive the thought.
struct ThoughtStart {
  PassRow at;  // of its landscape, only the number of tokens before it counts here
  NoiseAddress noise;
  const ThinkOptions* options = nullptr;
  const std::vector<PlannedStep>* plan = nullptr;  // not empty
  int64_t most_steps = 0;                          // cuts the plan short
  bool trace = false;
  int64_t top_tokens = 0;  // in the trace
};

// A thought whose logits are final after a pass.
struct ThoughtEvent {
  int64_t lane = 0;
  bool finished = false;  // its final energy is known too; else one more pass will tell it
};

// Sees a thought before a step, or after the last one.
template <class T>
struct ThoughtView {
  NoiseAddress noise;
  int64_t step;  // steps taken so far
  double energy;
  Tensor<const T> logits;  // (V) without Langevin noise
};

template <class T, class S>
class Thoughts {
 public:
  // For at most `lanes` candidates at a time. `weights`, `cache` must outlive the thoughts.
  Thoughts(Arena& arena, const TextModelConfig& config, const TextThinkingConfig& trained,
           const RowWeights<T, S>& weights, const KeyCache<S>& cache, PassRows most,
           ThinkingNoise<T> noise);

  // The lane of a new thought, or nothing where all are taken.
  std::optional<int64_t> start(const ThoughtStart& start);
  // Frees a lane.
  void release(int64_t lane) { lane_at(lane).busy = false; }
  // One pass for all thoughts, and the context tokens' keys. Finished thoughts keep their lanes,
  // and must be released before the next pass.
  std::vector<ThoughtEvent> pass(std::span<const ContextRow> context);
  // Of a baseline: the logits (N, V) after some of the last pass's context rows.
  Tensor<const T> baseline_logits(std::span<const int64_t> context_rows);

  bool idle() const;
  Tensor<const T> logits(int64_t lane) const {
    return Tensor<const T>(logits_).slice(lane, 1).reshape({vocab_});
  }
  // K + 1 states after K steps, once finished.
  const std::vector<ThinkingState>& states(int64_t lane) const { return lane_of(lane).states; }
  int64_t steps(int64_t lane) const { return lane_of(lane).steps; }
  int64_t forward_passes(int64_t lane) const { return lane_of(lane).forward_passes; }
  std::function<void(const ThoughtView<T>&)> observe;  // may be empty

 private:
  enum class Phase { kDescend, kJudge, kFinal, kDone };
  struct Lane {
    bool busy = false;
    Phase phase = Phase::kDescend;
    ThoughtStart start;
    int64_t step = 0;  // of the plan
    int64_t steps = 0, forward_passes = 0;
    int64_t quiet = 0;       // steps in a row that hardly changed the energy
    double energy = 0;       // before the current step
    std::vector<T> unmoved;  // p, to return to where a step is turned down
    std::vector<ThinkingState> states;
  };
  Lane& lane_at(int64_t lane) { return lanes_[static_cast<size_t>(lane)]; }
  const Lane& lane_of(int64_t lane) const { return lanes_[static_cast<size_t>(lane)]; }
  Tensor<T> row(Tensor<T> all, int64_t index) const {
    return all.slice(index, 1).reshape({vocab_});
  }
  int64_t landscape_of(const Lane& lane) const;
  int64_t last_step(const Lane& lane) const;
  // Thoughts of the pass, those that descend first.
  std::vector<int64_t> line_up() const;
  void fill_prediction(const Lane& lane, int64_t index, Tensor<T> p) const;
  void note_state(Lane& lane, int64_t index, double energy);
  bool converged(Lane& lane, double energy) const;
  void learn_energy(int64_t index, double energy);
  void descend(std::span<const int64_t> order);
  void advance(Lane& lane);

  TextModelConfig config_;
  TextThinkingConfig trained_;
  const RowWeights<T, S>& weights_;
  ThinkingNoise<T> noise_;
  RowPass<T, S> pass_;
  int64_t vocab_;
  std::vector<Lane> lanes_;
  Tensor<T> logits_;        // (lanes, V)
  Tensor<T> p_, gradient_;  // (lanes, V), in the order of the pass
  std::vector<T> step_, bound_;
};

}  // namespace ebt
