#include "ebt/serve/completion_request.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "ebt/serve/api_error.h"

namespace ebt {
namespace {

ServedModel bytes_model() {
  ServedModel model;
  model.name = "tiny";
  model.tokenizer = byte_tokenizer();
  return model;
}

CompletionRequest parse(const std::string& body, Endpoint endpoint = Endpoint::kCompletions,
                        const RequestLimits& limits = {}) {
  return parse_completion_request(body, endpoint, bytes_model(), limits);
}

// "400 field: sentence"
std::string refusal(const std::string& body, Endpoint endpoint = Endpoint::kCompletions,
                    const RequestLimits& limits = {}) {
  try {
    parse(body, endpoint, limits);
  } catch (const ApiError& error) {
    return fmt::format("{} {}: {}", error.status(), error.param(), error.what());
  }
  return "accepted";
}

std::string chat_refusal(const std::string& fields) {
  return refusal(R"({"messages": [{"role": "user", "content": "a"}], )" + fields + "}",
                 Endpoint::kChat);
}

using Tokens = std::vector<int32_t>;

TEST(CompletionRequest, HasOpenAisDefaults) {
  const CompletionRequest request = parse(R"({"model": "tiny", "prompt": "ab"})");
  EXPECT_EQ(request.prompts, (std::vector<Tokens>{{'a', 'b'}}));
  EXPECT_EQ(request.max_tokens, 16);
  EXPECT_EQ(request.n, 1);
  EXPECT_EQ(request.best_of, 1);
  EXPECT_EQ(request.sampling.temperature, 1);
  EXPECT_FALSE(request.stream || request.echo || request.logprobs);
  const CompletionRequest chat =
      parse(R"({"messages": [{"role": "user", "content": "a"}]})", Endpoint::kChat);
  EXPECT_EQ(chat.max_tokens, 256) << "the model's context";
}

TEST(CompletionRequest, ReadsEveryField) {
  const CompletionRequest request = parse(R"({"model": "tiny", "prompt": ["a", "bc"], "n": 2,
    "best_of": 3, "max_tokens": 5, "stop": ["x", "yz"], "seed": 7, "echo": true, "logprobs": 2,
    "temperature": 0.5, "top_p": 0.9, "top_k": 4, "trace": 3, "user": "me", "logit_bias": {},
    "frequency_penalty": 0, "presence_penalty": 0.0, "suffix": null, "stream": false,
    "thinking": {"steps": 4, "on": "all", "step_size": 0.5, "step_size_scale": 2,
      "step_size_on": "final", "langevin_noise": 0.1, "langevin_on": "first",
      "accept_lower": true, "stop_change": 0.01, "stop_patience": 2, "candidates": 8,
      "choose": "drop", "budget": 1000}})");
  EXPECT_EQ(request.prompts, (std::vector<Tokens>{{'a'}, {'b', 'c'}}));
  EXPECT_EQ(request.texts(), 6);
  EXPECT_EQ(request.prompt_of(2), 0U);
  EXPECT_EQ(request.prompt_of(3), 1U);
  EXPECT_EQ(request.stop, (std::vector<std::string>{"x", "yz"}));
  EXPECT_TRUE(request.echo && request.logprobs);
  EXPECT_EQ(request.top_logprobs, 2);
  EXPECT_EQ(request.trace, 3);
  const GenerationRequest text = request.generation(4, bytes_model());
  EXPECT_EQ(text.prompt, (Tokens{'b', 'c'}));
  EXPECT_EQ(text.max_tokens, 5);
  EXPECT_EQ(text.score_from, 1);
  EXPECT_EQ(text.end_token, 256);
  EXPECT_EQ(text.sampling.seed, 8U) << "the second sample of its prompt";
  EXPECT_EQ(text.think.seed, 7U);
  EXPECT_EQ(text.sampling.temperature, 0.5);
  EXPECT_EQ(text.sampling.top_p, 0.9);
  EXPECT_EQ(text.sampling.top_k, 4);
  EXPECT_EQ(text.top_tokens, 3);
  EXPECT_TRUE(text.trace);
  EXPECT_EQ(text.think.steps, 4);
  EXPECT_EQ(text.think.steps_on, Landscapes::kAll);
  EXPECT_EQ(text.think.step_size, 0.5);
  EXPECT_EQ(text.think.step_size_scale, 2);
  EXPECT_EQ(text.think.step_size_on, Landscapes::kFinal);
  EXPECT_EQ(text.think.langevin_noise, 0.1);
  EXPECT_EQ(text.think.langevin_on, NoisySteps::kFirst);
  EXPECT_TRUE(text.think.accept_lower);
  EXPECT_EQ(text.think.stop_change, 0.01);
  EXPECT_EQ(text.think.stop_patience, 2);
  EXPECT_EQ(text.think.candidates, 8);
  EXPECT_EQ(text.think.choose, CandidateChoice::kDrop);
  EXPECT_EQ(text.think.budget, 1000);
}

TEST(CompletionRequest, ReadsPromptsOfEveryForm) {
  EXPECT_EQ(parse(R"({"prompt": [97, 256, 98]})").prompts, (std::vector<Tokens>{{97, 256, 98}}));
  EXPECT_EQ(parse(R"({"prompt": [97, 256, 98]})").prompt_texts[0], "ab");
  EXPECT_EQ(parse(R"({"prompt": [[1], [2, 3]]})").prompts, (std::vector<Tokens>{{1}, {2, 3}}));
  EXPECT_EQ(parse(R"({})").prompts, (std::vector<Tokens>{{256}})) << "the start of a document";
  EXPECT_EQ(parse(R"({"prompt": ""})").prompts, (std::vector<Tokens>{{256}}));
}

TEST(CompletionRequest, RendersChatsByTheTemplate) {
  const CompletionRequest request = parse(
      R"({"messages": [{"role": "developer", "content": "S"},
          {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
           "name": "me"}],
          "logprobs": true, "top_logprobs": 5, "max_tokens": 3, "max_completion_tokens": 4,
          "stop": "!", "tools": [], "tool_choice": "none", "response_format": {"type": "text"}})",
      Endpoint::kChat);
  EXPECT_EQ(request.prompt_texts[0], "System: S\nUser: ab\nAssistant:");
  EXPECT_EQ(request.stop, (std::vector<std::string>{"\nUser:", "\nSystem:", "!"}));
  EXPECT_EQ(request.max_tokens, 4);
  EXPECT_TRUE(request.logprobs);
  EXPECT_EQ(request.top_logprobs, 5);
}

