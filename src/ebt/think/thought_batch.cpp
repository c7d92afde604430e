#include "ebt/think/thought_batch.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ebt/core/work_watch.h"
#include "ebt/kernels/rows.h"
#include "ebt/kernels/softmax.h"
#include "ebt/think/generator.h"

namespace ebt {

template <class T>
ThoughtBatch<T>::ThoughtBatch(InfillModel<T>& model, const SolveOptions& options, int64_t capacity,
                              double planned, const SolverObserver<T>& observe)
    : model_(model),
      options_(options),
      observe_(observe),
      length_(model.config().row_length),
      vocab_(model.config().vocab_size),
      capacity_(capacity),
      has_energy_(model.config().arch == InfillArchitecture::kEbt),
      planned_(planned),
      tokens_(static_cast<size_t>(capacity * length_)),
      given_(tokens_.size()),
      known_(tokens_.size()),
      logits_(static_cast<size_t>(capacity * size())),
      probabilities_(logits_.size()),
      before_(compares() ? logits_.size() : 0),
      energies_(static_cast<size_t>(capacity)) {}

template <class T>
InfillRows ThoughtBatch<T>::rows(size_t count) const {
  const Shape shape{static_cast<int64_t>(count), length_};
  return {{tokens_.data(), shape}, {known_.data(), shape}};
}

template <class T>
void ThoughtBatch<T>::find_probabilities(Tensor<const T> logits, std::vector<T>& out) const {
  kernels::softmax<T, T>().forward(logits.dim(0) * length_, vocab_, logits.data, out.data());
}

template <class T>
void ThoughtBatch<T>::find_leading(int64_t count, const std::vector<T>& of,
                                   std::vector<int32_t>& tokens) const {
  tokens.resize(static_cast<size_t>(count * length_));
  kernels::rows<T>().argmax(count * length_, vocab_, of.data(), tokens.data());
}

template <class T>
Tensor<T> ThoughtBatch<T>::begin(int64_t row, int64_t index, int64_t limit, const int32_t* tokens,
                                 const uint8_t* known) {
  const size_t place = thoughts_.size();
  thoughts_.push_back({row, index, limit});
  for (int64_t i = 0; i < length_; ++i) {
    const bool given = known[i] != 0;
    at(known_, place, length_)[i] = known[i];
    at(given_, place, length_)[i] = given ? tokens[i] : -1;
    at(tokens_, place, length_)[i] = given ? tokens[i] : 0;
  }
  return {at(logits_, place, size()), {length_, vocab_}};
}

template <class T>
void ThoughtBatch<T>::finish(std::optional<SolverClock::time_point> deadline, const Taker& take) {
  if (compares()) {
    find_probabilities(logits(thoughts_.size()), before_);
  }
  const auto left = [](const Thought& thought) { return thought.limit - thought.steps; };
  size_t live = thoughts_.size();
  while (live > 0) {
    int64_t steps = 1;
    if (!compares() && !deadline) {
      const auto first = thoughts_.begin();
      steps = left(
          *std::min_element(first, first + static_cast<std::ptrdiff_t>(live),
                            [&](const Thought& a, const Thought& b) { return left(a) < left(b); }));
    }
    take_steps(live, steps);
    const bool late = deadline && SolverClock::now() >= *deadline;
    for (size_t i = live; i-- > 0;) {
      const bool settled =
          options_.stop_change > 0 && thoughts_[i].calm_steps >= options_.stop_patience;
      if (late || settled || left(thoughts_[i]) == 0) {
        swap_thoughts(i, --live);
      }
    }
  }
  if (!thoughts_.empty()) {
    hand_over(take);
    thoughts_.clear();
  }
}

template <class T>
void ThoughtBatch<T>::take_steps(size_t live, int64_t steps) {
  const auto see = [&](const InfillStep<T>& step) {
    for (int64_t i = 0; i < step.logits.dim(0) && step.gradient_norm; ++i) {
      thoughts_[static_cast<size_t>(step.first_row + i)].gradient_norm =
          static_cast<double>(step.gradient_norm[i]);
    }
    if (observe_) {
      report(step);
    }
  };
  const bool sees = observe_ || options_.select == ThoughtChoice::kGradientNorm;
  const double passes = static_cast<double>(live) * static_cast<double>(steps);
  {
    const PartOfWork part(done_ / planned_, passes / planned_);
    model_.think(rows(live), steps, logits(live), sees ? InfillObserver<T>(see) : nullptr);
  }
  done_ += passes;
  for (size_t i = 0; i < live; ++i) {
    thoughts_[i].steps += steps;
  }
  if (compares()) {
    compare(live);
  }
}

template <class T>
void ThoughtBatch<T>::report(const InfillStep<T>& step) {
  const auto first = static_cast<size_t>(step.first_row);
  const int64_t count = step.logits.dim(0);
  find_probabilities(step.logits, probabilities_);
  kernels::softmax<T, T>().put_one_hot(count * length_, vocab_, at(given_, first, length_),
                                       probabilities_.data());
  find_leading(count, probabilities_, leading_);
  for (int64_t i = 0; i < count; ++i) {
    const auto place = static_cast<size_t>(i);
    const Thought& thought = thoughts_[first + place];
    observe_({thought.row,
              thought.index,
              thought.steps + step.step,
              step.energy ? static_cast<double>(step.energy[i]) : 0,
              {at(leading_, place, length_), {length_}},
              {at(probabilities_, place, size()), {length_, vocab_}}});
  }
}

// What the last step changed.
template <class T>
void ThoughtBatch<T>::compare(size_t live) {
  find_leading(static_cast<int64_t>(live), before_, leading_before_);
  find_probabilities(logits(live), probabilities_);
  find_leading(static_cast<int64_t>(live), probabilities_, leading_);
  for (size_t i = 0; i < live; ++i) {
    Thought& thought = thoughts_[i];
    bool same = true;
    thought.last_change = 0;
    for (int64_t token = 0; token < length_; ++token) {
      if (at(known_, i, length_)[token] != 0) {
        continue;
      }
      same = same && at(leading_, i, length_)[token] == at(leading_before_, i, length_)[token];
      for (int64_t j = token * vocab_; j < (token + 1) * vocab_; ++j) {
        const T change = at(probabilities_, i, size())[j] - at(before_, i, size())[j];
        thought.last_change = std::max(thought.last_change, static_cast<double>(std::abs(change)));
      }
    }
    const bool calm = same && thought.last_change <= options_.stop_change;
    thought.calm_steps = calm ? thought.calm_steps + 1 : 0;
  }
  std::swap(before_, probabilities_);
}

template <class T>
void ThoughtBatch<T>::swap_thoughts(size_t i, size_t j) {
  const auto swap = [&](auto& values, int64_t width) {
    std::swap_ranges(at(values, i, width), at(values, i + 1, width), at(values, j, width));
  };
  if (i == j) {
    return;
  }
  std::swap(thoughts_[i], thoughts_[j]);
  swap(tokens_, length_);
  swap(given_, length_);
  swap(known_, length_);
  swap(logits_, size());
  if (compares()) {
    swap(before_, size());
  }
}

template <class T>
void ThoughtBatch<T>::hand_over(const Taker& take) {
  const size_t count = thoughts_.size();
  find_probabilities(logits(count), probabilities_);
  find_leading(static_cast<int64_t>(count), probabilities_, leading_);
  for (size_t i = 0; i < leading_.size(); ++i) {
    tokens_[i] = given_[i] >= 0 ? given_[i] : leading_[i];
  }
  if (has_energy_) {
    const PartOfWork part(done_ / planned_, 0);
    model_.score(rows(count), {energies_.data(), {static_cast<int64_t>(count)}});
  }
  for (size_t i = 0; i < count; ++i) {
    ThoughtResult result;
    result.answer.assign(at(tokens_, i, length_), at(tokens_, i + 1, length_));
    result.energy = has_energy_ ? static_cast<double>(energies_[i]) : 0;
    result.confidence = -mean_surprise(i);
    result.steps = thoughts_[i].steps;
    result.cost = cost_of(i, result);
    check_prediction(std::isfinite(result.confidence) && std::isfinite(result.energy));
    take(thoughts_[i], std::move(result), {at(logits_, i, size()), {length_, vocab_}});
  }
}

template <class T>
double ThoughtBatch<T>::cost_of(size_t place, const ThoughtResult& result) {
  switch (options_.select) {
    case ThoughtChoice::kAuto:
    case ThoughtChoice::kEnergy:
      break;
    case ThoughtChoice::kGradientNorm:
      return thoughts_[place].gradient_norm;
    case ThoughtChoice::kLastChange:
      return thoughts_[place].last_change;
    case ThoughtChoice::kConfidence:
      return -result.confidence;
  }
  return result.energy;
}

// Mean of -log of the leading probability over the unknown tokens, in nats.
template <class T>
double ThoughtBatch<T>::mean_surprise(size_t place) {
  double total = 0;
  int64_t unknown = 0;
  for (int64_t token = 0; token < length_; ++token) {
    if (at(known_, place, length_)[token] == 0) {
      const int64_t leads = token * vocab_ + at(leading_, place, length_)[token];
      total -= std::log(static_cast<double>(at(probabilities_, place, size())[leads]));
      ++unknown;
    }
  }
  return total / static_cast<double>(std::max<int64_t>(unknown, 1));
}

template class ThoughtBatch<float>;
template class ThoughtBatch<double>;

}  // namespace ebt
