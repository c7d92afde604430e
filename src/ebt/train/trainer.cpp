#include "ebt/train/trainer.h"

#include <algorithm>
#include <utility>

#include "ebt/core/threads.h"
#include "ebt/data/text/prepared_data.h"
#include "ebt/data/tokenizer/tokenizer.h"
#include "ebt/io/folder.h"
#include "ebt/model/model_folder.h"
#include "ebt/train/base_model.h"
#include "ebt/train/run_config.h"

namespace ebt {
namespace {

// Targets that carry loss in the first `rows` rows.
int64_t count_targets(const Batch& batch, int64_t rows) {
  const auto end = batch.targets.begin() + rows * batch.context;
  return std::count_if(batch.targets.begin(), end,
                       [](int32_t target) { return target != kIgnoredTarget; });
}

std::vector<double> means(std::vector<double> sums, int64_t count) {
  for (double& sum : sums) {
    sum /= static_cast<double>(count);
  }
  return sums;
}

// Replayed rows join a batch at half its size.
int64_t replayed_rows_of(const TrainConfig& config) {
  return config.thinking.replay_rows > 0 ? config.run.batch / 2 : 0;
}

// Throws Error when the text that was found is not that of the folder's checkpoint.
void check_same_text(const TrainingProgress& found, const TrainingProgress& stored,
                     const std::filesystem::path& folder) {
  EBT_CHECK(found.training_tokens == stored.training_tokens,
            "the training text has {} tokens, but '{}' was trained on one of {}: it is no longer "
            "the same text",
            found.training_tokens, folder.string(), stored.training_tokens);
  EBT_CHECK(
      found.text_fingerprint == stored.text_fingerprint,
      "the text is as long as the one that '{}' was trained on, but reads otherwise: it is no "
      "longer the same text",
      folder.string());
}

}  // namespace

template <class T>
std::unique_ptr<TextModel<T>> make_training_model(const TrainConfig& config) {
  const ModelConfig& model = config.model;
  auto made = make_text_model<T>(model, config.thinking, config.run.micro_batch, model.context,
                                 engine_options<T>(config));
  initialize_weights(*made, config.thinking, config.run.seed);
  return made;
}

template <class T>
Trainer<T> Trainer<T>::start(const TrainConfig& config, const ModelFactory<T>& make_model) {
  TrainConfig wanted = config;
  const std::string tokenizer_path = chosen_tokenizer(config.data.tokenizer, config.data.data);
  const auto tokenizer = open_tokenizer(tokenizer_path, config.data.end_of_text);
  wanted.model.vocab_size = config.run.from.empty() ? tokenizer->vocabulary_size()
                                                    : base_vocabulary_size(config, *tokenizer);
  wanted.check();
  check_holds_no_model(wanted.run);
  TrainConfig resolved = wanted.resolved();
  resolved.data.tokenizer = tokenizer->name();
  Trainer trainer(make_parts(resolved, *tokenizer, make_model, wanted.run.micro_batch == 0));
  trainer.load_base();
  make_folder(trainer.config_.run.out);
  copy_tokenizer(tokenizer_path, *tokenizer, trainer.config_.run.out);
  save_config(trainer.config_.run.out, trainer.config_);
  trainer.checkpoint().save(trainer.config_.run.out);
  return trainer;
}

template <class T>
Trainer<T> Trainer<T>::resume(const std::filesystem::path& folder, const RunChanges& changes,
                              const ModelFactory<T>& make_model) {
  TrainConfig stored = load_config(folder);
  changes.apply_to(stored.run, stored.data.data);
  TrainConfig config = stored;
  config.run.out = folder.string();
  config.run.threads = changes.threads.value_or(config.run.threads);
  config.check();
  Trainer trainer(make_parts(config.resolved(), *load_tokenizer(folder), make_model, false));
  const bool begun = has_model(folder);
  if (begun) {
    const TrainingProgress found = trainer.progress();
    trainer.checkpoint().load(folder);
    check_same_text(found, trainer.progress(), folder);
    check_steps_left(config.run, trainer.progress().step);
  } else {
    trainer.load_base();
  }
  if (changes.change_config()) {
    save_config(folder, stored);
  }
  if (!begun) {
    trainer.checkpoint().save(folder);
  }
  return trainer;
}

template <class T>
typename Trainer<T>::Parts Trainer<T>::make_parts(TrainConfig config, const Tokenizer& tokenizer,
                                                  const ModelFactory<T>& make_model,
                                                  bool choose_micro_batch) {
  use_threads(config.run.threads);
  TrainingText text =
      open_training_text(config.data, config.model.context, config.run.seed, tokenizer);
  const auto plan_for = [&](int64_t rows) {
    config.run.micro_batch = rows;
    return plan_memory<T>(config, text.training->order_bytes());
  };
  const MemoryPlan plan = choose_micro_batch ? largest_fitting(config.run.batch, plan_for)
                                             : plan_for(config.run.micro_batch);
  plan.check_fits(fmt::format(
      "micro-batch ({}), context ({}), replay-rows ({}) or the size of the model, or set recompute",
      plan.micro_batch, config.model.context, config.thinking.replay_rows));
  std::unique_ptr<TextModel<T>> model = make_model(config);
  resolve_step_size(*model, config.thinking);
  return {std::move(config), std::move(text), plan, std::move(model)};
}

template <class T>
Trainer<T>::Trainer(Parts parts)
    : config_(std::move(parts.config)),
      plan_(parts.plan),
      model_(std::move(parts.model)),
      text_(std::move(parts.text)),
      loop_(model_->layout(), config_.optimizer, step_size_rate(config_.thinking), config_.run),
      replay_(config_.thinking.replay_rows, config_.model.context, config_.model.vocab_size) {
  loop_.progress().training_tokens = text_.training_tokens;
  loop_.progress().text_fingerprint = text_.fingerprint;
  if (config_.thinking.replay_rows > 0) {
    fresh_.resize(config_.run.batch, config_.model.context, config_.model.vocab_size);
    replayed_.resize(replayed_rows_of(config_), config_.model.context, config_.model.vocab_size);
  }
}

template <class T>
void Trainer<T>::load_base() {
  load_base_weights(config_, model_->weights());
  resolve_step_size(*model_, config_.thinking);
}

template <class T>
bool Trainer<T>::run(const TrainingObserver& observer) {
  RunParts<StepReport, ValidationReport> parts;
  parts.take_step = [this] { return take_step(); };
  if (text_.validation->count() > 0) {
    parts.validate = [this] { return validate(); };
  }
  parts.save = [this] { checkpoint().save(config_.run.out); };
  return loop_.run(parts, observer);
}

template <class T>
StepReport Trainer<T>::take_step() {
  const StopWatch watch;
  const int64_t batch = config_.run.batch;
  const int64_t step = progress().step;
  text_.training->fill(fresh_.text, step * batch, batch);
  const RandomStream stream{config_.run.seed, RandomPurpose::kReplay, static_cast<uint64_t>(step)};
  const int64_t replayed = replay_.draw(stream, replayed_.text.rows, replayed_);
  const int64_t target_count =
      count_targets(fresh_.text, batch) + count_targets(replayed_.text, replayed);
  const double inverse_token_count = 1.0 / static_cast<double>(target_count);

  const Tensor<T> gradients = model_->gradients().all();
  std::fill(gradients.begin(), gradients.end(), T{0});
  const LossSums fresh_sums = add_gradients(fresh_, batch, false, inverse_token_count);
  const LossSums replayed_sums = add_gradients(replayed_, replayed, true, inverse_token_count);

  StepReport report;
  report.loss = (fresh_sums.objective + replayed_sums.objective) * inverse_token_count;
  loop_.learn(model_->weights(), model_->gradients(), report);
  if (!report.skipped) {
    replay_.push(fresh_);
  }

  report.step_losses = means(fresh_sums.losses, fresh_sums.count);
  report.energies = means(fresh_sums.energies, fresh_sums.count);
  report.nats_per_byte = fresh_sums.losses.back() / static_cast<double>(fresh_.text.target_bytes);
  report.tokens = fresh_sums.count;
  report.seconds = watch.seconds();
  report.tokens_per_second = static_cast<double>(report.tokens) / report.seconds;
  return report;
}

template <class T>
LossSums Trainer<T>::add_gradients(ThoughtRows<T>& rows, int64_t count, bool replayed,
                                   double inverse_token_count) {
  const int64_t before = replayed ? config_.run.batch : 0;
  const auto all = static_cast<double>(config_.run.batch + replayed_.text.rows);
  LossSums sums;
  for (int64_t first = 0; first < count; first += config_.run.micro_batch) {
    const int64_t part_count = std::min(config_.run.micro_batch, count - first);
    const PartOfWork work(static_cast<double>(before + first) / all,
                          static_cast<double>(part_count) / all);
    TrainingRows<T> part;
    part.inputs = rows.text.input_view().slice(first, part_count);
    part.targets = rows.text.target_view().slice(first, part_count);
    part.first_row = before + first;
    part.inverse_token_count = inverse_token_count;
    if (!rows.logits.empty()) {
      const Tensor<T> logits =
          Tensor<T>{rows.logits.data(),
                    {rows.text.rows, config_.model.context, config_.model.vocab_size}}
              .slice(first, part_count);
      if (replayed) {
        part.initial_logits = logits;
      } else {
        part.final_logits = logits;
      }
    }
    sums.add(model_->train(part, config_.run.seed, static_cast<uint64_t>(progress().step)));
    tell_share(1);
  }
  return sums;
}

template <class T>
ValidationReport Trainer<T>::validate() {
  const StopWatch watch;
  const PassOptions options{.seed = config_.run.seed};
  ValidationReport report;
  report.step = progress().step;
  report.evaluation = evaluate(*model_, *text_.validation, config_.run.micro_batch, options,
                               config_.run.validation_windows);
  report.seconds = watch.seconds();
  return report;
}

template std::unique_ptr<TextModel<float>> make_training_model(const TrainConfig&);
template std::unique_ptr<TextModel<double>> make_training_model(const TrainConfig&);
template class Trainer<float>;
template class Trainer<double>;

}  // namespace ebt
