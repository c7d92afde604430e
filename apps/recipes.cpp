#include "recipes.h"

#include "ebt/core/error.h"

namespace ebt {

void apply_recipe(const std::string& name, TrainConfig& config) {
  ThinkingConfig& thinking = config.thinking;
  if (name == "s1") {
    config.model.type = EbtType::kTimeEmbed;
    config.model.landscapes = 2;
    thinking.steps_min = 1;
    thinking.steps_max = 1;
    thinking.step_size_learnable = true;
    thinking.detach = true;
    thinking.truncate = false;
  } else if (name == "s2") {
    config.model.type = EbtType::kTimeEmbed;
    config.model.landscapes = 1;
    thinking.steps_min = 2;
    thinking.steps_max = 3;
    thinking.step_size_learnable = false;
    thinking.step_size_spread = 2.0;
    thinking.detach = false;
    thinking.truncate = true;
    thinking.langevin_noise = 3.0;
    thinking.replay_rows = 192;
  } else {
    fail("--recipe must be s1 or s2, not '{}'", name);
  }
}

}  // namespace ebt