TEST(CompletionRequest, TakesNullForAbsent) {
  EXPECT_EQ(refusal(R"({"prompt": "a", "max_tokens": null, "stop": null, "seed": null, "n": null,
    "a_field_of_another_server": null,
    "logit_bias": null, "stream_options": null, "thinking": {"steps": null}, "trace": null})"),
            "accepted");
}

// The seeds of thinking and of drawing, text by text.
std::pair<std::vector<uint64_t>, std::vector<uint64_t>> seeds(const std::string& body) {
  const CompletionRequest request = parse(body);
  std::pair<std::vector<uint64_t>, std::vector<uint64_t>> seeds;
  for (size_t i = 0; std::cmp_less(i, request.texts()); ++i) {
    const GenerationRequest text = request.generation(i, bytes_model());
    seeds.first.push_back(text.think.seed);
    seeds.second.push_back(text.sampling.seed);
  }
  return seeds;
}

TEST(CompletionRequest, SeedsATextByItsPlaceAmongTheSamplesOfItsPromptOnly) {
  using Seeds = std::vector<uint64_t>;
  const auto [thinking, drawing] = seeds(R"({"prompt": ["a", "b"], "n": 3, "seed": 5})");
  EXPECT_EQ(thinking, (Seeds{5, 5, 5, 5, 5, 5})) << "scores are the same in every company";
  EXPECT_EQ(drawing, (Seeds{5, 6, 7, 5, 6, 7}));
  EXPECT_EQ(seeds(R"({"prompt": "b", "n": 2, "seed": -1})").second, (Seeds{~0ULL, 0}));
}

