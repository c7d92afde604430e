// Small training runs of a bigram model, and what they leave behind.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/io/file.h"
#include "ebt/train/text_task.h"
#include "tests/support/bigram_model.h"
#include "tests/support/temporary_folder.h"

namespace ebt::testing {

template <class T = float>
typename TextTrainer<T>::ModelFactory bigram_factory() {
  return
      [](const TextTrainConfig& config) { return std::make_unique<BigramModel<T>>(config.model); };
}

// 20 steps of 6 rows on a text without separators, with a validation and a checkpoint every 10 and
// on one thread, in a folder `name` beside the text.
inline TextTrainConfig small_run(const TemporaryFolder& folder, const std::string& name) {
  std::string text;
  for (int i = 0; i < 120; ++i) {
    text += "line " + std::to_string(i * i % 97) + " of the text;\n";
  }
  TextTrainConfig config;
  config.model.context = 8;
  config.data.data = folder.write("text.txt", text);
  config.optimizer.learning_rate = 0.02;
  config.run.steps = 20;
  config.run.batch = 6;
  config.run.seed = 11;
  config.run.threads = 1;
  config.run.validate_every = 10;
  config.run.checkpoint_every = 10;
  config.run.out = folder.file(name);
  return config;
}

template <class Task>
std::vector<typename Task::Scalar> weights_of(Trainer<Task>& trainer) {
  const auto all = trainer.model().weights().all();
  return {all.begin(), all.end()};
}

// The lines of a run's metrics.jsonl, without what the clock measured.
inline std::vector<std::string> metrics_without_clock(const std::filesystem::path& folder) {
  const std::string text = read_text_file(folder / kMetricsFile, 10'000'000);
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    Json line = Json::parse(text.substr(begin, end - begin));
    line.erase("seconds");
    line.erase("tokens_per_second");
    line.erase("images_per_second");
    lines.push_back(line.dump());
    begin = end + 1;
  }
  return lines;
}

}  // namespace ebt::testing
