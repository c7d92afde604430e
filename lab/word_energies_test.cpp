#include "lab/word_energies.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ebt/io/safetensors.h"
#include "ebt/model/model_folder.h"
#include "ebt/model/text_model.h"
#include "ebt/think/recomputed_thinking.h"
#include "ebt/train/run_config.h"
#include "ebt/train/text_train_config.h"
#include "tests/support/error_text.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;

// A folder of an untrained model of bytes.
class WordEnergiesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.model.layers = 2;
    config_.model.width = 16;
    config_.model.context = 8;
    config_.model.landscapes = 1;
    config_.model.norm_eps = 0.5;
    config_.thinking.step_size = 0.5;
    model_ = make_text_model<float>(config_.model, config_.thinking, 1, config_.model.context, {});
    initialize_weights(*model_, config_.thinking, 7);
    save();
  }
  void save() {
    save_config(folder_.path(), config_);
    SafetensorsWriter writer;
    add_weights(model_->weights(), writer);
    writer.write(folder_.path() / kModelFile);
  }

  testing::TemporaryFolder folder_;
  TextTrainConfig config_;
  std::unique_ptr<TextModel<float>> model_;
};

TEST_F(WordEnergiesTest, AreThoseOfAPredictionThatIsSure) {
  const std::vector<int32_t> prompt = {256, 'a', 'b', 'c'};
  const std::vector<int32_t> words = {'x', 'y', 'z', 256};
  const std::vector<double> energies = WordEnergies(folder_.path()).of(prompt, words);
  ASSERT_EQ(energies.size(), words.size());
  for (size_t i = 0; i < words.size(); ++i) {
    // Through the streams of training, every position predicting the same word.
    ThinkingNoise<float> noise = counter_based_noise<float>();
    noise.initial = [&](const NoiseAddress&, Tensor<float> logits) {
      std::fill(logits.begin(), logits.end(), 0.0F);
      logits[words[i]] = 1000;
    };
    RecomputedThinking<float> thinking(config_.model, config_.thinking, model_->weights(), 4,
                                       noise);
    ThinkOptions options;
    options.steps = 1;
    EXPECT_NEAR(energies[i], thinking.think(prompt, options, {}).back().energies[0], 1e-4);
  }
  EXPECT_GT(*std::max_element(energies.begin(), energies.end()) -
                *std::min_element(energies.begin(), energies.end()),
            1e-2);
}

TEST_F(WordEnergiesTest, DoNotDependOnTheOtherWords) {
  WordEnergies energies(folder_.path());
  const std::vector<int32_t> prompt = {256, 'q'};
  std::vector<int32_t> words;
  for (int32_t i = 0; i < 1500; ++i) {  // more than candidates can be thought about at a time
    words.push_back(i % 257);
  }
  const std::vector<double> all = energies.of(prompt, words);
  for (const size_t i : {size_t{0}, size_t{1023}, size_t{1024}, size_t{1499}}) {
    EXPECT_EQ(energies.of(prompt, {words[i]})[0], all[i]);
  }
  EXPECT_TRUE(energies.of(prompt, {}).empty());
}

TEST_F(WordEnergiesTest, AreNotThereForWhatHasNone) {
  config_.thinking.initial = InitialPrediction::kZeros;
  save();
  EXPECT_EQ(error_text([&] { WordEnergies energies(folder_.path()); }),
            "'" + folder_.path().string() +
                "' is no energy model whose predictions are softmaxes of noise: the energy of a "
                "word cannot be asked of it");
}

}  // namespace
}  // namespace ebt
