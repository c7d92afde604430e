// The server over real sockets: what it answers, and to whom.
#include "ebt/serve/server.h"

#include <gtest/gtest.h>

#include "ebt/serve/web_files.h"
#include "tests/support/error_text.h"
#include "tests/support/running_server.h"

namespace ebt::testing {
namespace {

using nlohmann::json;

constexpr char kCompletions[] = "/v1/completions";
constexpr char kChat[] = "/v1/chat/completions";

// Token i of prompt "!" (33) with seed 0 is letter (33 + i) mod 26: "hijk...".
json complete(const RunningServer& server, const std::string& fields) {
  const auto [status, body] =
      server.post(kCompletions, R"({"prompt": "!", "seed": 0, )" + fields + "}");
  EXPECT_EQ(status, 200) << body;
  return json::parse(body, nullptr, false);
}

std::string error_of(const std::pair<int, std::string>& answer) {
  const json body = json::parse(answer.second, nullptr, false);
  EXPECT_TRUE(body.is_object()) << answer.second;
  const json& error = body["error"];
  EXPECT_TRUE(error.contains("type") && error.contains("param") && error.contains("code"));
  return fmt::format("{} {}", answer.first, error["message"].get<std::string>());
}

TEST(Server, Completes) {
  const RunningServer server;
  const json answer = complete(server, R"("max_tokens": 4, "stop": "k")");
  EXPECT_EQ(answer["choices"][0]["text"], "hij");
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(answer["usage"]["completion_tokens"], 4);
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 1);
  EXPECT_EQ(answer["model"], "tiny");
}

TEST(Server, ChoosesTheBestByMeanLogProbability) {
  const RunningServer server;
  // Text i starts at letter h + i, and earlier letters are likelier.
  const json answer = complete(server, R"("max_tokens": 3, "best_of": 4, "n": 2)");
  ASSERT_EQ(answer["choices"].size(), 2U);
  EXPECT_EQ(answer["choices"][0]["text"], "hij");
  EXPECT_EQ(answer["choices"][1]["text"], "ijk");
  EXPECT_EQ(answer["choices"][1]["index"], 1);
  EXPECT_EQ(answer["usage"]["completion_tokens"], 12);
  const json later = json::parse(
      server.post(kCompletions, R"({"prompt": "!", "seed": 17, "max_tokens": 2, "best_of": 3})")
          .second);
  EXPECT_EQ(later["choices"][0]["text"], "ab") << "not the first, but the likeliest";
}

TEST(Server, AnswersSeveralPromptsInOrder) {
  const RunningServer server;
  const auto [status, body] =
      server.post(kCompletions, R"({"prompt": ["!", "#"], "n": 2, "seed": 0, "max_tokens": 2})");
  const json choices = json::parse(body)["choices"];
  ASSERT_EQ(choices.size(), 4U);
  const char* const expected[] = {"hi", "ij", "jk", "kl"};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(choices[i]["text"], expected[i]);
    EXPECT_EQ(choices[i]["index"], i);
  }
}

TEST(Server, EchoesAndScoresThePrompt) {
  const RunningServer server;
  const auto [status, body] =
      server.post(kCompletions, R"({"prompt": "AB", "echo": true, "logprobs": 1, "max_tokens": 1,
                                    "seed": 0})");
  const json choice = json::parse(body)["choices"][0];
  EXPECT_EQ(choice["text"], "ABb");
  EXPECT_EQ(choice["logprobs"]["tokens"], json({"A", "B", "b"}));
  EXPECT_EQ(choice["logprobs"]["token_logprobs"], json({nullptr, -0.66, -0.98}));
  EXPECT_EQ(choice["logprobs"]["text_offset"], json({0, 1, 2}));
  const json scored = json::parse(
      server.post(kCompletions, R"({"prompt": "AB", "echo": true, "logprobs": 0, "max_tokens": 0})")
          .second);
  EXPECT_EQ(scored["choices"][0]["text"], "AB");
  EXPECT_EQ(scored["choices"][0]["logprobs"]["token_logprobs"].size(), 2U);
}

