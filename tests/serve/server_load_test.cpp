// The server under clients that are many, slow, gone, or hostile, and at its end.
#include <gtest/gtest.h>

#include <future>
#include <set>

#include "ebt/serve/server.h"
#include "tests/support/running_server.h"

namespace ebt::testing {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr char kCompletions[] = "/v1/completions";

std::future<std::pair<int, std::string>> post_later(const RunningServer& server,
                                                    const std::string& body) {
  return std::async(std::launch::async,
                    [&server, body] { return server.post(kCompletions, body); });
}

TEST(ServerLoad, AnswersManyAtOnceAsItAnswersOne) {
  ServerSetup setup;
  setup.options.queue = 200;
  const RunningServer server(std::move(setup));
  std::vector<std::string> alone;
  for (int i = 0; i < 32; ++i) {
    const std::string body =
        fmt::format(R"({{"prompt": "p", "seed": {}, "max_tokens": {}}})", i, 5 + i);
    alone.push_back(json::parse(server.post(kCompletions, body).second)["choices"][0]["text"]);
  }
  std::vector<std::future<std::pair<int, std::string>>> answers;
  for (int i = 0; i < 32; ++i) {
    answers.push_back(post_later(
        server, fmt::format(R"({{"prompt": "p", "seed": {}, "max_tokens": {}}})", i, 5 + i)));
  }
  for (size_t i = 0; i < 32; ++i) {
    EXPECT_EQ(json::parse(answers[i].get().second)["choices"][0]["text"], alone[i]);
  }
  EXPECT_EQ(server.ended("answered"), 64);
}

TEST(ServerLoad, AnswersBy429WhenTheQueueIsFull) {
  ServerSetup setup;
  setup.capacity = 1;
  setup.options.queue = 2;
  const RunningServer server(std::move(setup));
  server.controls->held = true;
  std::vector<std::future<std::pair<int, std::string>>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(post_later(server, R"({"max_tokens": 2})"));
  }
  ASSERT_TRUE(server.reaches("ebt_requests_open", 3));
  const auto refused = server.client().post(kCompletions, "{}");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.field("Retry-After"), "1");
  EXPECT_EQ(json::parse(refused.body)["error"]["code"], "queue_full");
  server.controls->held = false;
  for (auto& answer : waiting) {
    EXPECT_EQ(answer.get().first, 200);
  }
  EXPECT_EQ(server.post(kCompletions, R"({"max_tokens": 2})").first, 200);
  EXPECT_EQ(server.metric("ebt_requests_accepted_total"), 4);
}

TEST(ServerLoad, CancelsWhenTheClientOfAWholeAnswerLeaves) {
  const RunningServer server;
  server.controls->held = true;
  RawClient client(server.port());
  client.send(post_bytes(kCompletions, R"({"max_tokens": 4000})"));
  ASSERT_TRUE(server.reaches("ebt_texts_running", 1));
  client.leave();
  EXPECT_TRUE(server.reaches("ebt_texts_running", 0));
  EXPECT_TRUE(server.reaches("ebt_requests_open", 0));
  EXPECT_EQ(server.ended("client_left"), 1);
  EXPECT_TRUE(
      server.reaches("ebt_http_requests_total{endpoint=\"/v1/completions\",status=\"499\"}", 1));
}

TEST(ServerLoad, CancelsWhenTheClientOfAStreamLeaves) {
  const RunningServer server;
  server.controls->hold_after = 3;
  RawClient client(server.port());
  client.send(post_bytes(kCompletions, R"({"max_tokens": 4000, "stream": true, "trace": 2})"));
  EXPECT_NE(client.receive_until("thinking").find("200 OK"), std::string::npos);
  client.leave();
  EXPECT_TRUE(server.reaches("ebt_texts_running", 0));
  EXPECT_TRUE(server.reaches("ebt_requests_open", 0));
  EXPECT_EQ(server.ended("client_left"), 1);
}

TEST(ServerLoad, GivesUpOnAClientThatDoesNotRead) {
  ServerSetup setup;
  setup.options.write_timeout_s = 0.3;
  const RunningServer server(std::move(setup));
  RawClient client(server.port(), 4096);
  // More than the system's buffers of both sides hold.
  client.send(post_bytes(kCompletions, R"({"max_tokens": 4000, "stream": true, "trace": 2, "n": 4,
                                           "thinking": {"steps": 40}})"));
  EXPECT_TRUE(server.reaches("ebt_requests_accepted_total", 1));
  EXPECT_TRUE(server.reaches("ebt_requests_open", 0));
  EXPECT_EQ(server.ended("client_left"), 1);
  EXPECT_TRUE(server.reaches("ebt_texts_running", 0));
}

TEST(ServerLoad, ServesOthersBesideAClientThatReadsSlowly) {
  const RunningServer server;
  RawClient slow(server.port(), 4096);
  slow.send(post_bytes(kCompletions, R"({"max_tokens": 500, "stream": true, "trace": 2, "n": 2})"));
  ASSERT_TRUE(server.reaches("ebt_requests_accepted_total", 1));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(server.post(kCompletions, R"({"max_tokens": 5})").first, 200);
  }
  EXPECT_NE(slow.receive_until("[DONE]").find("[DONE]"), std::string::npos);
  EXPECT_TRUE(server.reaches("ebt_requests_finished_total{outcome=\"answered\"}", 21));
}

