#include "ebt/train/recipes.h"

#include "ebt/core/error.h"

namespace ebt {
namespace {

// What the recipes are for any kind of data. Returns whether it is S2.
template <class Thinking>
bool apply_shared(const std::string& name, Thinking& thinking) {
  EBT_CHECK(name == "s1" || name == "s2", "--recipe must be s1 or s2, not '{}'", name);
  const bool is_s2 = name == "s2";
  thinking.steps_min = is_s2 ? 2 : 1;
  thinking.steps_max = is_s2 ? 3 : 1;
  thinking.step_size_learnable = !is_s2;
  thinking.detach = !is_s2;
  thinking.truncate = is_s2;
  if (is_s2) {
    thinking.step_size_spread = 2.0;
  }
  return is_s2;
}

}  // namespace

void apply_recipe(const std::string& name, TextTrainConfig& config) {
  const bool is_s2 = apply_shared(name, config.thinking);
  config.model.type = EbtType::kTimeEmbed;
  config.model.landscapes = is_s2 ? 1 : 2;
  if (is_s2) {
    config.thinking.langevin_noise = 3.0;
    config.thinking.replay_rows = 192;
  }
}

void apply_recipe(const std::string& name, ImageTrainConfig& config) {
  if (apply_shared(name, config.thinking)) {
    // Of pixels in [-1, 1]: a tenth of the noise that is undone.
    config.thinking.langevin_noise = 0.01;
  }
}

}  // namespace ebt