TEST(Server, ScoresTheTokenThatEndsAText) {
  ServerSetup setup;
  setup.script = "\x01";
  const RunningServer server(std::move(setup));
  const std::string body = server
                               .post(kCompletions, R"({"prompt": [[65, 66], [67]], "echo": true,
                          "logprobs": 1, "max_tokens": 1, "temperature": 0, "seed": 1234})")
                               .second;
  const json answer = json::parse(body);
  EXPECT_EQ(answer["choices"][0]["logprobs"]["token_logprobs"], json({nullptr, -0.66, -2.56}));
  EXPECT_EQ(answer["choices"][0]["text"], "AB");
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(answer["choices"][1]["logprobs"]["token_logprobs"], json({nullptr, -2.56}));
  EXPECT_EQ(answer["usage"]["completion_tokens"], 2);
}

TEST(Server, Chats) {
  const RunningServer server;
  const auto [status, body] =
      server.post(kChat, R"({"messages": [{"role": "user", "content": "hi"}], "max_tokens": 3,
                             "logprobs": true, "top_logprobs": 2, "seed": 0})");
  ASSERT_EQ(status, 200) << body;
  const json answer = json::parse(body);
  EXPECT_EQ(answer["object"], "chat.completion");
  EXPECT_EQ(answer["choices"][0]["message"]["role"], "assistant");
  EXPECT_EQ(answer["choices"][0]["message"]["content"].get<std::string>().size(), 3U);
  EXPECT_EQ(answer["choices"][0]["logprobs"]["content"].size(), 3U);
}

TEST(Server, StreamsWhatItWouldAnswerWhole) {
  const RunningServer server;
  const std::string fields =
      R"("max_tokens": 6, "n": 2, "echo": true, "logprobs": 2, "trace": 2, "stop": ["lm"])";
  const json whole = complete(server, fields);
  const auto [status, body] =
      server.post(kCompletions, R"({"prompt": "!", "seed": 0, "stream": true,
                        "stream_options": {"include_usage": true}, )" +
                                    fields + "}");
  std::vector<json> events = events_of(body);
  ASSERT_GT(events.size(), 4U);
  EXPECT_EQ(events.back(), "[DONE]");
  events.pop_back();
  EXPECT_EQ(events.back()["usage"], whole["usage"]);
  EXPECT_EQ(events.back()["choices"], json::array());
  events.pop_back();
  json choices = json::array({{{"text", ""}}, {{"text", ""}}});
  for (const json& event : events) {
    const json& chunk = event["choices"][0];
    json& choice = choices[chunk["index"].get<size_t>()];
    choice["text"] = choice["text"].get<std::string>() + chunk["text"].get<std::string>();
    choice["finish_reason"] = chunk["finish_reason"];
    choice["index"] = chunk["index"];
    for (const json& token : chunk["thinking"]) {
      choice["thinking"].push_back(token);
    }
    for (const auto& [key, list] : chunk["logprobs"].items()) {
      for (const json& value : list) {
        choice["logprobs"][key].push_back(value);
      }
    }
  }
  EXPECT_EQ(choices, json(whole["choices"]));
  EXPECT_EQ(whole["choices"][0]["text"], "!hijk");
  EXPECT_EQ(whole["choices"][0]["finish_reason"], "stop");
}

