#include "ebt/train/infill_task.h"

#include <algorithm>
#include <utility>

#include "ebt/core/work_watch.h"
#include "ebt/data/answers/answer_format_file.h"
#include "ebt/data/even_choice.h"
#include "ebt/data/random_draws.h"
#include "ebt/model/infill_landscape.h"

namespace ebt {
namespace {

int64_t count_unknown(Tensor<const uint8_t> known) {
  return std::count(known.begin(), known.end(), uint8_t{0});
}

// Rows of a batch as a model takes them.
InfillRows rows_of(const AnswerBatch& batch, int64_t first, int64_t count, int64_t first_row) {
  return {batch.token_view().slice(first, count), batch.known_view().slice(first, count),
          first_row};
}

}  // namespace

template <class T>
AnswerData InfillTask<T>::begin(InfillTrainConfig& config) {
  AnswerData data = open_answer_data(config.data, config.run.seed);
  if (!config.run.from.empty()) {
    const AnswerFormat base = load_answer_format(config.run.from);
    EBT_CHECK(base == data.format,
              "--from: the model of '{}' reads rows of {} tokens of {:?}, and these data are rows "
              "of {} tokens of {:?}, or of another layout",
              config.run.from, base.length, base.characters, data.format.length,
              data.format.characters);
  }
  config.model.vocab_size = data.format.vocabulary_size();
  config.model.row_length = data.format.length;
  config.model.grid = data.format.grid;
  config.model.boxes = data.format.boxes;
  return data;
}

template <class T>
AnswerData InfillTask<T>::load(const std::filesystem::path& folder) {
  AnswerData data;
  data.format = load_answer_format(folder);
  return data;
}

template <class T>
void InfillTask<T>::open(const InfillTrainConfig& config, AnswerData& data) {
  if (data.training != nullptr) {
    return;
  }
  AnswerData opened = open_answer_data(config.data, config.run.seed);
  EBT_CHECK(opened.format == data.format,
            "{} holds other rows than the model learned from: of {} tokens of {:?}, and not of {} "
            "of {:?}",
            source_name(config.data.data), opened.format.length, opened.format.characters,
            data.format.length, data.format.characters);
  data = std::move(opened);
}

template <class T>
DataIdentity InfillTask<T>::identity(const AnswerData& data) {
  return {{"training_tokens", static_cast<uint64_t>(data.training_rows * data.format.length)},
          {"text_fingerprint", data.fingerprint}};
}

template <class T>
std::string InfillTask<T>::change_text(const AnswerData& /*data*/,
                                       const DataIdentity& /*trained_on*/,
                                       const InfillTrainConfig& config,
                                       const std::filesystem::path& folder) {
  return fmt::format("the rows of '{}' are no longer those that '{}' was trained on",
                     config.data.data, folder.string());
}

template <class T>
void InfillTask<T>::save(const AnswerData& data, const std::filesystem::path& folder) {
  save_answer_format(folder, data.format);
}

template <class T>
size_t InfillTask<T>::model_bytes(const InfillTrainConfig& config) {
  return infill_model_bytes<T>(config.model, config.thinking, config.run.micro_batch,
                               engine_options<T>(config.run));
}

template <class T>
double InfillTask<T>::working_bytes(const InfillTrainConfig& config) {
  const InfillModelConfig& model = config.model;
  const int64_t rows = largest_chunk(model, config.run.micro_batch, engine_options<T>(config.run));
  const double tokens = static_cast<double>(config.run.batch * model.row_length) *
                        (2 * sizeof(int32_t) + sizeof(uint8_t));
  return tokens +
         attention_bytes(rows * model.heads, model.row_length, model.row_length,
                         model.head_width()) +
         widened_bytes(config.run.precision, rows * model.row_length, 2 * model.ffn_width());
}

template <class T>
std::string InfillTask<T>::what_to_lower(const InfillTrainConfig& config) {
  return fmt::format("micro-batch ({}) or the size of the model, or the length of a row ({})",
                     config.run.micro_batch, config.model.row_length);
}

template <class T>
std::unique_ptr<InfillModel<T>> InfillTask<T>::make_model(const InfillTrainConfig& config) {
  auto made = make_infill_model<T>(config.model, config.thinking, config.run.micro_batch,
                                   engine_options<T>(config.run));
  initialize_weights(*made, config.thinking, config.run.seed);
  return made;
}

// Of every row, a random share of what is asked for is drawn anew: some draws hit the truth again,
// and a row all of whose draws do is not wrong.
template <class T>
int64_t InfillTask<T>::corrupt(int64_t step) {
  corrupted_ = batch_.tokens;
  int64_t wrong_rows = 0;
  for (int64_t row = 0; row < batch_.rows; ++row) {
    RandomDraws draws({config_.run.seed, RandomPurpose::kWrongAnswers,
                       static_cast<uint64_t>(step * batch_.rows + row)});
    const double share = config_.thinking.ranking_replaced * draws.uniform();
    bool wrong = false;
    for (int64_t i = row * batch_.length; i < (row + 1) * batch_.length; ++i) {
      const auto at = static_cast<size_t>(i);
      if (batch_.known[at] == 0 && draws.uniform() < share) {
        corrupted_[at] = static_cast<int32_t>(draws.below(config_.model.vocab_size));
        wrong = wrong || corrupted_[at] != batch_.tokens[at];
      }
    }
    wrong_rows += wrong ? 1 : 0;
  }
  return wrong_rows;
}

template <class T>
double InfillTask<T>::add_gradients(InfillModel<T>& model, int64_t step, InfillLosses& measured) {
  const int64_t batch = config_.run.batch;
  data_.training->fill(batch_, step * batch, batch);
  InfillLearning learning;
  const int64_t unknown = count_unknown(batch_.known_view());
  learning.inverse_token_count = 1.0 / static_cast<double>(std::max<int64_t>(unknown, 1));
  if (config_.thinking.ranking > 0 && config_.model.arch == InfillArchitecture::kEbt) {
    learning.inverse_ranking_count = 1.0 / static_cast<double>(batch + corrupt(step));
  }
  const Tensor<const int32_t> corrupted{corrupted_.data(), {batch, batch_.length}};
  work_in_parts(batch, config_.run.micro_batch, [&](int64_t first, int64_t count) {
    if (learning.inverse_ranking_count > 0) {
      learning.corrupted = corrupted.slice(first, count);
    }
    measured.add(model.train(rows_of(batch_, first, count, first), learning, config_.run.seed,
                             static_cast<uint64_t>(step)));
  });
  return measured.objective * learning.inverse_token_count;
}

// Rows are spread evenly over those kept for validation, as their file may be sorted.
template <class T>
InfillLosses InfillTask<T>::validate(InfillModel<T>& model) {
  const int64_t total = limited(config_.run.validation_rows, data_.validation->count());
  InfillLosses measured;
  work_in_parts(total, config_.run.micro_batch, [&](int64_t first, int64_t count) {
    data_.validation->fill_evenly(batch_, first, count, total);
    measured.add(model.evaluate(rows_of(batch_, 0, count, first), config_.run.seed, 0));
  });
  return measured;
}

template class InfillTask<float>;
template class InfillTask<double>;
template class Trainer<InfillTask<float>>;
template class Trainer<InfillTask<double>>;

}  // namespace ebt
