#include "lab/word_energies.h"

#include <algorithm>

#include "ebt/core/error.h"
#include "ebt/eval/scoring.h"
#include "ebt/think/open_model.h"
#include "ebt/train/run_config.h"
#include "ebt/train/text_train_config.h"

namespace ebt {
namespace {

// Of the judged word beside the zeros of all others: e^-60 is far below what a float tells from 0.
constexpr float kSureLogit = 60;

}  // namespace

WordEnergies::WordEnergies(const std::filesystem::path& model) {
  const auto config = load_config<TextTrainConfig>(model);
  EBT_CHECK(
      config.model.arch == Architecture::kEbt && config.model.normalize &&
          config.thinking.initial == InitialPrediction::kRandomNoise &&
          config.thinking.initial_scale > 0,
      "'{}' is no energy model whose predictions are softmaxes of noise: the energy of a word "
      "cannot be asked of it",
      model.string());
  const auto logit = kSureLogit / static_cast<float>(config.thinking.initial_scale);
  ThinkingNoise<float> noise = counter_based_noise<float>();
  noise.initial = [this, logit](const NoiseAddress& address, Tensor<float> logits) {
    std::fill(logits.begin(), logits.end(), 0.0F);
    logits[words_[static_cast<size_t>(address.candidate)]] = logit;
  };
  generator_ = load_text_generator(model, 1, std::move(noise));
  generator_->observe([this](const ThoughtView<float>& thought) {
    if (thought.step == 0) {
      energies_[static_cast<size_t>(thought.noise.candidate)] = thought.energy;
    }
  });
}

std::vector<double> WordEnergies::of(const std::vector<int32_t>& prompt,
                                     const std::vector<int32_t>& words) {
  std::vector<double> energies;
  for (size_t first = 0; first < words.size(); first += kMaxCandidates) {
    const size_t end = std::min(words.size(), first + kMaxCandidates);
    words_.assign(words.begin() + static_cast<std::ptrdiff_t>(first),
                  words.begin() + static_cast<std::ptrdiff_t>(end));
    energies_.assign(words_.size(), 0);
    Query query;
    query.request.prompt = prompt;
    query.request.max_tokens = 1;
    query.request.sampling.temperature = 0;
    query.request.think.steps = 1;
    query.request.think.candidates = std::ssize(words_);
    const std::vector<Answer> answers = run_queries(*generator_, {query});
    check_finite(answers[0].finish);
    energies.insert(energies.end(), energies_.begin(), energies_.end());
  }
  return energies;
}

}  // namespace ebt