TEST(Server, StreamsAChat) {
  const RunningServer server;
  const auto [status, body] =
      server.post(kChat, R"({"messages": [{"role": "user", "content": "hi"}], "max_tokens": 2,
                             "stream": true})");
  const std::vector<json> events = events_of(body);
  ASSERT_EQ(events.size(), 5U) << "role, two tokens, the end, [DONE]";
  EXPECT_EQ(events[0]["choices"][0]["delta"]["role"], "assistant");
  EXPECT_EQ(events[3]["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(events[4], "[DONE]");
}

TEST(Server, StreamsToAClientThatKnowsNoChunks) {
  const RunningServer server;
  RawClient client(server.port());
  const std::string body = R"({"prompt": "!", "seed": 0, "max_tokens": 2, "stream": true})";
  client.send(
      "POST /v1/completions HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  const std::string answer = client.receive_all();
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(answer.find("chunked"), std::string::npos);
  EXPECT_EQ(events_of(answer).size(), 4U);
}

TEST(Server, TellsOfItsModel) {
  const RunningServer server;
  const json list = json::parse(server.get("/v1/models").second);
  ASSERT_EQ(list["data"].size(), 1U);
  EXPECT_EQ(list["data"][0]["id"], "tiny");
  EXPECT_EQ(json::parse(server.get("/v1/models/tiny").second), list["data"][0]);
  EXPECT_EQ(error_of(server.get("/v1/models/huge")), "404 This server has one model: 'tiny'.");
}

TEST(Server, AnswersErrorsAsOpenAiDoes) {
  const RunningServer server;
  EXPECT_EQ(error_of(server.get("/v2/completions")), "404 There is nothing at this path.");
  EXPECT_EQ(server.get("/v1/models/tiny/more").first, 404);
  EXPECT_EQ(server.get("/v1/models/").first, 404);
  EXPECT_EQ(error_of(server.get(kCompletions)), "405 This path is asked by POST.");
  EXPECT_EQ(error_of(server.post("/v1/models", "{}")), "405 This path is asked by GET.");
  EXPECT_EQ(error_of(server.post(kCompletions, R"({"n": "x"})")),
            "400 'n' must be a whole number from 1 to 16, not \"x\".");
  EXPECT_EQ(error_of(server.post(kChat, "{")).substr(0, 30), "400 The body is not valid JSON");
  const auto plain = server.client().post(kCompletions, "{}", "text/plain");
  EXPECT_EQ(error_of({plain.status, plain.body}), "415 The Content-Type must be application/json.");
  const auto zipped =
      server.client().post(kCompletions, "{}", "application/json", {{"Content-Encoding", "gzip"}});
  EXPECT_EQ(error_of({zipped.status, zipped.body}),
            "415 A body with a Content-Encoding is not supported.");
}

TEST(Server, TellsWhenAPredictionIsNotFinite) {
  ServerSetup setup;
  setup.script = std::string(1, '\0');
  const RunningServer server(std::move(setup));
  EXPECT_EQ(error_of(server.post(kCompletions, "{}")).substr(0, 53),
            "400 The model's prediction was not a finite number: t");
  EXPECT_EQ(server.ended("failed"), 1);
}

TEST(Server, RefusesBodiesThatAreTooLarge) {
  ServerSetup setup;
  setup.limits.max_body_bytes = 1000;
  const RunningServer server(std::move(setup));
  const std::string large = R"({"prompt": ")" + std::string(2'000'000, 'a') + "\"}";
  EXPECT_EQ(error_of(server.post(kCompletions, large)),
            "413 The body has more than 1000 bytes, the limit of this server.");
  RawClient client(server.port());
  client.send(
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 20; ++i) {
    client.send("64\r\n" + std::string(100, ' ') + "\r\n");
  }
  EXPECT_EQ(client.receive_all().substr(0, 12), "HTTP/1.1 413");
  EXPECT_TRUE(client.closed());
}

TEST(Server, ReadsAChunkedBody) {
  const RunningServer server;
  RawClient client(server.port());
  client.send(
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n10\r\n\"max_tokens\":  1\r\n1\r\n}\r\n"
      "0\r\n\r\n");
  EXPECT_EQ(client.receive_until("usage").substr(0, 15), "HTTP/1.1 200 OK");
}

TEST(Server, FindsAModelWhoseNameHasASlash) {
  ServerSetup setup;
  setup.name = "org/model";
  const RunningServer server(std::move(setup));
  for (const char* path :
       {"/v1/models/org%2Fmodel", "/v1/models/org%2fmodel", "/v1/models/org/model"}) {
    EXPECT_EQ(json::parse(server.get(path).second)["id"], "org/model") << path;
  }
  EXPECT_EQ(server.get("/v1/models/org").first, 404);
}

TEST(Server, TellsOfItsTokenizer) {
  ServerSetup setup;
  setup.api_key = "secret";
  const RunningServer closed(std::move(setup));
  EXPECT_EQ(closed.get("/tokenizer_info").first, 401);
  EXPECT_EQ(closed.post("/tokenize", R"({"prompt": "a"})").first, 401);
  const RunningServer server;
  EXPECT_EQ(json::parse(server.post("/tokenize", R"({"prompt": "ab"})").second)["tokens"],
            json({97, 98}));
  EXPECT_EQ(json::parse(server.post("/detokenize", R"({"tokens": [97]})").second)["prompt"], "a");
  EXPECT_EQ(json::parse(server.get("/tokenizer_info").second)["eos_token_id"], 256);
  EXPECT_EQ(error_of(server.get("/tokenize")), "405 This path is asked by POST.");
  EXPECT_EQ(error_of(server.post("/tokenize", "{}")),
            "400 'prompt' is missing, and so are 'messages'.");
}

TEST(Server, ShowsThePage) {
  const RunningServer server;
  for (const WebFile& file : web_files()) {
    const auto answer = server.client().get("/" + std::string(file.name));
    EXPECT_EQ(answer.status, 200) << file.name;
    EXPECT_TRUE(answer.body == file.content) << file.name;
    EXPECT_EQ(answer.field("Content-Type"), content_type_of(file.name));
    EXPECT_NE(answer.field("Content-Security-Policy").find("default-src 'none'"),
              std::string::npos);
    const auto again = server.client().get("/" + std::string(file.name),
                                           {{"If-None-Match", std::string(file.etag)}});
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.body, "");
  }
  EXPECT_EQ(server.client().get("/").field("Content-Type"), "text/html; charset=utf-8");
  const auto head = server.client().ask("HEAD", "/");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
}

