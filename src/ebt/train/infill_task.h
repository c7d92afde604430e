// Training on whole answers: rows of which some tokens are given and the others asked for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ebt/data/answers/answer_data.h"
#include "ebt/model/infill_model.h"
#include "ebt/train/infill_losses.h"
#include "ebt/train/infill_train_config.h"
#include "ebt/train/trainer.h"

namespace ebt {

template <class T>
class InfillTask {
 public:
  using Scalar = T;
  using Config = InfillTrainConfig;
  using Model = InfillModel<T>;
  using Measured = InfillLosses;
  using Data = AnswerData;

  // Opens the data already: vocabulary and length of the rows follow from them.
  static AnswerData begin(InfillTrainConfig& config);
  static AnswerData load(const std::filesystem::path& folder);
  static void open(const InfillTrainConfig& config, AnswerData& data);
  static DataIdentity identity(const AnswerData& data);
  static std::string change_text(const AnswerData& data, const DataIdentity& trained_on,
                                 const InfillTrainConfig& config,
                                 const std::filesystem::path& folder);
  static void save(const AnswerData& data, const std::filesystem::path& folder);

  static size_t model_bytes(const InfillTrainConfig& config);
  static double working_bytes(const InfillTrainConfig& config);
  static size_t data_bytes(const AnswerData& /*data*/) { return 0; }
  static std::string what_to_lower(const InfillTrainConfig& config);
  static std::unique_ptr<InfillModel<T>> make_model(const InfillTrainConfig& config);

  InfillTask(const InfillTrainConfig& config, AnswerData data)
      : config_(config), data_(std::move(data)) {}

  const AnswerData& data() const { return data_; }

  double add_gradients(InfillModel<T>& model, int64_t step, InfillLosses& measured);
  void learned() {}
  bool has_validation() const { return data_.validation->count() > 0; }
  InfillLosses validate(InfillModel<T>& model);
  ReplayBuffer<T>* replay() { return nullptr; }

 private:
  // Makes the wrong answers of the batch and returns how many of its rows are wrong.
  int64_t corrupt(int64_t step);

  InfillTrainConfig config_;
  AnswerData data_;
  AnswerBatch batch_;
  std::vector<int32_t> corrupted_;  // (B, N)
};

template <class T>
using InfillTrainer = Trainer<InfillTask<T>>;

extern template class InfillTask<float>;
extern template class InfillTask<double>;
extern template class Trainer<InfillTask<float>>;
extern template class Trainer<InfillTask<double>>;

}  // namespace ebt
