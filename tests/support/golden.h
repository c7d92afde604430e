// Golden files: recorded inputs, outputs and gradients of the published implementation in float64.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ebt/data/text/batch.h"
#include "ebt/io/safetensors.h"
#include "ebt/model/config.h"
#include "ebt/model/thinking_config.h"

namespace ebt::golden {

// EBT_GOLDEN_DIR, or the project's own folder.
inline std::filesystem::path folder() {
  const char* chosen = std::getenv("EBT_GOLDEN_DIR");
  return chosen != nullptr ? chosen : EBT_SOURCE_DIR "/tests/golden";
}

// Golden files of some kinds, in order of their names.
inline std::vector<std::string> files(const std::vector<std::string>& kinds) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    if (entry.path().extension() != ".safetensors") {
      continue;
    }
    const SafetensorsFile file(entry.path());
    const auto config = nlohmann::json::parse(file.metadata("config"));
    if (std::find(kinds.begin(), kinds.end(), config.at("kind")) != kinds.end()) {
      found.push_back(entry.path().filename().string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

// The model that a file was recorded from; every size comes from the shapes of its tensors.
inline TextModelConfig model_config(const SafetensorsFile& file, const nlohmann::json& config) {
  TextModelConfig model;
  const bool energy = config.at("kind") != "transformer_pp";
  model.arch = energy ? Architecture::kEbt : Architecture::kTransformerPp;
  const std::string type = config.at("ebt_type");
  model.type = type == "default"      ? EbtType::kDefault
               : type == "time_embed" ? EbtType::kTimeEmbed
               : type == "adaln"      ? EbtType::kAdaln
                                      : EbtType::kAdalnZero;
  const Shape embeddings = file.tensor("param.embeddings.weight").shape;
  model.vocab_size = embeddings[0];
  model.width = embeddings[1];
  model.heads = config.at("multiheaded_attention_heads");
  model.layers = 0;
  const auto name = [](int64_t layer) {
    return "param.transformer.layers." + std::to_string(layer) + ".feed_forward.w1.weight";
  };
  while (file.contains(name(model.layers))) {
    ++model.layers;
  }
  // The half keeps the width whole when the multiplier is applied again.
  model.ffn_multiplier =
      (static_cast<double>(file.tensor(name(0)).shape[0]) + 0.5) / static_cast<double>(model.width);
  model.context = file.tensor("input_ids").shape[1] - 1;
  model.landscapes = config.at("mcmc_num_steps");
  model.tied_vocabulary = config.at("vocab_to_embed_uses_prob_dist");
  model.normalize = config.at("normalize_initial_condition");
  model.norm_eps = config.at("norm_eps");
  model.rope_theta = config.at("rope_theta");
  return model;
}

inline TextThinkingConfig thinking_config(const nlohmann::json& config) {
  TextThinkingConfig thinking;
  thinking.steps_max = 1;
  if (config.at("randomize_mcmc_num_steps") > 0) {
    thinking.steps_min = 2;
    thinking.steps_max = 3;
  }
  thinking.step_size = config.at("mcmc_step_size");
  thinking.step_size_learnable = config.at("mcmc_step_size_learnable");
  thinking.step_size_spread = config.at("randomize_mcmc_step_size_scale");
  thinking.detach = !config.at("no_mcmc_detach").get<bool>();
  thinking.truncate = config.at("truncate_mcmc");
  thinking.langevin_noise = config.at("langevin_dynamics_noise");
  thinking.initial = config.at("denoising_initial_condition") == "zeros"
                         ? InitialPrediction::kZeros
                         : InitialPrediction::kRandomNoise;
  thinking.initial_scale = config.at("gaussian_random_noise_scaling");
  thinking.contrastive =
      config.at("contrastive_loss") ? config.at("contrastive_loss_coeff").get<double>() : 0.0;
  thinking.clamp_gradient = config.at("clamp_futures_grad")
                                ? config.at("clamp_futures_grad_max_change").get<double>()
                                : 0.0;
  thinking.soften_targets = config.at("soften_target_prob_dist");
  return thinking;
}

// Inputs and targets of input_ids (B, S + 1); the pad token is no target.
inline Batch batch(const SafetensorsFile& file, const nlohmann::json& config) {
  const Shape shape = file.tensor("input_ids").shape;
  const auto ids = file.read<int64_t>("input_ids");
  const int64_t pad = config.at("pad_token_id");
  Batch batch;
  batch.rows = shape[0];
  batch.context = shape[1] - 1;
  for (int64_t row = 0; row < batch.rows; ++row) {
    for (int64_t i = 0; i < batch.context; ++i) {
      const size_t at = static_cast<size_t>(row * shape[1] + i);
      batch.inputs.push_back(static_cast<int32_t>(ids[at]));
      const int64_t target = ids[at + 1];
      batch.targets.push_back(target == pad ? kIgnoredTarget : static_cast<int32_t>(target));
    }
  }
  return batch;
}

// |a - b| / |b|, with the norms of whole tensors.
inline double relative_error(const std::vector<double>& a, const std::vector<double>& b) {
  double difference = 0;
  double size = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(difference) / (std::sqrt(size) + 1e-30);
}

}  // namespace ebt::golden
