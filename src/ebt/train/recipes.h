// The published ways of training a model to think, as settings of its configs.
#pragma once

#include <string>

#include "ebt/train/image_train_config.h"
#include "ebt/train/text_train_config.h"

namespace ebt {

// Sets the thinking of `config` to recipe "s1" (fast: one step on each of two landscapes, alpha
// learned) or "s2" (learns to think longer: two or three noisy steps of random size on one
// landscape, with a replay buffer). Throws Error for any other name.
void apply_recipe(const std::string& name, TextTrainConfig& config);
// Of images: "s1" takes one step, alpha learned; "s2" two or three noisy steps of random size.
void apply_recipe(const std::string& name, ImageTrainConfig& config);

}  // namespace ebt
