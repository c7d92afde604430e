#include "ebt/train/training_text.h"

#include "ebt/data/examples.h"
#include "ebt/data/token_corpus.h"
#include "ebt/data/windows.h"

namespace ebt {

TrainingText open_training_text(const DataConfig& data, int64_t context, uint64_t seed,
                                const Tokenizer& tokenizer) {
  TrainingText text;
  if (!data.prompt_field.empty()) {
    const ExampleSet::Split split =
        ExampleSet::open(data.data, data.prompt_field, data.text_field, tokenizer, context)
            .split(data.validation);
    text.training = std::make_unique<ExampleSeries>(split.training, seed);
    text.validation = std::make_unique<ExampleSet>(split.validation);
    text.training_tokens = split.training.target_count();
    return text;
  }
  const CorpusSplit split =
      TokenCorpus::open(data.data, data.text_field, tokenizer).split(data.validation, context);
  text.training = std::make_unique<TrainingWindows>(split.training, context, seed);
  text.validation = std::make_unique<ValidationWindows>(split.validation, context);
  text.training_tokens = split.training.size();
  return text;
}

}  // namespace ebt