TEST(ServerLoad, EndsRequestsAtTheirDeadline) {
  ServerSetup setup;
  setup.options.request_timeout_s = 0.2;
  const RunningServer server(std::move(setup));
  server.controls->held = true;
  const auto [status, body] = server.post(kCompletions, "{}");
  EXPECT_EQ(status, 503);
  EXPECT_EQ(json::parse(body)["error"]["code"], "timeout");
  const auto [stream_status, events] = server.post(kCompletions, R"({"stream": true})");
  EXPECT_EQ(stream_status, 200);
  ASSERT_EQ(events_of(events).size(), 1U);
  EXPECT_EQ(events_of(events)[0]["error"]["code"], "timeout");
  EXPECT_EQ(server.ended("timed_out"), 2);
  EXPECT_TRUE(server.reaches("ebt_texts_running", 0));
}

TEST(ServerLoad, GivesUpOnARequestThatDoesNotArrive) {
  ServerSetup setup;
  setup.options.read_timeout_s = 0.3;
  const RunningServer server(std::move(setup));
  RawClient body(server.port());
  body.send(
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 100\r\n\r\n{");
  RawClient header(server.port());
  // A byte now and then does not help.
  std::string answer;
  for (int i = 0; i < 1000 && !header.closed(); ++i) {
    header.send("G");
    answer += header.receive_until("never", milliseconds(50));
  }
  EXPECT_TRUE(header.closed());
  EXPECT_EQ(answer, "");
  EXPECT_NE(body.receive_all().find("400 Bad Request"), std::string::npos);
  EXPECT_TRUE(body.closed());
}

TEST(ServerLoad, ClosesConnectionsThatAreNotUsed) {
  ServerSetup setup;
  setup.options.idle_timeout_s = 0.2;
  const RunningServer server(std::move(setup));
  RawClient client(server.port());
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_TRUE(client.closed());
}

TEST(ServerLoad, AnswersWhatItAcceptedWhenItDrains) {
  RunningServer server;
  server.controls->held = true;
  auto whole = post_later(server, R"({"max_tokens": 10})");
  auto stream = post_later(server, R"({"max_tokens": 10, "stream": true})");
  RawClient idle(server.port());
  idle.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  idle.receive_until("ok");
  ASSERT_TRUE(server.reaches("ebt_requests_open", 2));
  server.server().drain();
  idle.receive_all();
  EXPECT_TRUE(idle.closed()) << "at once";
  EXPECT_FALSE(server.server().wait_until_idle(milliseconds(50)));
  EXPECT_FALSE(RawClient(server.port()).connected());
  server.controls->held = false;
  EXPECT_EQ(whole.get().first, 200);
  EXPECT_NE(stream.get().second.find("[DONE]"), std::string::npos);
  EXPECT_TRUE(server.server().wait_until_idle(kPatience));
}

TEST(ServerLoad, CancelsWhatRunsWhenItIsStopped) {
  RunningServer server;
  server.controls->held = true;
  auto whole = post_later(server, R"({"max_tokens": 10})");
  auto stream = post_later(server, R"({"max_tokens": 10, "stream": true})");
  ASSERT_TRUE(server.reaches("ebt_requests_open", 2));
  server.server().drain();
  server.server().cancel_all();
  const auto [status, body] = whole.get();
  EXPECT_EQ(status, 503);
  EXPECT_EQ(json::parse(body)["error"]["code"], "stopping");
  EXPECT_EQ(events_of(stream.get().second).back()["error"]["code"], "stopping");
  EXPECT_TRUE(server.server().wait_until_idle(kPatience));
}

TEST(ServerLoad, TellsItsClientsWhenTheEngineFails) {
  RunningServer server;
  server.controls->fail_after = 3;
  const auto [status, body] = server.post(kCompletions, R"({"max_tokens": 10})");
  EXPECT_EQ(status, 500);
  EXPECT_EQ(json::parse(body)["error"]["message"],
            "The server has failed: the generator was told to fail.");
  EXPECT_EQ(server.post(kCompletions, "{}").first, 503);
  EXPECT_EQ(server.get("/healthz").first, 503);
  EXPECT_EQ(server.server().failure(), "the generator was told to fail");
}

TEST(ServerLoad, MayEndWhileClientsAreThere) {
  for (int round = 0; round < 5; ++round) {
    RunningServer server;
    std::vector<std::future<std::pair<int, std::string>>> answers;
    for (int i = 0; i < 8; ++i) {
      answers.push_back(std::async(std::launch::async, [port = server.port()] {
        RawClient client(port);
        client.send(post_bytes(kCompletions, R"({"max_tokens": 2000, "stream": true})"));
        return std::pair(0, client.receive_all());
      }));
    }
    while (server.metric("ebt_requests_accepted_total") < 8) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    server.stop();
    for (auto& answer : answers) {
      answer.get();
    }
  }
}

}  // namespace
}  // namespace ebt::testing
