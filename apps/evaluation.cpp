#include "evaluation.h"

#include <cmath>
#include <numbers>
#include <system_error>

#include "ebt/core/printable.h"
#include "ebt/data/text/examples.h"
#include "ebt/data/text/token_corpus.h"
#include "ebt/data/text/windows.h"
#include "ebt/eval/tasks.h"
#include "ebt/io/byte_stream.h"
#include "ebt/train/run_config.h"
#include "ebt/train/training_text.h"

namespace ebt {

void check_names_model(const std::string& folder) {
  EBT_CHECK(!folder.empty(), "--model is missing: name the folder of a trained model");
}

TextTrainConfig open_config(const std::string& folder) {
  check_names_model(folder);
  return load_config<TextTrainConfig>(folder);
}

SelectedText select_text(const TextSelection& selection, const TextTrainConfig& config,
                         const Tokenizer& tokenizer) {
  const bool of_training = selection.data.empty();
  const std::string split =
      selection.split.empty() ? (of_training ? "validation" : "all") : selection.split;
  EBT_CHECK(split == "all" || split == "validation", "--split must be all or validation, not '{}'",
            split);
  TextDataConfig data = config.data;
  if (!of_training) {
    static_cast<TextSource&>(data) = selection;
    data.prompt_field = selection.prompt_field;
    data.check();
  }
  EBT_CHECK(
      split == "all" || data.validation > 0,
      "the model was trained on the whole of its text (validation 0): name another with --data");
  const std::string name =
      data.data.empty() ? "the CMake manual" : printable(source_name(data.data));
  SelectedText text;
  text.name = split == "all" ? name : "the validation part of " + name;
  text.has_answers = !data.prompt_field.empty();
  if (split == "validation") {
    text.rows =
        open_training_text(data, config.model.context, config.run.seed, tokenizer).validation;
  } else if (text.has_answers) {
    text.rows = std::make_shared<ExampleSet>(
        ExampleSet::open(data, data.prompt_field, tokenizer, config.model.context));
  } else {
    text.rows = std::make_shared<ValidationWindows>(TokenCorpus::open(data, tokenizer).tokens(),
                                                    config.model.context);
  }
  return text;
}

std::unique_ptr<Task> task_of(const SelectedText& text, std::shared_ptr<const Tokenizer> tokenizer,
                              int64_t examples) {
  const auto make_task = text.has_answers ? answer_task : text_task;
  return make_task(std::move(tokenizer), text.rows, text.name, examples);
}

void check_counts(std::initializer_list<FlagCount> counts) {
  for (const FlagCount& count : counts) {
    EBT_CHECK(count.value >= count.least, "--{} must be at least {}, not {}", count.name,
              count.least, count.value);
  }
}

std::vector<EvaluationRow> evaluation_rows(const TextLosses& measured) {
  const std::vector<double> losses = measured.mean_losses();
  const std::vector<double> energies = measured.mean_energies();
  const double tokens_per_byte =
      static_cast<double>(measured.count) / static_cast<double>(measured.bytes);
  std::vector<EvaluationRow> rows;
  for (size_t step = 0; step < losses.size(); ++step) {
    EvaluationRow row;
    row.thinking_steps = static_cast<int64_t>(step) + 1;
    row.loss = losses[step];
    row.perplexity = std::exp(losses[step]);
    row.bits_per_byte = losses[step] / std::numbers::ln2 * tokens_per_byte;
    if (step < energies.size()) {
      row.energy = energies[step];
    }
    rows.push_back(row);
  }
  return rows;
}

}  // namespace ebt
