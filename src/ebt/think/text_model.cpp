// The makers behind model/text_model.h: they know both architectures.
#include "ebt/model/text_model.h"

#include <utility>

#include "ebt/model/sequence_weights.h"
#include "ebt/model/transformer_pp.h"
#include "ebt/think/initial_weights.h"
#include "ebt/think/step_size.h"
#include "ebt/think/text_ebt.h"

namespace ebt {

namespace {

void check(const TextModelConfig& model, const TextThinkingConfig& thinking) {
  model.check();
  if (model.arch == Architecture::kEbt) {
    thinking.check();
  }
}

}  // namespace

template <class T>
size_t model_bytes(const TextModelConfig& model, const TextThinkingConfig& thinking, int64_t rows,
                   int64_t context, const EngineOptions& options) {
  check(model, thinking);
  return with_stored_type<T>(options.precision, [&]<class S>() {
    if (model.arch == Architecture::kTransformerPp) {
      return TransformerPp<T, S>::bytes(model, options) +
             TransformerPp<T, S>::workspace_bytes(model, rows, context, options);
    }
    return TextEbt<T, S>::bytes(model, options) +
           TextEbt<T, S>::workspace_bytes(model, thinking, rows, context, options);
  });
}

template <class T>
std::unique_ptr<TextModel<T>> make_text_model(const TextModelConfig& model,
                                              const TextThinkingConfig& thinking, int64_t rows,
                                              int64_t context, const EngineOptions& options) {
  check(model, thinking);
  return with_stored_type<T>(options.precision, [&]<class S>() -> std::unique_ptr<TextModel<T>> {
    if (model.arch == Architecture::kTransformerPp) {
      return std::make_unique<TransformerPp<T, S>>(model, rows, context, options);
    }
    return std::make_unique<TextEbt<T, S>>(model, thinking, rows, context, options);
  });
}

// Design choices of ours depart from the published start in think/step_size.h alone.
template <class T>
void initialize_weights(TextModel<T>& model, const TextThinkingConfig& thinking, uint64_t seed) {
  initialize_as_published(model, model.config().type, initial_step_size(model.config(), thinking),
                          seed, {"embeddings"});
}

#define EBT_INSTANTIATE(T)                                                                        \
  template size_t model_bytes<T>(const TextModelConfig&, const TextThinkingConfig&, int64_t,      \
                                 int64_t, const EngineOptions&);                                  \
  template std::unique_ptr<TextModel<T>> make_text_model<T>(                                      \
      const TextModelConfig&, const TextThinkingConfig&, int64_t, int64_t, const EngineOptions&); \
  template void initialize_weights<T>(TextModel<T>&, const TextThinkingConfig&, uint64_t);
EBT_INSTANTIATE(float)
EBT_INSTANTIATE(double)
#undef EBT_INSTANTIATE

}  // namespace ebt