TEST(CompletionRequest, DrawsOtherTextsButThinksTheSameWhereNoSeedIsGiven) {
  const auto [thinking, drawing] = seeds(R"({"prompt": ["a", "a"], "n": 2})");
  EXPECT_EQ(thinking, std::vector<uint64_t>(4, 0));
  EXPECT_EQ(std::set<uint64_t>(drawing.begin(), drawing.end()).size(), 4U);
  EXPECT_NE(seeds("{}").second, seeds("{}").second);
}

TEST(CompletionRequest, RefusesWhatIsNoRequest) {
  EXPECT_EQ(refusal("").substr(0, 38), "400 : The body is not valid JSON: colu");
  EXPECT_EQ(refusal("[]"), "400 : The body must be a JSON object, not an array");
  EXPECT_EQ(refusal("{\"prompt\": \"\xFF\"}").substr(0, 33), "400 : The body is not valid JSON:");
  EXPECT_NE(refusal(std::string(100, '[')).find("nested deeper than 64"), std::string::npos);
  EXPECT_EQ(refusal(R"({"n": 1, "n": 2})"), "400 : The body repeats the JSON key \"n\".");
}

TEST(CompletionRequest, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(refusal(R"({"prompt": 3})"),
            "400 prompt: 'prompt' must be a string, or an array of strings or of tokens, not 3.");
  EXPECT_EQ(refusal(R"({"prompt": [1, 257]})"),
            "400 prompt: 'prompt' has a token 257, but tokens are whole numbers to 256.");
  EXPECT_EQ(refusal(R"({"prompt": ["a", 1]})"),
            "400 prompt: 'prompt' must hold strings, or arrays of tokens, not 1.");
  EXPECT_EQ(refusal(R"({"max_tokens": 1.5})"),
            "400 max_tokens: 'max_tokens' must be a whole number from 0 to 4096, not 1.5.");
  EXPECT_EQ(refusal(R"({"max_tokens": 18446744073709551615})").substr(0, 15), "400 max_tokens:");
  EXPECT_EQ(refusal(R"({"temperature": -1})"),
            "400 temperature: 'temperature' must be a number from 0, not -1.");
  EXPECT_EQ(refusal(R"({"top_p": 0})"),
            "400 top_p: 'top_p' must be a number above 0 and up to 1, not 0.");
  EXPECT_EQ(refusal(R"({"n": 3, "best_of": 2})"),
            "400 best_of: 'best_of' is 2, but must be at least 'n', which is 3.");
  EXPECT_EQ(refusal(R"({"stop": [3]})"),
            "400 stop: 'stop' must be a string of up to 500 bytes, or an array of such.");
  EXPECT_EQ(refusal(R"({"stream": "yes"})"),
            "400 stream: 'stream' must be true or false, not \"yes\".");
  EXPECT_EQ(refusal(R"({"stream_options": {}})"),
            "400 stream_options: 'stream_options' needs 'stream' to be true.");
  EXPECT_EQ(refusal(R"({"stream": true, "best_of": 2})"),
            "400 best_of: 'best_of' above 'n' cannot be streamed.");
  EXPECT_EQ(refusal(R"({"temprature": 1})"), "400 temprature: Unknown field \"temprature\".");
  EXPECT_EQ(refusal(R"({"model": "gpt-4"})"),
            "404 model: There is no model \"gpt-4\": this server has 'tiny'.");
  EXPECT_EQ(refusal(R"({"trace": 21})"),
            "400 trace: 'trace' must be a whole number from 0 to 20, not 21.");
}

