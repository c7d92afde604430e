#include "ebt/train/trainer.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <system_error>
#include <utility>

#include "ebt/core/log.h"
#include "ebt/data/prepared_data.h"
#include "ebt/data/tokenizer.h"
#include "ebt/train/memory_plan.h"
#include "ebt/train/metrics_log.h"
#include "ebt/train/model_folder.h"

namespace ebt {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

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

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  EBT_CHECK(!error, "cannot make the folder '{}': {}", folder.string(), error.message());
}

// Replayed rows join a batch at half its size.
int64_t replayed_rows_of(const TrainConfig& config) {
  return config.thinking.replay_rows > 0 ? config.run.batch / 2 : 0;
}

std::vector<ParameterGroup> parameter_groups(const ThinkingConfig& thinking) {
  return {{kStepSizeName, thinking.step_size_learnable ? thinking.step_size_lr : 0.0}};
}

}  // namespace

template <class T>
std::unique_ptr<TextModel<T>> make_training_model(const TrainConfig& config) {
  const ModelConfig& model = config.model;
  const MemoryPlan plan = plan_memory<T>(config);
  EBT_CHECK(plan.fits(),
            "this run needs about {} of memory, and {} are available: lower micro-batch ({}), "
            "context ({}), replay-rows ({}) or the size of the model, or set recompute",
            format_bytes(plan.needed_bytes), format_bytes(*plan.available_bytes), plan.micro_batch,
            model.context, config.thinking.replay_rows);
  auto made = make_text_model<T>(model, config.thinking, plan.micro_batch, model.context,
                                 engine_options<T>(config));
  initialize_weights(*made, config.thinking, config.run.seed);
  return made;
}

template <class T>
Trainer<T> Trainer<T>::start(const TrainConfig& config, const ModelFactory<T>& make_model) {
  TrainConfig wanted = config;
  const std::string tokenizer_path = chosen_tokenizer(config.data.tokenizer, config.data.data);
  const auto tokenizer = open_tokenizer(tokenizer_path);
  wanted.model.vocab_size = tokenizer->vocabulary_size();
  wanted.check();
  EBT_CHECK(!has_model(wanted.run.out),
            "'{}' holds a model already: resume it, or choose another folder with --out",
            wanted.run.out);
  TrainConfig resolved = wanted.resolved();
  resolved.data.tokenizer = tokenizer->name();
  if (wanted.run.micro_batch == 0) {
    resolved.run.micro_batch = largest_fitting(wanted.run.batch, [&](int64_t rows) {
                                 resolved.run.micro_batch = rows;
                                 return plan_memory<T>(resolved);
                               }).micro_batch;
  }
  Trainer trainer(make_parts(resolved, *tokenizer, make_model));
  make_folder(trainer.config_.run.out);
  copy_tokenizer(tokenizer_path, *tokenizer, trainer.config_.run.out);
  save_config(trainer.config_.run.out, trainer.config_);
  trainer.checkpoint().save(trainer.config_.run.out);
  return trainer;
}

template <class T>
Trainer<T> Trainer<T>::resume(const std::filesystem::path& folder, std::optional<int64_t> threads,
                              const ModelFactory<T>& make_model) {
  TrainConfig config = load_config(folder);
  config.run.out = folder.string();
  config.run.threads = threads.value_or(config.run.threads);
  config.check();
  Trainer trainer(make_parts(config.resolved(), *load_tokenizer(folder), make_model));
  if (has_model(folder)) {
    const int64_t tokens = trainer.progress_.training_tokens;
    trainer.checkpoint().load(folder);
    EBT_CHECK(trainer.progress_.training_tokens == tokens,
              "the training text has {} tokens, but '{}' was trained on one of {}: it is no longer "
              "the same text",
              tokens, folder.string(), trainer.progress_.training_tokens);
  } else {
    trainer.checkpoint().save(folder);
  }
  return trainer;
}

template <class T>
typename Trainer<T>::Parts Trainer<T>::make_parts(TrainConfig config, const Tokenizer& tokenizer,
                                                  const ModelFactory<T>& make_model) {
  omp_set_num_threads(config.run.threads > 0 ? static_cast<int>(config.run.threads)
                                             : omp_get_num_procs());
  CorpusSplit text = TokenCorpus::open(config.data.data, config.data.text_field, tokenizer)
                         .split(config.data.validation, config.model.context);
  std::unique_ptr<TextModel<T>> model = make_model(config);
  if (model->layout().contains(kStepSizeName)) {
    constexpr double kPublishedStepSizeRate = 3.0;
    ThinkingConfig& thinking = config.thinking;
    thinking.step_size = static_cast<double>(model->weights().tensor(kStepSizeName)[0]);
    if (thinking.step_size_lr == 0) {
      thinking.step_size_lr = kPublishedStepSizeRate * thinking.step_size;
    }
  }
  return {std::move(config), std::move(text), std::move(model)};
}

template <class T>
Trainer<T>::Trainer(Parts parts)
    : config_(std::move(parts.config)),
      model_(std::move(parts.model)),
      training_(parts.text.training, config_.model.context, config_.run.seed),
      validation_(parts.text.validation, config_.model.context),
      optimizer_(model_->layout(), config_.optimizer, parameter_groups(config_.thinking)),
      schedule_{config_.optimizer.learning_rate, config_.optimizer.warmup_steps, config_.run.steps,
                config_.optimizer.final_fraction},
      replay_(config_.thinking.replay_rows, config_.model.context, config_.model.vocab_size) {
  progress_.training_tokens = parts.text.training.size();
  if (config_.thinking.replay_rows > 0) {
    fresh_.resize(config_.run.batch, config_.model.context, config_.model.vocab_size);
    replayed_.resize(replayed_rows_of(config_), config_.model.context, config_.model.vocab_size);
  }
}

