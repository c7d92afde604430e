#include "ebt/model/config.h"

#include "ebt/core/error.h"
#include "ebt/model/thinking_config.h"

namespace ebt {

const EnumNames<InitialPrediction>& enum_names(InitialPrediction) {
  static const EnumNames<InitialPrediction> kNames = {
      {"random_noise", InitialPrediction::kRandomNoise}, {"zeros", InitialPrediction::kZeros}};
  return kNames;
}

const EnumNames<EbtType>& enum_names(EbtType) {
  static const EnumNames<EbtType> kNames = {{"default", EbtType::kDefault},
                                            {"time_embed", EbtType::kTimeEmbed},
                                            {"adaln", EbtType::kAdaln},
                                            {"adaln_zero", EbtType::kAdalnZero}};
  return kNames;
}

const EnumNames<Architecture>& enum_names(Architecture) {
  static const EnumNames<Architecture> kNames = {{"ebt", Architecture::kEbt},
                                                 {"transformer_pp", Architecture::kTransformerPp}};
  return kNames;
}

void BlockConfig::check_blocks() const {
  EBT_CHECK(layers >= 1 && layers <= 1000, "--layers: {} is not between 1 and 1000", layers);
  EBT_CHECK(width >= 2 && width <= 65536, "--width: {} is not between 2 and 65536", width);
  EBT_CHECK(heads >= 1 && width % heads == 0 && head_width() % 2 == 0,
            "--heads: {} heads do not divide a width of {} into even parts", heads, width);
  EBT_CHECK(ffn_multiplier > 0 && ffn_multiplier <= 64 && ffn_width() >= 1,
            "--ffn-multiplier: {} is not between 0 and 64, or leaves no width", ffn_multiplier);
  EBT_CHECK(norm_eps >= 0 && norm_eps <= 1e6, "--norm-eps: {} is not between 0 and 10^6", norm_eps);
  EBT_CHECK(rope_theta > 1 && rope_theta <= 1e12, "--rope-theta: {} is not between 1 and 10^12",
            rope_theta);
}

void SequenceConfig::check_sequence() const {
  check_blocks();
  EBT_CHECK(context >= 1 && context <= 10'000'000, "--context: {} is not between 1 and 10 million",
            context);
  EBT_CHECK(landscapes >= 1 && landscapes <= 1000, "--landscapes: {} is not between 1 and 1000",
            landscapes);
}

void TextModelConfig::check() const {
  check_sequence();
  EBT_CHECK(vocab_size >= 2 && vocab_size <= 10'000'000,
            "--vocab-size: {} is not between 2 and 10 million", vocab_size);
}

void ThinkingSettings::check_settings() const {
  EBT_CHECK(steps_min >= 1 && steps_max >= steps_min && steps_max <= 1000,
            "--steps-min, --steps-max: {}..{} is not a range within 1..1000", steps_min, steps_max);
  EBT_CHECK(step_size >= 0 && step_size <= 1e9, "--step-size: {} is not between 0 and 10^9",
            step_size);
  EBT_CHECK(learned_steps >= 0, "--learned-steps: {} is negative", learned_steps);
  EBT_CHECK(step_size_lr >= 0, "--step-size-lr: {} is negative", step_size_lr);
  EBT_CHECK(step_size_spread >= 1, "--step-size-spread: {} is below 1", step_size_spread);
  EBT_CHECK(langevin_noise >= 0, "--langevin-noise: {} is negative", langevin_noise);
}

void TextThinkingConfig::check() const {
  check_settings();
  EBT_CHECK(initial_scale >= 0, "--initial-scale: {} is negative", initial_scale);
  EBT_CHECK(contrastive >= 0, "--contrastive: {} is negative", contrastive);
  EBT_CHECK(clamp_gradient >= 0, "--clamp-gradient: {} is negative", clamp_gradient);
  EBT_CHECK(soften_targets >= 0 && soften_targets < 1, "--soften-targets: {} is not in [0, 1)",
            soften_targets);
  EBT_CHECK(replay_rows >= 0 && replay_rows <= 1'000'000,
            "--replay-rows: {} is not between 0 and 1 million", replay_rows);
}

const std::vector<ModelSize>& model_sizes() {
  static const std::vector<ModelSize> sizes = {
      {"4xs", 2, 128, 2, 2.4e-3},      {"3xs", 4, 256, 4, 1.8e-3},   {"xxs", 6, 384, 6, 1.2e-3},
      {"xs", 12, 384, 6, 9e-4},        {"small", 12, 768, 12, 6e-4}, {"medium", 24, 1024, 16, 3e-4},
      {"large", 24, 1536, 16, 2.5e-4}, {"xl", 24, 2048, 32, 2e-4},
  };
  return sizes;
}

const ModelSize& model_size(const std::string& name) {
  std::string known;
  for (const ModelSize& size : model_sizes()) {
    if (size.name == name) {
      return size;
    }
    known += (known.empty() ? "" : ", ") + size.name;
  }
  fail("--size: \"{}\" is not one of {}", name, known);
}

}  // namespace ebt
