// How weights start as the published models do: what is looked up N(0, 1), matrices Xavier-normal,
// norms at one, alpha at its step size. Of modulations biases start at zero and, for
// EbtType::kAdalnZero, all else too.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/kernels/rng.h"
#include "ebt/model/config.h"
#include "ebt/model/model.h"

namespace ebt {

// Of a model whose lookups have one of `looked_up` in their names.
template <class T, class Config>
void initialize_as_published(Model<T, Config>& model, EbtType type, double step_size, uint64_t seed,
                             const std::vector<std::string_view>& looked_up) {
  const std::vector<ParameterEntry>& entries = model.layout().entries();
  for (size_t i = 0; i < entries.size(); ++i) {
    const ParameterEntry& entry = entries[i];
    const Tensor<T> values = model.edit_weights().tensor(entry.name);
    const auto named = [&](std::string_view part) {
      return entry.name.find(part) != std::string::npos;
    };
    const RandomStream stream{seed, RandomPurpose::kInitialWeights, i};
    if (entry.name == kStepSizeName) {
      values[0] = static_cast<T>(step_size);
    } else if (named("adaLN") && (type == EbtType::kAdalnZero || entry.shape.rank() == 1)) {
      std::fill(values.begin(), values.end(), T(0));
    } else if (entry.shape.rank() == 1) {
      std::fill(values.begin(), values.end(), T(1));
    } else if (std::any_of(looked_up.begin(), looked_up.end(), named)) {
      stream.normal(0, values, T(1));
    } else {
      const auto fans = static_cast<double>(entry.shape[0] + entry.shape[1]);
      stream.normal(0, values, static_cast<T>(std::sqrt(2.0 / fans)));
    }
  }
}

}  // namespace ebt
