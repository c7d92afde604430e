// A linear probe: multinomial logistic regression of classes on features.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "ebt/core/tensor.h"

namespace ebt {

// Features and the classes they are of.
struct ProbeData {
  int64_t width = 0;             // D
  std::vector<float> features;   // (N, D)
  std::vector<int32_t> classes;  // (N) from 0

  int64_t count() const { return static_cast<int64_t>(classes.size()); }
};

struct ProbeOptions {
  double l2 = 1e-3;          // times half the squared weights (not biases), beside the mean loss
  int64_t iterations = 300;  // of L-BFGS, at most
};

// Called after every iteration with its number, counted from 1, and the objective.
using ProbeProgress = std::function<void(int64_t iteration, double objective)>;

class LinearProbe {
 public:
  // Fits weights to `data`: minimises the mean cross-entropy plus the L2 term over features that
  // are scaled to mean 0 and deviation 1 (those that never change are left out). The problem is
  // convex; it is solved by L-BFGS from zero until the gradient is 1e-4 of its first norm. Throws
  // Error when there are no data, or a feature is not finite. Does not depend on the number of
  // threads.
  LinearProbe(const ProbeData& data, int64_t classes, const ProbeOptions& options,
              const ProbeProgress& on_iteration);

  int64_t iterations() const { return iterations_; }
  double objective() const { return objective_; }

  struct Score {
    double top1 = 0;  // share whose class is the likeliest, the lowest of equals
    double top5 = 0;  // ... among the five likeliest
    double loss = 0;  // mean cross-entropy, nats
  };
  // Both throw Error when the features are of another width.
  Score score(const ProbeData& data) const;
  std::vector<float> logits(const ProbeData& data) const;  // (N, classes)

 private:
  std::vector<float> scaled(const ProbeData& data) const;

  int64_t width_;
  int64_t classes_;
  std::vector<double> mean_;
  std::vector<double> scale_;   // 1 / deviation, or 0
  std::vector<float> weights_;  // (classes, D), then (classes) of biases
  int64_t iterations_ = 0;
  double objective_ = 0;
};

}  // namespace ebt
