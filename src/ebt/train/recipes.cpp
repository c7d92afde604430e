#include "ebt/train/recipes.h"

#include "ebt/core/error.h"

namespace ebt {
namespace {

[[noreturn]] void fail_unknown_recipe(const std::string& name) {
  fail("--recipe must be s1 or s2, not '{}'", name);
}

}  // namespace

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
    fail_unknown_recipe(name);
  }
}

void apply_recipe(const std::string& name, ImageTrainConfig& config) {
  ImageThinkingConfig& thinking = config.thinking;
  if (name == "s1") {
    thinking.steps_min = 1;
    thinking.steps_max = 1;
    thinking.step_size_learnable = true;
    thinking.detach = true;
    thinking.truncate = false;
  } else if (name == "s2") {
    thinking.steps_min = 2;
    thinking.steps_max = 3;
    thinking.step_size_learnable = false;
    thinking.step_size_spread = 2.0;
    thinking.detach = false;
    thinking.truncate = true;
    // Of pixels in [-1, 1]: a tenth of the noise that is undone.
    thinking.langevin_noise = 0.01;
  } else {
    fail_unknown_recipe(name);
  }
}

}  // namespace ebt