TEST(Server, KeepsConnectionsOpen) {
  const RunningServer server;
  RawClient client(server.port());
  for (int i = 0; i < 10; ++i) {
    client.send(post_bytes(kCompletions, i % 2 == 0 ? "{\"max_tokens\": 1}" : "{"));
    EXPECT_NE(client.receive_until(i % 2 == 0 ? "passes\":3}}" : "}}").find("HTTP/1.1"),
              std::string::npos);
  }
  const std::string counted = "ebt_http_requests_total{endpoint=\"/v1/completions\",status=";
  EXPECT_TRUE(server.reaches(counted + "\"400\"}", 5));
  EXPECT_TRUE(server.reaches(counted + "\"200\"}", 5));
}

TEST(Server, SurvivesTheLargestHeaders) {
  const RunningServer server;
  std::string ranges = "bytes=0-1";
  while (ranges.size() < 8000) {
    ranges += ",0-1";
  }
  for (const std::string header : {"Range", "Content-Type", "Cookie"}) {
    RawClient client(server.port());
    client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + header + ": " + ranges +
                "\r\n\r\n");
    EXPECT_EQ(client.receive_until("ok").substr(0, 15), "HTTP/1.1 200 OK") << header;
  }
  EXPECT_EQ(server.get("/" + std::string(8000, 'a')).first, 404);
  EXPECT_EQ(server.get("/" + std::string(20'000, 'a')).first, 414);
}

TEST(Server, RefusesImpossibleOptions) {
  ServerOptions options;
  options.port = 70'000;
  EXPECT_EQ(error_text([&] { options.check(); }),
            "port: 70000 is not a whole number from 0 to 65535");
  options = {};
  options.read_timeout_s = 0;
  EXPECT_EQ(error_text([&] { options.check(); }),
            "read-timeout: 0 is not a number of seconds up to 100000");
  RequestLimits limits;
  limits.max_texts = 0;
  EXPECT_EQ(error_text([&] { limits.check(); }),
            "max-texts: 0 is not a whole number from 1 to 1000000000");
}

}  // namespace
}  // namespace ebt::testing
