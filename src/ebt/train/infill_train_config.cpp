#include "ebt/train/infill_train_config.h"

#include "ebt/core/error.h"

namespace ebt {

void InfillRunConfig::check() const {
  RunSettings::check();
  EBT_CHECK(validation_rows >= 0, "--validation-rows: {} is negative", validation_rows);
}

void InfillTrainConfig::check() const {
  constexpr int64_t kMostValues = int64_t{1} << 32;
  model.check();
  thinking.check();
  optimizer.check();
  data.check();
  run.check();
  EBT_CHECK(run.batch <= kMostValues / model.row_length / model.vocab_size,
            "--batch: {} rows of {} x {} logits are more than {} in one step", run.batch,
            model.row_length, model.vocab_size, kMostValues);
}

InfillTrainConfig InfillTrainConfig::resolved() const {
  InfillTrainConfig result = *this;
  result.run.resolve(default_learning_rate(model), result.optimizer);
  result.data.data = absolute_path(data.data);
  return result;
}

}  // namespace ebt
