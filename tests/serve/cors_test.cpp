// The server and pages of other origins.
#include <gtest/gtest.h>

#include "tests/support/running_server.h"

namespace ebt::testing {
namespace {

constexpr char kCompletions[] = "/v1/completions";

TEST(Cors, LetsPagesFromElsewhereInOnlyWhenTold) {
  const HttpFields from = {{"Origin", "https://a.example"}};
  const RunningServer closed;
  EXPECT_FALSE(closed.client().get("/v1/models", from).has("Access-Control-Allow-Origin"));
  EXPECT_EQ(closed.client().ask("OPTIONS", kCompletions).status, 405);
  ServerSetup setup;
  setup.options.cors = "https://a.example";
  setup.api_key = "secret";
  const RunningServer open(std::move(setup));
  for (const char* path : {"/v1/models", "/nothing", "/healthz"}) {
    const auto answer = open.client().get(path, from);
    EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), "https://a.example")
        << "on errors too: " << answer.status;
    EXPECT_EQ(answer.field("Access-Control-Expose-Headers"), "*");
    EXPECT_EQ(answer.field("Vary"), "Origin");
  }
}

TEST(Cors, AgreesToWhatTheClientOfAPageSends) {
  ServerSetup setup;
  setup.options.cors = "*";
  setup.api_key = "secret";
  const RunningServer server(std::move(setup));
  const std::string names = "authorization,content-type,x-stainless-arch,x-stainless-retry-count";
  const auto ask = [&](const std::string& headers) {
    return server.client().ask("OPTIONS", kCompletions,
                               {{"Origin", "https://a.example"},
                                {"Access-Control-Request-Method", "POST"},
                                {"Access-Control-Request-Private-Network", "true"},
                                {"Access-Control-Request-Headers", headers}});
  };
  const auto preflight = ask(names);
  EXPECT_EQ(preflight.status, 204) << "before the token is asked for";
  EXPECT_EQ(preflight.field("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(preflight.field("Access-Control-Allow-Headers"), names);
  EXPECT_EQ(preflight.field("Access-Control-Allow-Methods"), "GET, POST");
  EXPECT_EQ(preflight.field("Access-Control-Allow-Private-Network"), "true");
  EXPECT_EQ(preflight.field("Access-Control-Max-Age"), "7200");
  EXPECT_EQ(ask("x-a: b").field("Access-Control-Allow-Headers"), "Authorization, Content-Type")
      << "no list of names";
}

}  // namespace
}  // namespace ebt::testing
