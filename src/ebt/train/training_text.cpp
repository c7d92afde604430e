#include "ebt/train/training_text.h"

#include <utility>

#include "ebt/data/examples.h"
#include "ebt/data/token_corpus.h"
#include "ebt/data/windows.h"

namespace ebt {

TrainingText open_training_text(const DataConfig& data, int64_t context, uint64_t seed,
                                const Tokenizer& tokenizer) {
  TrainingText text;
  if (!data.prompt_field.empty()) {
    const ExampleSet examples = ExampleSet::open(data, data.prompt_field, tokenizer, context);
    const ExampleSet::Split split = examples.split(data.validation);
    text.training = std::make_unique<ExampleSeries>(split.training, seed);
    text.validation = std::make_unique<ExampleSet>(split.validation);
    text.training_tokens = split.training.target_count();
    text.epoch_rows = split.training.count();
    text.summary = examples.summary();
    return text;
  }
  const TokenCorpus corpus = TokenCorpus::open(data, tokenizer);
  const CorpusSplit split = corpus.split(data.validation, context);
  auto windows = std::make_unique<TrainingWindows>(split.training, context, seed);
  text.epoch_rows = windows->epoch_rows();
  text.training = std::move(windows);
  text.validation = std::make_unique<ValidationWindows>(split.validation, context);
  text.training_tokens = split.training.size();
  text.summary = corpus.summary();
  return text;
}

}  // namespace ebt
