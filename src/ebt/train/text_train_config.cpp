#include "ebt/train/text_train_config.h"

#include <limits>

#include "ebt/core/config_check.h"
#include "ebt/core/error.h"

namespace ebt {
namespace {

// The gain of a norm falls with the size of its input, and the embedding of a candidate grows by an
// order of magnitude while the candidate takes shape. This epsilon evens the gain out, so that one
// step size suits the first thinking step and the last (docs/architecture.md has the measurements).
constexpr double kThinkingNormEps = 0.5;

}  // namespace

void TextDataConfig::check() const {
  check_share("--validation", validation);
  EBT_CHECK(prompt_field.empty() || !data.empty(),
            "--prompt-field: the CMake manual has no prompts: name examples with --data");
}

void TextRunConfig::check() const {
  RunSettings::check();
  check_between("--validation-windows", validation_windows, 0, std::numeric_limits<int64_t>::max());
}

void TextTrainConfig::check() const {
  constexpr int64_t kMostTokens = 1 << 30;
  model.check();
  thinking.check();
  optimizer.check();
  data.check();
  run.check();
  EBT_CHECK(run.batch <= kMostTokens / model.context,
            "--batch: {} rows of {} tokens are more than {} tokens in one step", run.batch,
            model.context, kMostTokens);
  EBT_CHECK(run.grains == 1 || thinking.replay_rows == 0,
            "--grains: rows are replayed (--replay-rows {}) in batches of one grain alone",
            thinking.replay_rows);
}

TextTrainConfig TextTrainConfig::resolved() const {
  TextTrainConfig result = *this;
  if (model.norm_eps == 0) {
    result.model.norm_eps =
        model.arch == Architecture::kEbt ? kThinkingNormEps : TextModelConfig{}.norm_eps;
  }
  result.run.resolve(default_learning_rate(model), result.optimizer);
  result.data.data = absolute_path(data.data);
  return result;
}

}  // namespace ebt