TEST(CompletionRequest, NamesTheFieldOfThinkingThatIsWrong) {
  EXPECT_EQ(refusal(R"({"thinking": 3})"), "400 thinking: 'thinking' must be a JSON object, not 3");
  EXPECT_EQ(refusal(R"({"thinking": {"steps": "many"}})"),
            "400 thinking.steps: thinking: \"steps\" must be a whole number, not \"many\".");
  EXPECT_EQ(refusal(R"({"thinking": {"steps": -1}})"),
            "400 thinking.steps: 'thinking.steps': -1 is negative.");
  EXPECT_EQ(refusal(R"({"thinking": {"stop_patience": 0}})"),
            "400 thinking.stop_patience: 'thinking.stop_patience': 0 is not a whole number from "
            "1.");
  EXPECT_EQ(refusal(R"({"thinking": {"depth": 1}})"),
            "400 thinking.depth: Unknown field \"thinking.depth\".");
  EXPECT_EQ(refusal(R"({"thinking": {"choose": "best"}})"),
            "400 thinking.choose: thinking: \"choose\" must be one of min, max, drop, not "
            "\"best\".");
}

TEST(CompletionRequest, KeepsToTheLimits) {
  RequestLimits limits;
  limits.max_prompt_tokens = 3;
  limits.max_tokens = 10;
  limits.max_texts = 2;
  limits.max_thinking_steps = 5;
  limits.max_candidates = 4;
  const auto refused = [&](const std::string& body) {
    return refusal(body, Endpoint::kCompletions, limits);
  };
  EXPECT_EQ(refused(R"({"prompt": "abc", "n": 2, "max_tokens": 10})"), "accepted");
  EXPECT_EQ(refused(R"({"prompt": "abcd"})"),
            "400 prompt: 'prompt' has 4 tokens, above the limit of 3.");
  EXPECT_EQ(refused(R"({"prompt": [1, 2, 3, 4]})"),
            "400 prompt: 'prompt' has 4 tokens, above the limit of 3.");
  EXPECT_EQ(refused(R"({"max_tokens": 11})"),
            "400 max_tokens: 'max_tokens' must be a whole number from 0 to 10, not 11.");
  EXPECT_EQ(refused(R"({"prompt": ["a", "b", "c"]})"),
            "400 prompt: 'prompt' asks for 3 texts at once, above the limit of 2.");
  EXPECT_EQ(refused(R"({"prompt": ["a", "b"], "n": 2})"),
            "400 n: 'n' asks for 4 texts at once, above the limit of 2.");
  EXPECT_EQ(refused(R"({"thinking": {"steps": 6}})"),
            "400 thinking.steps: 'thinking.steps' is 6, above the limit of 5.");
  EXPECT_EQ(refused(R"({"thinking": {"candidates": 5}})"),
            "400 thinking.candidates: 'thinking.candidates' is 5, above the limit of 4.");
}

TEST(CompletionRequest, RefusesWhatWouldChangeTheAnswer) {
  EXPECT_EQ(refusal(R"({"logit_bias": {"5": 1}})"),
            "400 logit_bias: 'logit_bias' is not supported by this server, except as {}.");
  EXPECT_EQ(refusal(R"({"presence_penalty": 0.5})").substr(0, 22), "400 presence_penalty: ");
  EXPECT_EQ(refusal(R"({"suffix": "end"})").substr(0, 12), "400 suffix: ");
  EXPECT_EQ(chat_refusal(R"("tools": [{"type": "function"}])"),
            "400 tools: 'tools' is not supported by this server, except as [].");
  EXPECT_EQ(chat_refusal(R"("response_format": {"type": "json_object"})"),
            "400 response_format: 'response_format' is not supported by this server, except as "
            "{\"type\": \"text\"}.");
  EXPECT_EQ(chat_refusal(R"("reasoning_effort": "low")"),
            "400 reasoning_effort: 'reasoning_effort' is not supported by this server, except as "
            "\"medium\".");
  EXPECT_EQ(chat_refusal(R"("best_of": 2)"), "400 best_of: Unknown field \"best_of\".");
  EXPECT_EQ(chat_refusal(R"("top_logprobs": 2)"),
            "400 top_logprobs: 'top_logprobs' needs 'logprobs' to be true.");
}

