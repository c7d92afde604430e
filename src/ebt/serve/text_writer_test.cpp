#include "ebt/serve/text_writer.h"

#include <gtest/gtest.h>

namespace ebt {
namespace {

ServedModel bytes_model() {
  ServedModel model;
  model.tokenizer = byte_tokenizer();
  return model;
}

TokenReport token(int32_t id, bool from_prompt = false) {
  TokenReport report;
  report.token = id;
  report.from_prompt = from_prompt;
  return report;
}

// "text/number of tokens"
std::string show(const TextPiece& piece) {
  return piece.text + "/" + std::to_string(piece.tokens.size());
}

TEST(TextWriter, GivesATokenTogetherWithItsText) {
  const ServedModel model = bytes_model();
  TextWriter writer(model, {});
  EXPECT_EQ(show(writer.add(token('a'))), "a/1");
  EXPECT_EQ(show(writer.add(token(0xC3))), "/0");
  EXPECT_EQ(show(writer.add(token(0xA9))), "\xC3\xA9/2");
  EXPECT_EQ(show(writer.finish()), "/0");
}

TEST(TextWriter, GivesScoredTokensOfThePromptWithoutText) {
  const ServedModel model = bytes_model();
  TextWriter writer(model, {"a"});
  EXPECT_EQ(show(writer.add(token('a', true))), "/1");
  EXPECT_FALSE(writer.stopped());
}

TEST(TextWriter, KeepsNoTokenOfAStopString) {
  const ServedModel model = bytes_model();
  TextWriter writer(model, {"END"});
  EXPECT_EQ(show(writer.add(token('x'))), "x/1");
  EXPECT_EQ(show(writer.add(token('E'))), "/0");
  EXPECT_EQ(show(writer.add(token('N'))), "/0");
  EXPECT_FALSE(writer.stopped());
  EXPECT_EQ(show(writer.add(token('D'))), "/0");
  EXPECT_TRUE(writer.stopped());
  EXPECT_EQ(show(writer.add(token('y'))), "/0");
  EXPECT_EQ(show(writer.finish()), "/0");
}

TEST(TextWriter, GivesWhatWasHeldBackAtTheEnd) {
  const ServedModel model = bytes_model();
  TextWriter writer(model, {"END"});
  writer.add(token('E'));
  writer.add(token('N'));
  EXPECT_EQ(show(writer.finish()), "EN/2");
}

TEST(TextWriter, GivesTheTokenThatEndsATextBehindWhatWasHeldBack) {
  const ServedModel model = bytes_model();
  TextWriter writer(model, {"END"});
  EXPECT_EQ(show(writer.add(token('E'))), "/0");
  EXPECT_EQ(show(writer.add(token(256))), "/0");
  EXPECT_EQ(show(writer.finish()), "E/2");
}

TEST(TextWriter, TakesTokensWithoutTextForEmpty) {
  const ServedModel model = bytes_model();
  TextWriter writer(model, {});
  EXPECT_EQ(show(writer.add(token(256))), "/1") << "a separator";
  EXPECT_EQ(show(writer.add(token(300))), "/1") << "no token of the tokenizer";
}

}  // namespace
}  // namespace ebt
