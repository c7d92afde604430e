#include "ebt/serve/tokenizer_api.h"

#include <gtest/gtest.h>

namespace ebt {
namespace {

ServedModel bytes_model() {
  ServedModel model;
  model.name = "tiny";
  model.tokenizer = byte_tokenizer();
  return model;
}

template <class Call>
std::string refusal(Call call) {
  try {
    call();
  } catch (const ApiError& error) {
    return fmt::format("{} {}: {}", error.status(), error.param(), error.what());
  }
  return "accepted";
}

TEST(TokenizerApi, TellsTheTokensOfAPrompt) {
  const ServedModel model = bytes_model();
  EXPECT_EQ(tokenize(R"({"model": "tiny", "prompt": "ab", "add_special_tokens": false})", model),
            Json::parse(R"({"count": 2, "max_model_len": 256, "tokens": [97, 98],
                            "token_strs": null})"));
  EXPECT_EQ(tokenize(R"({"prompt": "ab", "return_token_strs": true})", model)["token_strs"],
            Json::parse(R"(["a", "b"])"));
  EXPECT_EQ(tokenize(R"({"prompt": ""})", model)["tokens"], Json::array({256}))
      << "the start of a document, as a completion reads it";
}

TEST(TokenizerApi, TellsTheTokensOfAConversation) {
  const ServedModel model = bytes_model();
  const std::string messages = R"("messages": [{"role": "user", "content": "a"}])";
  EXPECT_EQ(tokenize("{" + messages + "}", model)["count"], 8 + 10) << "User: a. Assistant:";
  EXPECT_EQ(tokenize("{" + messages + R"(, "add_generation_prompt": false})", model)["count"], 8);
}

TEST(TokenizerApi, TellsTheTextOfTokens) {
  const ServedModel model = bytes_model();
  EXPECT_EQ(detokenize(R"({"tokens": [97, 256, 98]})", model), Json::parse(R"({"prompt": "ab"})"));
  EXPECT_EQ(detokenize(R"({"tokens": []})", model)["prompt"], "");
}

TEST(TokenizerApi, NamesWhatIsWrong) {
  const ServedModel model = bytes_model();
  const auto wrong = [&](const char* body) { return refusal([&] { tokenize(body, model); }); };
  const auto unread = [&](const char* body) { return refusal([&] { detokenize(body, model); }); };
  EXPECT_EQ(wrong("{}"), "400 prompt: 'prompt' is missing, and so are 'messages'.");
  EXPECT_EQ(wrong(R"({"prompt": [1]})"), "400 prompt: 'prompt' must be a string, not an array.");
  EXPECT_EQ(wrong(R"({"prompt": "a", "promt": "a"})"), "400 promt: Unknown field \"promt\".");
  EXPECT_EQ(wrong(R"({"prompt": "a", "model": "x"})"),
            "404 model: There is no model \"x\": this server has 'tiny'.");
  EXPECT_EQ(unread("{}"), "400 tokens: 'tokens' is missing.");
  EXPECT_EQ(unread(R"({"tokens": "ab"})"),
            "400 tokens: 'tokens' must be an array of tokens, not \"ab\".");
  EXPECT_EQ(unread(R"({"tokens": [257]})"),
            "400 tokens: 'tokens' has a token 257, but tokens are whole numbers to 256.");
}

TEST(TokenizerApi, DescribesTheTokenizer) {
  const Json info = tokenizer_info(bytes_model());
  EXPECT_EQ(info["model_max_length"], 256);
  EXPECT_EQ(info["bos_token"], nullptr);
  // A client asks what the end of a text is called, and which token that is.
  const Json end = tokenize(Json{{"prompt", info["eos_token"]}}.dump(), bytes_model());
  EXPECT_EQ(end["tokens"], Json::array({info["eos_token_id"]}));
}

}  // namespace
}  // namespace ebt
