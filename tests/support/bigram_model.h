// A text model small enough to be obviously right, for tests of what trains and uses models.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <vector>

#include "ebt/kernels/rng.h"
#include "ebt/model/text_model.h"

namespace ebt::testing {

// Two "thinking steps", whose losses are those of the initial logits z and of
// y = z + alpha * table[input]; the loss of y alone is learned. "Energies" are these losses plus 1.
// Initial logits are drawn per row, like those of the real models.
template <class T>
class BigramModel : public TextModel<T> {
 public:
  explicit BigramModel(const TextModelConfig& config) : config_(config) {
    layout_.add("alpha", {}, false);
    layout_.add("table", {config.vocab_size, config.vocab_size});
    weights_ = ParameterBlock<T>(layout_);
    gradients_ = ParameterBlock<T>(layout_);
    weights_.tensor("alpha")[0] = T{0.5};
  }

  // Training steps whose loss, or whose gradient, is not a number.
  std::set<uint64_t> steps_of_bad_loss;
  std::set<uint64_t> steps_of_bad_gradient;
  // The most rows that one call was given.
  int64_t most_rows = 0;
  // Rows that started from given logits, in all.
  int64_t replayed_rows = 0;

  const TextModelConfig& config() const override { return config_; }
  const ParameterLayout& layout() const override { return layout_; }
  const ParameterBlock<T>& weights() const override { return weights_; }
  ParameterBlock<T>& edit_weights() override { return weights_; }
  ParameterBlock<T>& gradients() override { return gradients_; }

  LossSums train(const TrainingRows<T>& rows, uint64_t seed, uint64_t training_step) override {
    std::vector<T> logits(static_cast<size_t>(rows.inputs.count() * config_.vocab_size));
    const RandomStream noise{seed, RandomPurpose::kInitialPrediction, training_step};
    if (rows.initial_logits) {
      std::copy(rows.initial_logits.begin(), rows.initial_logits.end(), logits.begin());
      replayed_rows += rows.inputs.dim(0);
    } else {
      draw(noise, rows.first_row, logits);
    }
    LossSums sums = think(rows.inputs, rows.targets, logits, rows.inverse_token_count);
    if (rows.final_logits) {
      std::copy(logits.begin(), logits.end(), rows.final_logits.begin());
    }
    if (steps_of_bad_loss.contains(training_step)) {
      sums.objective = std::numeric_limits<double>::infinity();
    }
    if (steps_of_bad_gradient.contains(training_step)) {
      gradients_.all()[7] = std::numeric_limits<T>::quiet_NaN();
    }
    return sums;
  }

  LossSums evaluate(Tensor<const int32_t> inputs, Tensor<const int32_t> targets,
                    const PassOptions& options) override {
    std::vector<T> logits(static_cast<size_t>(inputs.count() * config_.vocab_size));
    draw({options.seed, RandomPurpose::kInitialPrediction, 0}, options.first_row, logits);
    return think(inputs, targets, logits, 0);
  }

 private:
  const T* table_row(int32_t token) const {
    return weights_.tensor("table").data + token * config_.vocab_size;
  }

  void draw(const RandomStream& stream, int64_t first_row, std::vector<T>& logits) const {
    const auto first = static_cast<uint64_t>(first_row * config_.context * config_.vocab_size);
    stream.normal(first, Tensor<T>{logits.data(), {static_cast<int64_t>(logits.size())}},
                  static_cast<T>(0.1));
  }

  // -log softmax(logits)[target], and the probabilities.
  double cross_entropy(const T* logits, int32_t target, std::vector<double>& p) const {
    const auto vocab_size = static_cast<size_t>(config_.vocab_size);
    const auto largest = static_cast<double>(*std::max_element(logits, logits + vocab_size));
    double total = 0;
    for (size_t v = 0; v < vocab_size; ++v) {
      p[v] = std::exp(static_cast<double>(logits[v]) - largest);
      total += p[v];
    }
    for (double& probability : p) {
      probability /= total;
    }
    return -std::log(p[static_cast<size_t>(target)]);
  }

  LossSums think(Tensor<const int32_t> inputs, Tensor<const int32_t> targets,
                 std::vector<T>& logits, double gradient_scale) {
    most_rows = std::max(most_rows, inputs.dim(0));
    LossSums sums;
    sums.losses.assign(2, 0);
    sums.energies.assign(2, 0);
    const T alpha = weights_.tensor("alpha")[0];
    std::vector<double> p(static_cast<size_t>(config_.vocab_size));
    for (int64_t i = 0; i < inputs.count(); ++i) {
      if (targets[i] == kIgnoredTarget) {
        continue;
      }
      T* const y = logits.data() + i * config_.vocab_size;
      const T* const row = table_row(inputs[i]);
      const double before = cross_entropy(y, targets[i], p);
      for (int64_t v = 0; v < config_.vocab_size; ++v) {
        y[v] += alpha * row[v];
      }
      const double after = cross_entropy(y, targets[i], p);
      T* const table_bar = gradients_.tensor("table").data + inputs[i] * config_.vocab_size;
      for (int64_t v = 0; v < config_.vocab_size; ++v) {
        const double y_bar =
            (p[static_cast<size_t>(v)] - (v == targets[i] ? 1.0 : 0.0)) * gradient_scale;
        table_bar[v] += static_cast<T>(y_bar * static_cast<double>(alpha));
        gradients_.tensor("alpha")[0] += static_cast<T>(y_bar * static_cast<double>(row[v]));
      }
      sums.objective += after;
      sums.losses[0] += before;
      sums.losses[1] += after;
      sums.energies[0] += before + 1;
      sums.energies[1] += after + 1;
      ++sums.count;
    }
    return sums;
  }

  TextModelConfig config_;
  ParameterLayout layout_;
  ParameterBlock<T> weights_;
  ParameterBlock<T> gradients_;
};

}  // namespace ebt::testing
