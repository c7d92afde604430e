// Where the server listens, and whom it lets in.
#include <gtest/gtest.h>

#include "ebt/serve/server.h"
#include "tests/support/error_text.h"
#include "tests/support/running_server.h"

namespace ebt::testing {
namespace {

using nlohmann::json;

constexpr char kCompletions[] = "/v1/completions";

int status_of(const RunningServer& server, const std::string& bytes) {
  RawClient client(server.port());
  client.send(bytes);
  const std::string text = client.receive_all();
  std::string_view rest = text;
  return take_answer(rest).status;
}

TEST(Access, AsksForItsToken) {
  ServerSetup setup;
  setup.api_key = "secret";
  const RunningServer server(std::move(setup));
  const auto [status, body] = server.get("/v1/models");
  EXPECT_EQ(status, 401);
  EXPECT_EQ(json::parse(body)["error"]["message"],
            "This server asks for a bearer token: send it as the API key.");
  EXPECT_EQ(server.post(kCompletions, "{}").first, 401);
  EXPECT_EQ(server.get("/metrics").first, 401);
  EXPECT_EQ(server.get("/healthz").first, 200) << "says nothing but that it is there";
  EXPECT_EQ(server.get("/").first, 200) << "the page, which asks for the token";
  HttpClient client = server.client();
  for (const char* wrong : {"secre", "secrets", "", "Secret"}) {
    client.set_token(wrong);
    EXPECT_EQ(client.get("/v1/models").status, 401) << wrong;
  }
  client.set_token("secret");
  EXPECT_EQ(client.get("/v1/models").status, 200);
}

TEST(Access, ReadsTypesAndSchemesInAnyCaseOfLetters) {
  ServerSetup setup;
  setup.api_key = "secret";
  const RunningServer server(std::move(setup));
  const std::string body = "{\"max_tokens\": 1}";
  for (const char* scheme : {"bearer ", "BEARER ", "Bearer  "}) {
    EXPECT_EQ(server.client()
                  .post("/v1/completions", body, "APPLICATION/JSON;charset=utf-8",
                        {{"AUTHORIZATION", scheme + std::string("secret")}})
                  .status,
              200);
  }
  for (const char* other : {"Basic secret", "secret", "Bearersecret", "Bearer Secret", "Bearer"}) {
    const HttpAnswer answer = server.client().get("/v1/models", {{"Authorization", other}});
    EXPECT_EQ(answer.status, 401) << other;
    EXPECT_EQ(answer.field("WWW-Authenticate"), "Bearer");
  }
}

// Who gives its own name the address of this machine sends that name.
TEST(Access, AnswersAsLocalhostOnlyWhereThereIsNoKey) {
  const auto request = [](const std::string& host) {
    return "GET /healthz HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
  };
  const RunningServer open;
  for (const char* host : {"localhost", "LOCALHOST:80", "a.localhost:8080", "127.0.0.1",
                           "127.8.9.1:1", "[::1]", "[0:0:0:0:0:0:0:1]:80"}) {
    EXPECT_EQ(status_of(open, request(host)), 200) << host;
  }
  for (const char* host :
       {"evil.example", "localhost.evil.example", "notlocalhost", "127.0.0.1.nip.io", "128.0.0.1",
        "127.1", "0.0.0.0", "[::2]", "[::]", ".localhost"}) {
    EXPECT_EQ(status_of(open, request(host)), 403) << host;
  }
  // The target is more than the Host.
  EXPECT_EQ(status_of(open,
                      "GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n"
                      "Connection: close\r\n\r\n"),
            403);
  EXPECT_EQ(status_of(open,
                      "GET http://localhost/healthz HTTP/1.1\r\nHost: evil.example\r\n"
                      "Connection: close\r\n\r\n"),
            200);
  ServerSetup setup;
  setup.api_key = "secret";
  const RunningServer keyed(std::move(setup));
  EXPECT_EQ(status_of(keyed, request("any.example")), 200);
  ServerSetup named;
  named.options.host = "127.1";
  EXPECT_EQ(status_of(RunningServer(std::move(named)), request("127.1:80")), 200);
}

TEST(Access, ListensOnBothFamiliesOfLocalhost) {
  try {
    Listeners().open("::1", 0);
  } catch (const Error&) {
    GTEST_SKIP() << "this machine has no [::1]";
  }
  ServerSetup setup;
  setup.options.host = "localhost";
  const RunningServer server(std::move(setup));
  EXPECT_EQ(server.get("/healthz").first, 200);
  RawClient six(server.port(), 0, AF_INET6);
  six.send("GET /healthz HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(six.receive_all().substr(0, 12), "HTTP/1.1 200");
}

TEST(Access, SaysWhyItCannotListen) {
  const RunningServer server;
  Listeners other;
  EXPECT_EQ(error_text([&] { other.open("127.0.0.1", server.port()); }),
            fmt::format("serve: cannot listen on 127.0.0.1 port {}: Address already in use",
                        server.port()));
  EXPECT_EQ(error_text([&] { other.open("no.such.host.invalid", 0); }).substr(0, 53),
            "serve: there is no address 'no.such.host.invalid': Na");
}

TEST(Access, RefusesConnectionsBeyondItsNumber) {
  ServerSetup setup;
  setup.options.max_connections = 2;
  const RunningServer server(std::move(setup));
  RawClient first(server.port());
  RawClient second(server.port());
  first.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  second.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  first.receive_until("ok");
  second.receive_until("ok");
  RawClient third(server.port());
  third.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");  // unread, and no reason to reset
  const std::string answer = third.receive_all();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 503");
  const std::string body = answer.substr(answer.find("\r\n\r\n") + 4);
  EXPECT_TRUE(json::parse(body, nullptr, false).is_object()) << body;
  EXPECT_NE(answer.find("Content-Length: " + std::to_string(body.size()) + "\r\n"),
            std::string::npos);
  first.leave();
  bool let_in = false;
  for (int i = 0; i < 100 && !let_in; ++i) {
    let_in = server.get("/healthz").first == 200;
  }
  EXPECT_TRUE(let_in);
}

}  // namespace
}  // namespace ebt::testing
