#include "ebt/think/plan.h"

namespace ebt {

std::vector<PlannedStep> plan_of(const TextModelConfig& model, const TextThinkingConfig& trained,
                                 const ThinkOptions& options, double step_size) {
  std::vector<PlannedStep> plan;
  if (model.arch != Architecture::kEbt) {
    return plan;
  }
  // To EbtType::kDefault all landscapes are one: what training visits in turn is one long descent.
  const bool one = model.type == EbtType::kDefault;
  const int64_t landscapes = one ? 1 : model.landscapes;
  const int64_t as_trained = one ? model.landscapes * trained.steps_max : trained.steps_max;
  const double wanted =
      (options.step_size > 0 ? options.step_size : step_size) * options.step_size_scale;
  for (int64_t landscape = 0; landscape < landscapes; ++landscape) {
    const auto meant = [&](Landscapes which) {
      return which == Landscapes::kAll || landscape + 1 == landscapes;
    };
    const int64_t steps = options.steps > 0 && meant(options.steps_on) ? options.steps : as_trained;
    const PlannedStep step{landscape, meant(options.step_size_on) ? wanted : step_size};
    plan.insert(plan.end(), static_cast<size_t>(steps), step);
  }
  return plan;
}

}  // namespace ebt
