// The makers behind model/infill_model.h: they know all architectures.
#include "ebt/model/infill_model.h"

#include <algorithm>
#include <cmath>

#include "ebt/kernels/rng.h"
#include "ebt/think/infill_ebt.h"
#include "ebt/think/infill_looped.h"

namespace ebt {

template <class T>
size_t infill_model_bytes(const InfillModelConfig& model, const InfillThinkingConfig& thinking,
                          int64_t rows, const EngineOptions& options) {
  model.check();
  thinking.check();
  return with_stored_type<T>(options.precision, [&]<class S>() {
    if (model.arch != InfillArchitecture::kEbt) {
      return InfillLooped<T, S>::bytes(model, options) +
             InfillLooped<T, S>::workspace_bytes(model, thinking, rows, options);
    }
    return InfillEbt<T, S>::bytes(model, options) +
           InfillEbt<T, S>::workspace_bytes(model, thinking, rows, options);
  });
}

template <class T>
std::unique_ptr<InfillModel<T>> make_infill_model(const InfillModelConfig& model,
                                                  const InfillThinkingConfig& thinking,
                                                  int64_t rows, const EngineOptions& options) {
  model.check();
  thinking.check();
  return with_stored_type<T>(options.precision, [&]<class S>() -> std::unique_ptr<InfillModel<T>> {
    if (model.arch != InfillArchitecture::kEbt) {
      return std::make_unique<InfillLooped<T, S>>(model, thinking, rows, options);
    }
    return std::make_unique<InfillEbt<T, S>>(model, thinking, rows, options);
  });
}

// As the reference starts: what is looked up N(0, 1), matrices Xavier-normal, norms at one.
template <class T>
void initialize_weights(InfillModel<T>& model, const InfillThinkingConfig& thinking,
                        uint64_t seed) {
  const std::vector<ParameterEntry>& entries = model.layout().entries();
  for (size_t i = 0; i < entries.size(); ++i) {
    const ParameterEntry& entry = entries[i];
    const Tensor<T> values = model.edit_weights().tensor(entry.name);
    const auto named = [&](const char* part) { return entry.name.find(part) != std::string::npos; };
    const RandomStream stream{seed, RandomPurpose::kInitialWeights, i};
    if (entry.name == kStepSizeName) {
      values[0] = static_cast<T>(thinking.step_size);
    } else if (entry.shape.rank() == 1) {
      std::fill(values.begin(), values.end(), T(1));
    } else if (named("vocab_to_embed") || named("known") || named("axes")) {
      stream.normal(0, values, T(1));
    } else {
      const auto fans = static_cast<double>(entry.shape[0] + entry.shape[1]);
      stream.normal(0, values, static_cast<T>(std::sqrt(2.0 / fans)));
    }
  }
}

#define EBT_INSTANTIATE(T)                                                                     \
  template size_t infill_model_bytes<T>(const InfillModelConfig&, const InfillThinkingConfig&, \
                                        int64_t, const EngineOptions&);                        \
  template std::unique_ptr<InfillModel<T>> make_infill_model<T>(                               \
      const InfillModelConfig&, const InfillThinkingConfig&, int64_t, const EngineOptions&);   \
  template void initialize_weights<T>(InfillModel<T>&, const InfillThinkingConfig&, uint64_t);
EBT_INSTANTIATE(float)
EBT_INSTANTIATE(double)
#undef EBT_INSTANTIATE

}  // namespace ebt
