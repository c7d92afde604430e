#include "ebt/core/config_fields.h"

#include <gtest/gtest.h>

#include "ebt/train/text_train_config.h"
#include "tests/support/error_text.h"

namespace ebt {
namespace {

// What a user is told when `text` is read into `config`.
template <class Config>
std::string error_of(const std::string& text, Config& config) {
  return testing::error_text(
      [&] { fields_from_json(nlohmann::json::parse(text), "c.json", config); });
}

TEST(ConfigFields, RoundTripsEveryField) {
  TextTrainConfig config;
  config.model.type = EbtType::kAdalnZero;
  config.model.arch = Architecture::kTransformerPp;
  config.model.layers = 7;
  config.model.tied_vocabulary = true;
  config.thinking.initial = InitialPrediction::kZeros;
  config.thinking.step_size = 0.1;
  config.run.seed = 0xFFFFFFFFFFFFFFFFULL;
  config.data.data = "a \"quoted\" file";
  const Json json = fields_to_json(config);
  TextTrainConfig read;
  fields_from_json(nlohmann::json::parse(json.dump()), "run.json", read);
  EXPECT_EQ(fields_to_json(read), json);
  EXPECT_EQ(read.model.type, EbtType::kAdalnZero);
  EXPECT_EQ(read.run.seed, 0xFFFFFFFFFFFFFFFFULL);
  EXPECT_EQ(json["type"], "adaln_zero");
}

TEST(ConfigFields, KeepsFieldsThatTheFileDoesNotName) {
  TextTrainConfig config;
  config.run.steps = 12;
  EXPECT_EQ(error_of(R"({"batch": 3})", config), "no error");
  EXPECT_EQ(config.run.steps, 12);
  EXPECT_EQ(config.run.batch, 3);
}

TEST(ConfigFields, NamesAnUnknownKeyAndTheKnownOnes) {
  TextDataConfig config;
  EXPECT_EQ(
      error_of(R"({"dataa": "x"})", config),
      "c.json: unknown field \"dataa\"; known fields are data, text-field, as, skip-bad-lines, "
      "prompt-field, tokenizer, end-of-text, validation");
}

TEST(ConfigFields, RefusesWrongTypesAndLeavesTheConfigAlone) {
  TextTrainConfig config;
  EXPECT_EQ(error_of(R"({"steps": 5, "batch": "many"})", config),
            "c.json: \"batch\" must be a whole number, not \"many\"");
  EXPECT_EQ(config.run.steps, TextTrainConfig().run.steps);
  EXPECT_EQ(error_of(R"({"batch": 1.5})", config),
            "c.json: \"batch\" must be a whole number, not 1.5");
  EXPECT_EQ(error_of(R"({"batch": 18446744073709551615})", config),
            "c.json: \"batch\" must be a whole number, not 18446744073709551615");
  EXPECT_EQ(error_of(R"({"seed": -1})", config),
            "c.json: \"seed\" must be a whole number from 0, not -1");
  EXPECT_EQ(error_of(R"({"beta1": null})", config), "c.json: \"beta1\" must be a number, not null");
  EXPECT_EQ(error_of(R"({"detach": 1})", config),
            "c.json: \"detach\" must be true or false, not 1");
  EXPECT_EQ(error_of(R"({"out": []})", config), "c.json: \"out\" must be a string, not []");
  EXPECT_EQ(error_of(R"({"type": "adalnn"})", config),
            "c.json: \"type\" must be one of default, time_embed, adaln, adaln_zero, not "
            "\"adalnn\"");
}

TEST(ConfigFields, RefusesWhatIsNotAnObject) {
  TextTrainConfig config;
  EXPECT_EQ(error_of("[1]", config), "c.json: expected a JSON object of fields, not [1]");
}

TEST(ConfigFields, QuotesLongValuesShort) {
  TextRunConfig config;
  const std::string message = error_of("{\"out\": [\"" + std::string(500, 'x') + "\"]}", config);
  EXPECT_LT(message.size(), 120U);
}

}  // namespace
}  // namespace ebt
