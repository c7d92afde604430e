#include "ebt/train/run_config.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "ebt/core/config_fields.h"
#include "ebt/io/file.h"
#include "ebt/model/model_folder.h"
#include "ebt/think/open_model.h"
#include "ebt/train/text_train_config.h"
#include "tests/support/error_text.h"
#include "tests/support/small_tokenizer.h"
#include "tests/support/temporary_folder.h"

namespace ebt {
namespace {

using testing::error_text;
using testing::TemporaryFolder;

TEST(ModelFolder, RestoresEveryFieldOfAConfig) {
  const TemporaryFolder folder;
  TextTrainConfig config;
  config.model.type = EbtType::kAdalnZero;
  config.model.norm_eps = 0.1 + 0.2;
  config.thinking.step_size = 500;
  config.thinking.initial = InitialPrediction::kZeros;
  config.optimizer.warmup_steps = 7;
  config.data.data = "/books/\"quoted\"";
  config.run.seed = ~uint64_t{0};
  save_config(folder.path(), config);
  EXPECT_EQ(fields_to_json(load_config<TextTrainConfig>(folder.path())), fields_to_json(config));
}

TEST(ModelFolder, KeepsDefaultsForPartsThatAConfigDoesNotName) {
  const TemporaryFolder folder;
  folder.write(kConfigFile, R"({"format_version": 1, "model": {"layers": 3}})");
  const TextTrainConfig config = load_config<TextTrainConfig>(folder.path());
  EXPECT_EQ(config.model.layers, 3);
  EXPECT_EQ(config.model.width, TextModelConfig{}.width);
  EXPECT_EQ(config.run.steps, TextRunConfig{}.steps);
}

TEST(ModelFolder, RefusesAConfigThatIsNotOne) {
  const TemporaryFolder folder;
  const std::string name = "'" + folder.file(kConfigFile) + "'";
  const auto error_of = [&](const char* text) {
    folder.write(kConfigFile, text);
    return error_text([&] { load_config<TextTrainConfig>(folder.path()); });
  };
  EXPECT_EQ(error_of("[1]"), name + " must hold a JSON object");
  EXPECT_EQ(error_of("{\"model_type\": \"bert\"}"),
            name + " has no \"format_version\": it is not the config of a model");
  EXPECT_EQ(error_of("{\"format_version\": 2}"),
            name + " has format version 2, and this program reads version 1");
  EXPECT_EQ(error_of("{\"format_version\": 1, \"modle\": {}}"),
            name +
                " has an unknown part \"modle\"; known parts are format_version, model, "
                "thinking, optimizer, data, run");
  EXPECT_NE(error_of("{\"format_version\": 1, ").find("not valid JSON"), std::string::npos);
  std::filesystem::remove(folder.file(kConfigFile));
  EXPECT_EQ(error_text([&] { load_config<TextTrainConfig>(folder.path()); }),
            "cannot read " + name + ": No such file or directory");
}

TEST(ModelFolder, OpensItsTokenizer) {
  const TemporaryFolder folder;
  TextTrainConfig config;
  save_config(folder.path(), config);
  EXPECT_EQ(load_tokenizer(folder.path()), byte_tokenizer()) << "where none is named";
  config.data.tokenizer = "tokenizer.json";
  config.model.vocab_size = 263;
  save_config(folder.path(), config);
  EXPECT_EQ(error_text([&] { load_tokenizer(folder.path()); }),
            "cannot read '" + folder.file("tokenizer.json") + "': No such file or directory");
  folder.write("tokenizer.json", testing::small_tokenizer().dump());
  EXPECT_EQ(load_tokenizer(folder.path())->encode("hello"), (std::vector<int32_t>{259}));
  config.data.tokenizer = "/etc/passwd";
  save_config(folder.path(), config);
  EXPECT_EQ(error_text([&] { load_tokenizer(folder.path()); }),
            "'" + folder.file(kConfigFile) +
                "' names a tokenizer that is none of bytes, tokenizer.json, tokenizer.model");
}

TEST(ModelFolder, RefusesATokenizerThatIsTooLargeForTheModel) {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", testing::small_tokenizer().dump());
  TextTrainConfig config;
  config.data.tokenizer = "tokenizer.json";
  config.model.vocab_size = 262;
  save_config(folder.path(), config);
  EXPECT_EQ(error_text([&] { load_tokenizer(folder.path()); }),
            "'" + folder.file(kConfigFile) +
                "' describes a model of 262 tokens, but its tokenizer has 263");
}

ParameterLayout two_weights() {
  ParameterLayout layout;
  layout.add("alpha", {});
  layout.add("matrix", {2, 3});
  return layout;
}

TEST(ModelFolder, RestoresWeightsInAnyPrecision) {
  const TemporaryFolder folder;
  const ParameterLayout layout = two_weights();
  ParameterBlock<float> saved(layout);
  for (int64_t i = 0; i < layout.count(); ++i) {
    saved.all()[i] = 1.0F / static_cast<float>(i + 3);
  }
  SafetensorsWriter writer;
  add_weights(saved, writer);
  writer.write(folder.file(kModelFile));

  ParameterBlock<double> loaded(layout);
  load_weights(SafetensorsFile(folder.file(kModelFile)), loaded);
  for (int64_t i = 0; i < layout.count(); ++i) {
    EXPECT_EQ(loaded.all()[i], static_cast<double>(saved.all()[i]));
  }
}

TEST(ModelFolder, AcceptsTheSettingThatPublishedCheckpointsStore) {
  const TemporaryFolder folder;
  const ParameterLayout layout = two_weights();
  ParameterBlock<float> weights(layout);
  float noise = 3;
  SafetensorsWriter writer;
  add_weights(weights, writer);
  writer.add("langevin_dynamics_noise_std", Tensor<float>{&noise, {}});
  writer.write(folder.file(kModelFile));
  EXPECT_NO_THROW(load_weights(SafetensorsFile(folder.file(kModelFile)), weights));
}

TEST(ModelFolder, RefusesWeightsOfAnotherModel) {
  const TemporaryFolder folder;
  const ParameterLayout layout = two_weights();
  ParameterBlock<float> weights(layout);
  std::vector<float> values(8);
  const auto error_of = [&](const std::vector<std::pair<const char*, Shape>>& tensors) {
    SafetensorsWriter writer;
    for (const auto& [name, shape] : tensors) {
      writer.add(name, Tensor<float>{values.data(), shape});
    }
    writer.write(folder.file(kModelFile));
    return error_text([&] { load_weights(SafetensorsFile(folder.file(kModelFile)), weights); });
  };
  const std::string name = "'" + folder.file(kModelFile) + "'";
  EXPECT_EQ(error_of({{"alpha", {}}, {"matrix", {2, 3}}}), "no error");
  EXPECT_EQ(error_of({{"alpha", {}}}), name + " has no tensor \"matrix\"");
  EXPECT_EQ(error_of({{"alpha", {}}, {"matrix", {2, 3}}, {"head", {1}}}),
            name +
                " has a tensor \"head\", which is no weight of the model that config.json "
                "describes");
  EXPECT_EQ(error_of({{"alpha", {}}, {"matrix", {3, 2}}}),
            name + " has a tensor \"matrix\" of shape (3,2), but config.json describes (2,3)");
}

TEST(ModelFolder, NamesWeightsThatAreNotFinite) {
  const TemporaryFolder folder;
  const ParameterLayout layout = two_weights();
  ParameterBlock<float> weights(layout);
  weights.tensor("matrix")[4] = -std::numeric_limits<float>::infinity();
  SafetensorsWriter writer;
  add_weights(weights, writer);
  writer.write(folder.file(kModelFile));
  EXPECT_EQ(
      error_text([&] { load_weights(SafetensorsFile(folder.file(kModelFile)), weights); }),
      "'" + folder.file(kModelFile) +
          "': the weights 'matrix' are not finite (number 4 is -inf): the file is damaged, or "
          "training diverged");
}

TEST(ModelFolder, OpensAModelThatHasOnlyAConfigAndWeights) {
  const TemporaryFolder folder;
  TextTrainConfig config;
  config.model.width = 16;
  config.model.context = 8;
  auto made = make_text_model<float>(config.model, config.thinking, 1, 8, {});
  initialize_weights(*made, config.thinking, 3);
  save_config(folder.path(), config);
  SafetensorsWriter writer;
  add_weights(made->weights(), writer);
  writer.write(folder.file(kModelFile));

  const auto loaded = load_model<float>(folder.path(), 2);
  const std::vector<float> before(made->weights().all().begin(), made->weights().all().end());
  const std::vector<float> after(loaded->weights().all().begin(), loaded->weights().all().end());
  EXPECT_EQ(after, before);

  // A hostile config describes a model of terabytes.
  config.model.width = 65536;
  config.model.layers = 1000;
  save_config(folder.path(), config);
  const std::string text = error_text([&] { load_model<float>(folder.path(), 2); });
  EXPECT_NE(text.find("but config.json describes (257,65536)"), std::string::npos) << text;
}

}  // namespace
}  // namespace ebt