template <class T>
void Trainer<T>::run(const TrainingObserver& observer) {
  const std::filesystem::path folder = config_.run.out;
  MetricsLog metrics(folder / kMetricsFile, progress_.step);
  const Clock::time_point start = Clock::now();
  const int64_t first_step = progress_.step;
  while (progress_.step < config_.run.steps) {
    StepReport report = take_step();
    const int64_t step = progress_.step;
    const bool last = step == config_.run.steps;
    report.seconds_left = seconds_since(start) / static_cast<double>(step - first_step) *
                          static_cast<double>(config_.run.steps - step);
    metrics.write(to_json(report));
    if (observer.on_step) {
      observer.on_step(report);
    }
    if (progress_.bad_steps >= config_.run.max_bad_steps) {
      fail_as_diverged();
    }
    if (validation_.count() > 0 && (last || step % config_.run.validate_every == 0)) {
      const ValidationReport validation = validate();
      metrics.write(to_json(validation));
      if (observer.on_validation) {
        observer.on_validation(validation);
      }
    }
    const bool stopped = observer.stop_requested && observer.stop_requested();
    // Weights whose last step was bad may be about to fail: the checkpoint before them is the good
    // one.
    const bool due = step % config_.run.checkpoint_every == 0 && progress_.bad_steps == 0;
    if (due || last || stopped) {
      metrics.sync();
      checkpoint().save(folder);
    }
    if (stopped) {
      return;
    }
  }
}

template <class T>
StepReport Trainer<T>::take_step() {
  const Clock::time_point start = Clock::now();
  const int64_t batch = config_.run.batch;
  const auto step = static_cast<uint64_t>(progress_.step);
  training_.fill(fresh_.text, progress_.step * batch, batch);
  const RandomStream stream{config_.run.seed, RandomPurpose::kReplay, step};
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
  report.gradient_norm = optimizer_.gradient_norm(model_->gradients());
  report.learning_rate = schedule_.at(progress_.step);
  report.skipped = !std::isfinite(report.loss) || !std::isfinite(report.gradient_norm);
  if (report.skipped) {
    ++progress_.bad_steps;
    ++progress_.skipped_steps;
  } else {
    progress_.bad_steps = 0;
    optimizer_.update(model_->weights(), model_->gradients(), report.learning_rate,
                      clip_scale(report.gradient_norm, config_.optimizer.clip_norm));
    replay_.push(fresh_);
  }
  ++progress_.step;

  report.step = progress_.step;
  report.steps = config_.run.steps;
  report.step_losses = means(fresh_sums.cross_entropy, fresh_sums.token_count);
  report.energies = means(fresh_sums.energy, fresh_sums.token_count);
  report.nats_per_byte =
      fresh_sums.cross_entropy.back() / static_cast<double>(fresh_.text.target_bytes);
  report.step_size = step_size();
  report.skipped_steps = progress_.skipped_steps;
  report.tokens = fresh_sums.token_count;
  report.seconds = seconds_since(start);
  report.tokens_per_second = static_cast<double>(report.tokens) / report.seconds;
  return report;
}

template <class T>
LossSums Trainer<T>::add_gradients(ThoughtRows<T>& rows, int64_t count, bool replayed,
                                   double inverse_token_count) {
  LossSums sums;
  for (int64_t first = 0; first < count; first += config_.run.micro_batch) {
    const int64_t part_count = std::min(config_.run.micro_batch, count - first);
    TrainingRows<T> part;
    part.inputs = rows.text.input_view().slice(first, part_count);
    part.targets = rows.text.target_view().slice(first, part_count);
    part.first_row = first + (replayed ? config_.run.batch : 0);
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
    sums.add(model_->train(part, config_.run.seed, static_cast<uint64_t>(progress_.step)));
  }
  return sums;
}

template <class T>
ValidationReport Trainer<T>::validate() {
  const Clock::time_point start = Clock::now();
  const PassOptions options{.seed = config_.run.seed};
  ValidationReport report;
  report.step = progress_.step;
  report.evaluation = evaluate(*model_, validation_, config_.run.micro_batch, options,
                               config_.run.validation_windows);
  report.seconds = seconds_since(start);
  return report;
}

template <class T>
std::optional<double> Trainer<T>::step_size() {
  if (!model_->layout().contains(kStepSizeName)) {
    return std::nullopt;
  }
  return static_cast<double>(model_->weights().tensor(kStepSizeName)[0]);
}

template <class T>
void Trainer<T>::fail_as_diverged() {
  const std::string cause =
      step_size().has_value()
          ? fmt::format(
                "the step size alpha ({:.4g}) is too large, or the learning rate ({:.4g}) too high",
                *step_size(), config_.optimizer.learning_rate)
          : fmt::format("the learning rate ({:.4g}) is too high", config_.optimizer.learning_rate);
  fail(
      "training stopped at step {} because loss or gradient were not finite {} steps in a row; "
      "probably {}; '{}' keeps the last good checkpoint",
      progress_.step, progress_.bad_steps, cause, config_.run.out);
}

template std::unique_ptr<TextModel<float>> make_training_model(const TrainConfig&);
template std::unique_ptr<TextModel<double>> make_training_model(const TrainConfig&);
template class Trainer<float>;
template class Trainer<double>;

}  // namespace ebt