TEST(CompletionRequest, RefusesAPromptThatTheContextDoesNotHold) {
  EXPECT_EQ(refusal(R"({"prompt": ")" + std::string(256, 'a') + "\"}"), "accepted");
  EXPECT_EQ(refusal(R"({"prompt": ")" + std::string(257, 'a') + "\"}"),
            "400 prompt: This model's maximum context length is 256 tokens. However, your prompt "
            "resulted in 257 tokens: shorten it, or let 'truncate_prompt_tokens' say how many of "
            "its last ones to keep.");
  const std::string chat =
      R"({"messages": [{"role": "user", "content": ")" + std::string(300, 'a') + "\"}]";
  EXPECT_NE(refusal(chat + "}", Endpoint::kChat).find("However, your messages resulted in 317 "),
            std::string::npos);
  EXPECT_EQ(parse(chat + R"(, "truncate_prompt_tokens": 12})", Endpoint::kChat).prompt_texts[0],
            "a\nAssistant:");
}

TEST(CompletionRequest, KeepsTheEndOfAPromptWhereItIsTold) {
  const auto kept = [](const std::string& fields) {
    const CompletionRequest request = parse("{" + fields + "}");
    return std::pair(request.prompts[0].size(), request.prompt_texts[0].substr(0, 3));
  };
  const std::string prompt = R"("prompt": ")" + std::string(300, 'a') + "bcd\"";
  EXPECT_EQ(kept(prompt + R"(, "truncate_prompt_tokens": 3)"), std::pair(3UL, std::string("bcd")));
  EXPECT_EQ(kept(prompt + R"(, "truncate_prompt_tokens": -1)"),
            std::pair(256UL, std::string("aaa")));
  EXPECT_EQ(kept(R"("prompt": [97, 98, 99], "truncate_prompt_tokens": 2)"),
            std::pair(2UL, std::string("bc")));
  EXPECT_EQ(
      refusal(R"({"truncate_prompt_tokens": 257})"),
      "400 truncate_prompt_tokens: 'truncate_prompt_tokens' must be a whole number from -1 to "
      "256, not 257.");
}

TEST(CompletionRequest, TakesManyStopStrings) {
  const auto stops = [](size_t count) {
    return nlohmann::json{{"stop", std::vector<std::string>(count, "ab")}}.dump();
  };
  EXPECT_EQ(parse(stops(1000)).stop.size(), 1000U);
  EXPECT_EQ(refusal(stops(1025)), "400 stop: 'stop' has 1025 strings, above the limit of 1024.");
  EXPECT_EQ(parse(R"({"stop": ["", "a"]})").stop, (std::vector<std::string>{"a"}));
}

TEST(CompletionRequest, TakesWhatAsksForNothing) {
  EXPECT_EQ(chat_refusal(R"("n": 1, "tools": [], "tool_choice": "auto", "functions": null,
    "parallel_tool_calls": false, "response_format": {"type": "text"}, "modalities": ["text"],
    "logprobs": false, "top_logprobs": 0, "user": "me", "metadata": {"a": "b"}, "store": true,
    "service_tier": "auto", "reasoning_effort": "medium", "verbosity": "medium", "logit_bias": {},
    "presence_penalty": 0, "frequency_penalty": 0.0, "prediction": null, "audio": null,
    "safety_identifier": "x", "prompt_cache_key": "y", "prompt_cache_retention": "24h")"),
            "accepted");
}

}  // namespace
}  // namespace ebt
