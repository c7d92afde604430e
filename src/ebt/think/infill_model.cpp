// The makers behind model/infill_model.h: they know all architectures.
#include "ebt/model/infill_model.h"

#include "ebt/think/infill_ebt.h"
#include "ebt/think/infill_looped.h"
#include "ebt/think/initial_weights.h"

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

template <class T>
void initialize_weights(InfillModel<T>& model, const InfillThinkingConfig& thinking,
                        uint64_t seed) {
  initialize_as_published(model, EbtType::kDefault, thinking.step_size, seed,
                          {"vocab_to_embed", "known", "axes"});
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
