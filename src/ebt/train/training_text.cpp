#include "ebt/train/training_text.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "ebt/data/text/examples.h"
#include "ebt/data/text/token_corpus.h"
#include "ebt/data/text/windows.h"
#include "ebt/io/checksum.h"

namespace ebt {
namespace {

void add_tokens(const TokenSequence& tokens, Checksum& checksum) {
  constexpr int64_t kAtATime = 1 << 20;
  std::vector<int32_t> part;
  checksum.add(static_cast<uint64_t>(tokens.size()));
  for (int64_t first = 0; first < tokens.size(); first += kAtATime) {
    part.resize(static_cast<size_t>(std::min(kAtATime, tokens.size() - first)));
    tokens.copy_tokens(first, static_cast<int64_t>(part.size()), part.data());
    for (const int32_t token : part) {
      checksum.add(static_cast<uint64_t>(token));
    }
  }
}

void add_examples(const ExampleSet& examples, Checksum& checksum) {
  checksum.add(static_cast<uint64_t>(examples.count()));
  for (int64_t row = 0; row < examples.count(); ++row) {
    const Example example = examples.example(row);
    checksum.add(static_cast<uint64_t>(example.answer_from));
    checksum.add(std::as_bytes(std::span(example.tokens)));
  }
}

}  // namespace

TrainingText open_training_text(const TextDataConfig& data, int64_t context, uint64_t seed,
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
    Checksum checksum;
    add_examples(split.training, checksum);
    add_examples(split.validation, checksum);
    text.fingerprint = checksum.value();
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
  Checksum checksum;
  add_tokens(split.training, checksum);
  add_tokens(split.validation, checksum);
  text.fingerprint = checksum.value();
  return text;
}

}  // namespace ebt
