// Training on text: rows of tokens, each to be foretold from those before it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "ebt/data/tokenizer/tokenizer.h"
#include "ebt/model/text_model.h"
#include "ebt/train/grains.h"
#include "ebt/train/replay_buffer.h"
#include "ebt/train/text_losses.h"
#include "ebt/train/text_train_config.h"
#include "ebt/train/trainer.h"
#include "ebt/train/training_text.h"

namespace ebt {

template <class T>
class TextTask {
 public:
  using Scalar = T;
  using Config = TextTrainConfig;
  using Model = TextModel<T>;
  using Measured = TextLosses;
  struct Data {
    std::string tokenizer_path;  // of a run that starts
    std::shared_ptr<const Tokenizer> tokenizer;
    TrainingText text;
  };

  static Data begin(TextTrainConfig& config);
  static Data load(const std::filesystem::path& folder);
  static void open(const TextTrainConfig& config, Data& data);
  static DataIdentity identity(const Data& data);
  static std::string change_text(const Data& data, const DataIdentity& trained_on,
                                 const TextTrainConfig& config,
                                 const std::filesystem::path& folder);
  static void save(const Data& data, const std::filesystem::path& folder);

  static size_t model_bytes(const TextTrainConfig& config);
  static double working_bytes(const TextTrainConfig& config);
  static size_t data_bytes(const Data& data) { return data.text.training->order_bytes(); }
  static std::string what_to_lower(const TextTrainConfig& config);
  static std::unique_ptr<TextModel<T>> make_model(const TextTrainConfig& config);

  TextTask(const TextTrainConfig& config, Data data)
      : TextTask(config, std::move(data), Grains<T>(config.run.batch)) {}
  // Learns from this rank's grains of a batch.
  TextTask(const TextTrainConfig& config, Data data, Grains<T> grains);

  const Data& data() const { return data_; }
  const TrainingText& text() const { return data_.text; }

  double add_gradients(TextModel<T>& model, int64_t step, TextLosses& measured);
  void learned() { replay_.push(fresh_); }
  bool has_validation() const { return data_.text.validation->count() > 0; }
  TextLosses validate(TextModel<T>& model);
  ReplayBuffer<T>* replay() { return &replay_; }

 private:
  TextTrainConfig config_;
  Data data_;
  Grains<T> grains_;
  ReplayBuffer<T> replay_;
  ThoughtRows<T> fresh_;     // (batch) of this rank
  ThoughtRows<T> replayed_;  // (batch / 2)
};

template <class T>
using TextTrainer = Trainer<TextTask<T>>;
using TextStepReport = StepReport<TextLosses>;
using TextValidationReport = ValidationReport<TextLosses>;
using TextObserver = RunObserver<TextStepReport, TextValidationReport>;

extern template class TextTask<float>;
extern template class TextTask<double>;
extern template class Trainer<TextTask<float>>;
extern template class Trainer<TextTask<double>>;

}  // namespace ebt
