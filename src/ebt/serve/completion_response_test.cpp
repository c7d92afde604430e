#include "ebt/serve/completion_response.h"

#include <gtest/gtest.h>

#include <limits>

#include "ebt/serve/api_error.h"

namespace ebt {
namespace {

ServedModel bytes_model() {
  ServedModel model;
  model.name = "tiny";
  model.created = 5;
  model.tokenizer = byte_tokenizer();
  return model;
}

CompletionRequest chat_with_logprobs() {
  CompletionRequest request;
  request.endpoint = Endpoint::kChat;
  request.prompts = {{'P'}};
  request.prompt_texts = {"P"};
  request.logprobs = true;
  return request;
}

TokenReport token(int32_t id, double log_probability) {
  TokenReport report;
  report.token = id;
  report.log_probability = log_probability;
  report.top = {{id, log_probability}, {'z', -7}, {0xFF, -8}};
  report.states = {{3, 5, {{id, -2}}}, {1, 4, {{id, -1}, {'z', -3}}}};
  report.candidate_energies = {1, 2};
  report.thinking_steps = 2;
  report.forward_passes = 3;
  return report;
}

TEST(CompletionResponse, FormatsAWholeCompletion) {
  const ServedModel model = bytes_model();
  CompletionRequest request;
  request.prompts = {{'P', 'q'}};
  request.prompt_texts = {"Pq"};
  Usage usage{2, 0, 0, 0};
  usage.add(token('a', -1));
  ChoiceFormat format(request, model, 0);
  const CompletionFormat answer(request, model, "7", 9);
  EXPECT_EQ(
      answer.whole(Json::array({format.choice(0, {"ab", {}}, "length")}), usage),
      Json::parse(R"({"id": "cmpl-7", "object": "text_completion", "created": 9, "model": "tiny",
        "choices": [{"index": 0, "text": "ab", "logprobs": null, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3,
                  "thinking_steps": 2, "forward_passes": 3}})"));
}

TEST(CompletionResponse, FormatsLogprobsOfTheEchoAndTheText) {
  const ServedModel model = bytes_model();
  CompletionRequest request;
  request.prompts = {{'P', 0xC3, 0xA9}};
  request.prompt_texts = {"P\xC3\xA9"};
  request.echo = request.logprobs = true;
  request.top_logprobs = 2;
  ChoiceFormat format(request, model, 0);
  EXPECT_EQ(format.echo().text, "P\xC3\xA9");
  const double never = -std::numeric_limits<double>::infinity();
  const Json choice =
      format.chunk(0, {"x", {token(0xC3, -1), token(0xA9, -2), token('a', never)}}, nullptr);
  EXPECT_EQ(choice["logprobs"], Json::parse(R"({
    "tokens": ["P", "bytes:\\xc3", "bytes:\\xa9", "a"],
    "token_logprobs": [null, -1.0, -2.0, -9999.0],
    "top_logprobs": [null, {"bytes:\\xc3": -1.0, "z": -7.0}, {"bytes:\\xa9": -2.0, "z": -7.0},
                     {"a": -9999.0, "z": -7.0}],
    "text_offset": [0, 1, 2, 2]})"));
  const Json next = format.chunk(0, {"b", {token('b', -1)}}, "stop");
  EXPECT_EQ(next["logprobs"]["text_offset"], Json::array({3}));
  EXPECT_EQ(next["finish_reason"], "stop");
}

TEST(CompletionResponse, HasAsManyLogprobsAsTokens) {
  const ServedModel model = bytes_model();
  CompletionRequest request;
  request.echo = request.logprobs = true;
  request.top_logprobs = 1;
  for (const std::vector<int32_t>& prompt :
       std::vector<std::vector<int32_t>>{{'P', 'q'}, {'P'}, {256}, {256, 256}, {256, 'P'}}) {
    request.prompts = {prompt};
    request.prompt_texts = {model.text_of(prompt)};
    ChoiceFormat format(request, model, 0);
    // The rest of the prompt, and the token that ends the text.
    std::vector<TokenReport> tokens;
    for (size_t i = 1; i < prompt.size(); ++i) {
      tokens.push_back(token(prompt[i], -1));
    }
    tokens.push_back(token(256, -2));
    const Json logprobs = format.choice(0, {"", tokens}, "stop")["logprobs"];
    for (const char* key : {"tokens", "token_logprobs", "top_logprobs", "text_offset"}) {
      EXPECT_EQ(logprobs[key].size(), prompt.size() + 1) << key << " of " << prompt.size();
    }
    EXPECT_TRUE(logprobs["token_logprobs"][0].is_null());
    EXPECT_EQ(logprobs["token_logprobs"].back(), -2);
  }
}

TEST(CompletionResponse, LeavesTheEndOfAMessageOutOfItsLogprobs) {
  const ServedModel model = bytes_model();
  const CompletionRequest request = chat_with_logprobs();
  ChoiceFormat format(request, model, 0);
  const Json choice = format.choice(0, {"a", {token('a', -1), token(256, -2)}}, "stop");
  EXPECT_EQ(choice["logprobs"]["content"].size(), 1U);
}

TEST(CompletionResponse, FormatsChatsWholeAndInChunks) {
  const ServedModel model = bytes_model();
  CompletionRequest request = chat_with_logprobs();
  request.top_logprobs = 1;
  ChoiceFormat whole(request, model, 0);
  EXPECT_EQ(whole.choice(0, {"a", {token('a', -1)}}, "stop"), Json::parse(R"({"index": 0,
    "message": {"role": "assistant", "content": "a", "refusal": null},
    "logprobs": {"content": [{"token": "a", "logprob": -1.0, "bytes": [97],
      "top_logprobs": [{"token": "a", "logprob": -1.0, "bytes": [97]}]}], "refusal": null},
    "finish_reason": "stop"})"));
  ChoiceFormat chunks(request, model, 0);
  EXPECT_EQ(chunks.chunk(0, {}, nullptr)["delta"],
            Json::parse(R"({"role": "assistant", "content": "", "refusal": null})"));
  EXPECT_EQ(chunks.chunk(0, {"a", {}}, nullptr)["delta"], Json::parse(R"({"content": "a"})"));
  const CompletionFormat answer(request, model, "7", 9);
  EXPECT_EQ(answer.chunk(Json::array()), Json::parse(R"({"id": "chatcmpl-7",
    "object": "chat.completion.chunk", "created": 9, "model": "tiny", "choices": []})"));
  EXPECT_EQ(answer.usage_chunk({1, 2, 3, 4})["usage"]["total_tokens"], 3);
  request.include_usage = true;
  const Json chunk = answer.chunk(Json::array());
  EXPECT_TRUE(chunk.contains("usage") && chunk["usage"].is_null()) << "but for the last chunk";
}

TEST(CompletionResponse, TellsHowATokenWasThoughtAbout) {
  ServedModel model = bytes_model();
  CompletionRequest request;
  request.prompts = {{'P'}};
  request.prompt_texts = {"P"};
  request.trace = 1;
  Json expected = Json::parse(R"([{"token": 97, "text": "a", "bytes": [97], "logprob": -1.0,
    "energy": 1.0, "thinking_steps": 2, "forward_passes": 3,
    "states": [{"energy": 3.0, "entropy": 5.0, "top": [{"token": 97, "text": "a", "bytes": [97],
                 "logprob": -2.0}]},
               {"energy": 1.0, "entropy": 4.0, "top": [{"token": 97, "text": "a", "bytes": [97],
                 "logprob": -1.0}]}],
    "candidate_energies": [1.0, 2.0]}])");
  const TextPiece piece = {"a", {token('a', -1)}};
  // Compared without order: where "certainty" stands is for nobody.
  EXPECT_EQ(nlohmann::json(ChoiceFormat(request, model, 0).chunk(0, piece, nullptr)["thinking"]),
            nlohmann::json(expected));
  model.certainty = [](double energy) { return energy / 4; };
  expected[0]["certainty"] = 0.25;
  EXPECT_EQ(nlohmann::json(ChoiceFormat(request, model, 0).chunk(0, piece, nullptr)["thinking"]),
            nlohmann::json(expected));
}

TEST(CompletionResponse, SendsBytesThatAreNoTextAsReplacements) {
  EXPECT_EQ(to_line(Json{{"text", "a\xFF\xC3"}}), "{\"text\":\"a\xEF\xBF\xBD\xEF\xBF\xBD\"}");
}

TEST(CompletionResponse, DescribesTheModel) {
  EXPECT_EQ(model_json(bytes_model()), Json::parse(R"({"id": "tiny", "object": "model",
    "created": 5, "owned_by": "ebt", "max_model_len": 256, "ebt": {"kind": "text", "arch": "ebt", "type": "time_embed", "context": 256,
    "landscapes": 2, "thinks": true, "calibrated": false, "vocab_size": 257}})"));
}

TEST(ApiError, HasTheFormOfOpenAi) {
  EXPECT_EQ(ApiError(429, "Busy.", "", "queue_full").to_json(), Json::parse(R"({"error":
    {"message": "Busy.", "type": "rate_limit_error", "param": null, "code": "queue_full"}})"));
  EXPECT_EQ(ApiError(400, "Bad.", "n").to_json()["error"]["type"], "invalid_request_error");
  EXPECT_EQ(ApiError(400, "Bad.", "n").to_json()["error"]["param"], "n");
  EXPECT_EQ(ApiError(401, "No.").to_json()["error"]["type"], "authentication_error");
  EXPECT_EQ(ApiError(503, "No.").to_json()["error"]["type"], "server_error");
}

}  // namespace
}  // namespace ebt
