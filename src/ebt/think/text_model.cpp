// The makers behind model/text_model.h: they know both architectures.
#include "ebt/model/text_model.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "ebt/model/sequence_weights.h"
#include "ebt/model/transformer_pp.h"
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

// Embeddings and landscape tokens start N(0, 1), matrices Xavier-normal, norms at one, biases at
// zero: the published start, from which design choices of ours depart in think/step_size.h alone.
template <class T>
void initialize_weights(TextModel<T>& model, const TextThinkingConfig& thinking, uint64_t seed) {
  const TextModelConfig& config = model.config();
  const std::vector<ParameterEntry>& entries = model.layout().entries();
  for (size_t i = 0; i < entries.size(); ++i) {
    const ParameterEntry& entry = entries[i];
    const Tensor<T> values = model.edit_weights().tensor(entry.name);
    const auto named = [&](const char* part) { return entry.name.find(part) != std::string::npos; };
    const RandomStream stream{seed, RandomPurpose::kInitialWeights, i};
    if (named("adaLN") && (config.type == EbtType::kAdalnZero || entry.shape.rank() == 1)) {
      std::fill(values.begin(), values.end(), T(0));
    } else if (entry.shape.rank() == 1) {
      std::fill(values.begin(), values.end(), T(1));
    } else if (named("embeddings")) {
      stream.normal(0, values, T(1));
    } else if (entry.shape.rank() == 2) {
      const auto fans = static_cast<double>(entry.shape[0] + entry.shape[1]);
      stream.normal(0, values, static_cast<T>(std::sqrt(2.0 / fans)));
    } else {
      values[0] = static_cast<T>(initial_step_size(config, thinking));
    }
  }
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
