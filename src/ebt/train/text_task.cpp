#include "ebt/train/text_task.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "ebt/core/work_watch.h"
#include "ebt/data/text/prepared_data.h"
#include "ebt/model/model_folder.h"
#include "ebt/model/sequence_weights.h"
#include "ebt/think/chunk.h"

namespace ebt {
namespace {

// Targets that carry loss in the first `rows` rows.
int64_t count_targets(const Batch& batch, int64_t rows) {
  const auto end = batch.targets.begin() + rows * batch.context;
  return std::count_if(batch.targets.begin(), end,
                       [](int32_t target) { return target != kIgnoredTarget; });
}

// The tokens of the model of config.run.from, which a run from it keeps. Throws Error when its
// tokenizer has other tokens than `tokenizer`.
int64_t base_vocabulary_size(const TextTrainConfig& config, const Tokenizer& tokenizer) {
  const auto base = load_tokenizer(config.run.from);
  EBT_CHECK(vocabulary_of(*base)->fingerprint == vocabulary_of(tokenizer)->fingerprint,
            "--from: the model of '{}' knows the {} tokens of '{}', and this run's text is made of "
            "the {} of '{}'",
            config.run.from, base->vocabulary_size(), base->name(), tokenizer.vocabulary_size(),
            tokenizer.name());
  return load_config<TextTrainConfig>(config.run.from).model.vocab_size;
}

}  // namespace

template <class T>
typename TextTask<T>::Data TextTask<T>::begin(TextTrainConfig& config) {
  Data data;
  data.tokenizer_path = chosen_tokenizer(config.data.tokenizer, config.data.data);
  data.tokenizer = open_tokenizer(data.tokenizer_path, config.data.end_of_text);
  config.data.tokenizer = data.tokenizer->name();
  config.model.vocab_size = config.run.from.empty() ? data.tokenizer->vocabulary_size()
                                                    : base_vocabulary_size(config, *data.tokenizer);
  return data;
}

template <class T>
typename TextTask<T>::Data TextTask<T>::load(const std::filesystem::path& folder) {
  return {{}, load_tokenizer(folder), {}};
}

template <class T>
void TextTask<T>::open(const TextTrainConfig& config, Data& data) {
  data.text =
      open_training_text(config.data, config.model.context, config.run.seed, *data.tokenizer);
}

template <class T>
DataIdentity TextTask<T>::identity(const Data& data) {
  return {{"training_tokens", static_cast<uint64_t>(data.text.training_tokens)},
          {"text_fingerprint", data.text.fingerprint}};
}

template <class T>
std::string TextTask<T>::change_text(const Data& data, const DataIdentity& trained_on,
                                     const TextTrainConfig& /*config*/,
                                     const std::filesystem::path& folder) {
  const uint64_t size = identity(data).front().second;
  const uint64_t size_then = trained_on.front().second;
  return size != size_then
             ? fmt::format(
                   "the training text has {} tokens, but '{}' was trained on one of {}: it "
                   "is no longer the same text",
                   size, folder.string(), size_then)
             : fmt::format(
                   "the text is as long as the one that '{}' was trained on, but reads "
                   "otherwise: it is no longer the same text",
                   folder.string());
}

template <class T>
void TextTask<T>::save(const Data& data, const std::filesystem::path& folder) {
  copy_tokenizer(data.tokenizer_path, *data.tokenizer, folder);
}

template <class T>
size_t TextTask<T>::model_bytes(const TextTrainConfig& config) {
  return ebt::model_bytes<T>(config.model, config.thinking, config.run.micro_batch,
                             config.model.context, engine_options<T>(config.run));
}

template <class T>
double TextTask<T>::working_bytes(const TextTrainConfig& config) {
  const TextModelConfig& model = config.model;
  const int64_t batch = config.run.batch;
  const int64_t micro_batch = config.run.micro_batch;
  // The buffer's rows, and those of a batch on their way in and out.
  const int64_t replay_rows = config.thinking.replay_rows;
  const int64_t kept_rows = replay_rows > 0 ? replay_rows + batch + batch / 2 : 0;
  const auto context = static_cast<double>(model.context);
  const double logits = static_cast<double>(sizeof(T)) * static_cast<double>(kept_rows) * context *
                        static_cast<double>(model.vocab_size);
  const double tokens = 2.0 * sizeof(int32_t) * static_cast<double>(batch + kept_rows) * context;
  // Of the context, all rows at once, and of predictions, a chunk at a time.
  const int64_t positions = default_chunk_positions(model.vocab_size);
  const int64_t chunk_rows = std::clamp<int64_t>(positions / model.context, 1, micro_batch);
  const int64_t keys = model.context + model.lead();
  const double attention =
      std::max(attention_bytes(micro_batch * model.heads, model.context, keys, model.head_width()),
               attention_bytes(chunk_rows * model.heads, std::min(positions, model.context), keys,
                               model.head_width()));
  // Sums of grains that wait for others.
  const auto subtrees =
      static_cast<double>(std::countr_zero(static_cast<uint64_t>(config.run.grains)));
  const double sums = subtrees * sizeof(T) * static_cast<double>(text_model_layout(model).count());
  return logits + tokens + attention + sums +
         widened_bytes(config.run.precision, micro_batch * model.context, 2 * model.ffn_width());
}

template <class T>
std::string TextTask<T>::what_to_lower(const TextTrainConfig& config) {
  return fmt::format(
      "micro-batch ({}), context ({}), replay-rows ({}) or the size of the model, or set recompute",
      config.run.micro_batch, config.model.context, config.thinking.replay_rows);
}

template <class T>
std::unique_ptr<TextModel<T>> TextTask<T>::make_model(const TextTrainConfig& config) {
  auto made = make_text_model<T>(config.model, config.thinking, config.run.micro_batch,
                                 config.model.context, engine_options<T>(config.run));
  initialize_weights(*made, config.thinking, config.run.seed);
  return made;
}

template <class T>
TextTask<T>::TextTask(const TextTrainConfig& config, Data data, Grains<T> grains)
    : config_(config),
      data_(std::move(data)),
      grains_(std::move(grains)),
      replay_(config.thinking.replay_rows, config.model.context, config.model.vocab_size) {
  if (config.thinking.replay_rows > 0) {
    fresh_.resize(config.run.batch, config.model.context, config.model.vocab_size);
    // They join a batch at half its size.
    replayed_.resize(config.run.batch / 2, config.model.context, config.model.vocab_size);
  }
}

template <class T>
double TextTask<T>::add_gradients(TextModel<T>& model, int64_t step, TextLosses& measured) {
  const int64_t first_row = grains_.first_row();
  const int64_t fresh = grains_.rows();
  data_.text.training->fill(fresh_.text, step * config_.run.batch + first_row, fresh);
  const RandomStream stream{config_.run.seed, RandomPurpose::kReplay, static_cast<uint64_t>(step)};
  const int64_t replayed = replay_.draw(stream, replayed_.text.rows, replayed_);
  const double inverse_token_count =
      1.0 / static_cast<double>(grains_.total(count_targets(fresh_.text, fresh) +
                                              count_targets(replayed_.text, replayed)));

  // `count` rows from `begin` on, of which the first is number `number` of the whole batch.
  const auto add_rows = [&](ThoughtRows<T>& rows, int64_t begin, int64_t count, int64_t number,
                            LossSums& sums) {
    const bool is_replay = &rows == &replayed_;
    work_in_parts(count, config_.run.micro_batch, [&](int64_t first, int64_t part_count) {
      TrainingRows<T> part;
      part.inputs = rows.text.input_view().slice(begin + first, part_count);
      part.targets = rows.text.target_view().slice(begin + first, part_count);
      part.first_row = number + first;
      part.inverse_token_count = inverse_token_count;
      if (!rows.logits.empty()) {
        const Tensor<T> logits =
            Tensor<T>{rows.logits.data(),
                      {rows.text.rows, config_.model.context, config_.model.vocab_size}}
                .slice(begin + first, part_count);
        if (is_replay) {
          part.initial_logits = logits;
        } else {
          part.final_logits = logits;
        }
      }
      sums.add(model.train(part, config_.run.seed, static_cast<uint64_t>(step)));
    });
  };
  LossSums of_replay;
  measured.add(grains_.add_up(model.gradients(), [&](int64_t number, int64_t rows) {
    const double share_of_fresh = static_cast<double>(rows) / static_cast<double>(rows + replayed);
    LossSums sums;
    {
      const PartOfWork share(0, share_of_fresh);
      add_rows(fresh_, number - first_row, rows, number, sums);
    }
    const PartOfWork share(share_of_fresh, 1 - share_of_fresh);
    add_rows(replayed_, 0, replayed, number + rows, of_replay);
    return sums;
  }));
  measured.bytes = grains_.total(fresh_.text.target_bytes);
  return (measured.objective + of_replay.objective) * inverse_token_count;
}

template <class T>
TextLosses TextTask<T>::validate(TextModel<T>& model) {
  const PassOptions options{.seed = config_.run.seed};
  return evaluate(model, *data_.text.validation, config_.run.micro_batch, options,
                  config_.run.validation_windows);
}

template class TextTask<float>;
template class TextTask<double>;
template class Trainer<TextTask<float>>;
template class Trainer<TextTask<double>>;

}  // namespace ebt
