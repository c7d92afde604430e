#include "ebt/model/infill_config.h"

#include "ebt/core/error.h"

namespace ebt {

const EnumNames<InfillArchitecture>& enum_names(InfillArchitecture) {
  static const EnumNames<InfillArchitecture> kNames = {
      {"ebt", InfillArchitecture::kEbt},
      {"feed_forward", InfillArchitecture::kFeedForward},
      {"looped", InfillArchitecture::kLooped}};
  return kNames;
}

const EnumNames<InfillUpdate>& enum_names(InfillUpdate) {
  static const EnumNames<InfillUpdate> kNames = {{"mirror", InfillUpdate::kMirror},
                                                 {"published", InfillUpdate::kPublished}};
  return kNames;
}

std::vector<RowAxis> InfillModelConfig::axes() const {
  return given_axes.empty() ? grid_axes(grid, boxes, row_length) : given_axes;
}

void InfillModelConfig::check() const {
  check_blocks();
  EBT_CHECK(vocab_size >= 2, "vocab-size: {} tokens leave nothing to choose", vocab_size);
  EBT_CHECK(row_length >= 1 && row_length <= kMostRowTokens,
            "row-tokens: {} is not between 1 and {}", row_length, kMostRowTokens);
  axes();
}

void InfillThinkingConfig::check() const {
  check_settings();
  EBT_CHECK(step_size > 0, "step-size: {} is not positive", step_size);
  EBT_CHECK(initial_scale >= 0, "initial-scale: {} is negative", initial_scale);
  EBT_CHECK(ranking >= 0, "ranking: {} is negative", ranking);
  EBT_CHECK(ranking_replaced > 0 && ranking_replaced <= 1,
            "ranking-replaced: {} is not a share above 0", ranking_replaced);
}

}  // namespace ebt
