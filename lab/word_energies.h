// Energies of given words as predictions, without thinking.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <vector>

#include "ebt/think/text_generator.h"

namespace ebt {

// Judges words behind prompts. A word is a prediction that is sure of it: logits so large that
// their softmax is one-hot. Its energy is read before the first thinking step, on the landscape
// that is descended first.
class WordEnergies {
 public:
  // Throws Error as load_text_generator does, and for a model that has no energy, or whose thoughts
  // do not start from noise.
  explicit WordEnergies(const std::filesystem::path& model);

  // Energies of `words` (tokens) behind a prompt (tokens, at least one), in their order.
  std::vector<double> of(const std::vector<int32_t>& prompt, const std::vector<int32_t>& words);

 private:
  std::vector<int32_t> words_;    // that are judged now
  std::vector<double> energies_;  // of these
  std::unique_ptr<TextGenerator<float>> generator_;
};

}  // namespace ebt
