// Where a request ends, and what becomes of the connection: every request has one answer, whatever
// is in it, and after a faulty one there is nothing more.
#include <gtest/gtest.h>

#include "tests/support/running_server.h"

namespace ebt::testing {
namespace {

constexpr char kHost[] = "Host: localhost\r\n";
// Answered by 404, if the connection goes on until here.
constexpr char kLast[] = "GET /last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

std::string health(const std::string& fields, const std::string& body = "") {
  return std::string("GET /healthz HTTP/1.1\r\n") + kHost + fields + "\r\n" + body;
}
std::string target(const std::string& text) {
  return "GET " + text + " HTTP/1.1\r\n" + kHost + "\r\n";
}
std::string chunked(const std::string& body, const std::string& fields = "") {
  return health("Transfer-Encoding: chunked\r\n" + fields, body);
}
std::string repeated(const std::string& text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i) {
    result += text;
  }
  return result;
}

// All answers to `bytes`. The last must be that by which the server closed, and says so.
std::vector<int> statuses_of(const RunningServer& server, const std::string& bytes) {
  RawClient client(server.port());
  client.send(bytes);
  const std::string text = client.receive_all();
  EXPECT_TRUE(client.closed());
  std::vector<int> statuses;
  std::string_view rest = text;
  while (!rest.empty()) {
    const HttpAnswer answer = take_answer(rest);
    statuses.push_back(answer.status);
    if (answer.status < 0) {
      ADD_FAILURE() << "no whole answer: " << text;
      break;
    }
    EXPECT_EQ(answer.field("Connection"), rest.empty() ? "close" : "");
  }
  return statuses;
}

struct Case {
  const char* what;
  std::string bytes;
  std::vector<int> statuses;  // of these bytes and kLast behind them
};

void expect_statuses(const std::vector<Case>& cases) {
  const RunningServer server;
  for (const Case& one : cases) {
    EXPECT_EQ(statuses_of(server, one.bytes + kLast), one.statuses) << one.what;
  }
}

TEST(Framing, FindsTheNextRequest) {
  const std::string inner = "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX: aaa\r\n\r\n";
  const std::string length = "Content-Length: " + std::to_string(inner.size()) + "\r\n";
  const std::string json_post = post_bytes("/v1/completions", "{\"max_tokens\": 1}");
  expect_statuses({
      {"plain", health(""), {200, 404}},
      {"two at once", health("") + health(""), {200, 200, 404}},
      {"in order", health("") + json_post + target("/v1/models"), {200, 200, 200, 404}},
      {"GET with a body", health(length, inner), {200, 404}},
      {"GET with a chunked body", chunked("5\r\nGET /\r\n0\r\n\r\n"), {200, 404}},
      {"a path that is unknown, with a body",
       std::string("PUT /nothing HTTP/1.1\r\n") + kHost + length + "\r\n" + inner,
       {404, 404}},
      {"another method, with a body",
       std::string("DELETE /healthz HTTP/1.1\r\n") + kHost + length + "\r\n" + inner,
       {405, 404}},
      {"OPTIONS with a body",
       std::string("OPTIONS * HTTP/1.1\r\n") + kHost + length + "\r\n" + inner,
       {204, 404}},
      {"an empty body", health("Content-Length: 0\r\n"), {200, 404}},
      {"zeros before a length", health("Content-Length: 0003\r\n", "abc"), {200, 404}},
      {"an empty line before", "\r\n" + health(""), {200, 404}},
      {"an empty line behind a body", health("Content-Length: 3\r\n", "abc\r\n"), {200, 404}},
      {"capital hexadecimal digits", chunked("00A\r\n0123456789\r\n0\r\n\r\n"), {200, 404}},
      {"extensions of chunks", chunked("1;a;b=c;d=\"e;\\\"f\"\r\nx\r\n0;last\r\n\r\n"), {200, 404}},
      {"trailers", chunked("0\r\nX: y\r\nHost: evil.example\r\n\r\n"), {200, 404}},
      {"a coding in capitals", health("Transfer-Encoding: CHUNKED\r\n", "0\r\n\r\n"), {200, 404}},
      {"space around a value", health("X:\t a b \t\r\nY:\r\n"), {200, 404}},
      {"bytes of UTF-8 in a value", health("X: \xc3\xa9\r\n"), {200, 404}},
      {"as many fields as there may be", health(repeated("X: y\r\n", 99)), {200, 404}},
      {"an upgrade that is not offered",
       health("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"),
       {200, 404}},
  });
}

TEST(Framing, ClosesWhenAsked) {
  expect_statuses({
      {"Connection: close", health("Connection: close\r\n"), {200}},
      {"Connection: Close", health("Connection: Close\r\n"), {200}},
      {"in a list", health("Connection: x, CLOSE\r\n"), {200}},
      {"in a second field", health("Connection: x\r\nConnection: close\r\n"), {200}},
      {"HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n", {200}},
      {"HTTP/1.0 with a body", "GET /healthz HTTP/1.0\r\nContent-Length: 2\r\n\r\nab", {200}},
  });
  const RunningServer server;
  RawClient client(server.port());
  client.send(std::string("GET /healthz HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n") + kLast);
  const std::string text = client.receive_all();
  EXPECT_NE(text.find("Connection: keep-alive\r\n"), std::string::npos);
  EXPECT_NE(text.find("HTTP/1.1 404"), std::string::npos);
}

TEST(Framing, RefusesLengthsThatCanBeReadInTwoWays) {
  std::vector<Case> cases = {
      {"twice", health("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), {400}},
      {"contradicting", health("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"), {400}},
      {"beside chunks", chunked("0\r\n\r\n", "Content-Length: 5\r\n"), {400}},
      {"before chunks",
       health("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
       {400}},
      {"chunks of HTTP/1.0",
       "GET /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       {400}},
      {"two fields of codings",
       health("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
       {400}},
      {"an unknown coding before chunks",
       health("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
       {501}},
  };
  for (const char* length : {"-1", "+3", "3 3", "3, 3", "3,", "0x3", "3a", "", "3.0", "\"3\"",
                             "1e1", "18446744073709551616", "99999999999999999999999"}) {
    cases.push_back(
        {length, health("Content-Length: " + std::string(length) + "\r\n", "abc"), {400}});
  }
  for (const char* coding :
       {"", "gzip", "identity", "xchunked", "chunked, gzip", "chunked, chunked", "chunked;q=1",
        "\"chunked\"", "chunked identity", ",chunked",
        "\x0b"
        "chunked"}) {
    cases.push_back({coding,
                     health("Transfer-Encoding: " + std::string(coding) + "\r\n", "0\r\n\r\n"),
                     {std::string_view(coding) == ",chunked" ? 501 : 400}});
  }
  expect_statuses(cases);
}

TEST(Framing, RefusesFaultyChunks) {
  for (const std::string body : {"x\r\n",
                                 "-1\r\nx\r\n0\r\n\r\n",
                                 "+1\r\nx\r\n0\r\n\r\n",
                                 "0x1\r\nx\r\n0\r\n\r\n",
                                 " 1\r\nx\r\n0\r\n\r\n",
                                 "1 \r\nx\r\n0\r\n\r\n",
                                 "1\nx\r\n0\r\n\r\n",
                                 "1\r\nx\n0\r\n\r\n",
                                 "1\r\nxy\r\n0\r\n\r\n",
                                 "1\r\nx0\r\n\r\n",
                                 "\r\nx\r\n0\r\n\r\n",
                                 ";a\r\nx\r\n0\r\n\r\n",
                                 "10000000000000001\r\nx\r\n0\r\n\r\n",
                                 "fffffffffffffffff\r\nx\r\n",
                                 "1;\r\nx\r\n0\r\n\r\n",
                                 "1;a=\r\nx\r\n0\r\n\r\n",
                                 "1;a=\"\n\"\r\nx\r\n0\r\n\r\n",
                                 "1;a\rb\r\nx\r\n0\r\n\r\n",
                                 "0\r\nX : y\r\n\r\n",
                                 "0\r\nX\r\n\r\n",
                                 "0\r\n: y\r\n\r\n",
                                 "0\r\nX: a\r\n b\r\n\r\n",
                                 "0\r\nX: y\nZ: z\r\n\r\n",
                                 "0\r\nContent-Length: 3\r\n\r\n",
                                 "0\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    std::vector<Case> cases = {{"GET", chunked(body), {400}}};
    cases.push_back(
        {"POST",
         std::string("POST /v1/completions HTTP/1.1\r\nContent-Type: application/json\r\n"
                     "Transfer-Encoding: chunked\r\n") +
             kHost + "\r\n" + body,
         {400}});
    SCOPED_TRACE(body);
    expect_statuses(cases);
  }
  expect_statuses({
      {"long extensions", chunked(repeated("1;" + std::string(999, 'a') + "\r\nx\r\n", 20)), {400}},
      {"many trailers", chunked("0\r\n" + repeated("X: y\r\n", 101) + "\r\n"), {431}},
      {"long trailers", chunked("0\r\nX: " + std::string(100'000, 'y')), {431}},
  });
}

TEST(Framing, RefusesFaultyHeads) {
  const std::string nul(1, '\0');
  expect_statuses({
      {"bare line feeds", "GET /healthz HTTP/1.1\nHost: localhost\n\n", {400}},
      {"a bare line feed", std::string("GET /healthz HTTP/1.1\r\n") + kHost + "\n", {400}},
      {"a bare carriage return", health("X: a\rY: b\r\n"), {400}},
      {"empty lines before", "\r\n\r\n" + health(""), {400}},
      {"a folded line", health("X: a\r\n b\r\n"), {400}},
      {"a folded first line", std::string("GET /healthz HTTP/1.1\r\n ") + kHost + "\r\n", {400}},
      {"a line of tabs", health("X: a\r\n\t\r\n"), {400}},
      {"space before a colon", health("X : a\r\n"), {400}},
      {"no name", health(": a\r\n"), {400}},
      {"no colon", health("X\r\n"), {400}},
      {"a name with a space", health("X Y: a\r\n"), {400}},
      {"a name of UTF-8", health("\xc3\xa9: a\r\n"), {400}},
      {"NUL in a name", health("X" + nul + ": a\r\n"), {400}},
      {"NUL in a value", health("X: a" + nul + "\r\n"), {400}},
      {"a control character", health("X: \x01\r\n"), {400}},
      {"DEL", health("X: \x7f\r\n"), {400}},
      {"too many fields", health(repeated("X: y\r\n", 100)), {431}},
      {"a long field", health("X: " + std::string(70'000, 'y') + "\r\n"), {431}},
      {"a field without end", health("X: ") + std::string(100'000, 'y'), {431}},
      {"a long target", target("/" + std::string(9000, 'a')), {414}},
      {"a line without end", std::string(100'000, 'G'), {414}},
      {"TLS", "\x16\x03\x01\x02" + nul, {400}},
      {"another expectation", health("Expect: tea\r\n"), {417}},
      {"two tokens", health("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"), {400}},
      {"two types", health("Content-Type: a\r\nContent-Type: b\r\n"), {400}},
      {"no method", std::string(" /healthz HTTP/1.1\r\n") + kHost + "\r\n", {400}},
      {"no token for a method", std::string("G(T / HTTP/1.1\r\n") + kHost + "\r\n", {400}},
      {"two spaces", target(" /healthz"), {400}},
      {"a space in the target", target("/heal thz"), {400}},
      {"a tab for a space", std::string("GET\t/healthz HTTP/1.1\r\n") + kHost + "\r\n", {400}},
      {"a space at the end", std::string("GET /healthz HTTP/1.1 \r\n") + kHost + "\r\n", {400}},
      {"HTTP/0.9", "GET /healthz\r\n", {400}},
      {"another protocol", std::string("GET /healthz HTTQ/1.1\r\n") + kHost + "\r\n", {400}},
      {"small letters", std::string("GET / http/1.1\r\n") + kHost + "\r\n", {400}},
      {"HTTP/2 by name", std::string("GET /healthz HTTP/2.0\r\n") + kHost + "\r\n", {505}},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {505}},
      {"HTTP/0.9 by name", "GET /healthz HTTP/0.9\r\n\r\n", {505}},
  });
}

TEST(Framing, TakesTargetsAsTheyStand) {
  std::vector<Case> cases;
  for (const char* path : {"/healthz", "/healthz?", "/healthz?a=b&c", "/%68ealth%7A",
                           "http://localhost/healthz", "HTTP://localhost:1/healthz?x",
                           "https://127.0.0.1/healthz", "http://localhost", "http://localhost?x"}) {
    cases.push_back({path, target(path), {200, 404}});
  }
  for (const char* path :
       {"/healthz/", "//healthz", "/./healthz", "/x/../healthz", "/healthz%2f", "/%2e%2e/healthz",
        "/%2Fhealthz", "/healthz;a", "/healthz%00", "/HEALTHZ", "http://localhost//healthz",
        "/http://localhost/healthz", "/v1/models/../../healthz"}) {
    cases.push_back({path, target(path), {404, 404}});
  }
  for (const char* path :
       {"healthz", "*", "localhost:80", "http:", "http://", "http:///healthz",
        "ftp://localhost/healthz", "http://a@localhost/healthz", "/healthz#a", "/healthz%",
        "/healthz%6", "/healthz%zz", "/healthz?a=%6x", "/\xc3\xa9"}) {
    cases.push_back({path, target(path), {400}});
  }
  cases.push_back({"CONNECT", std::string("CONNECT a:80 HTTP/1.1\r\n") + kHost + "\r\n", {400}});
  expect_statuses(cases);
}

TEST(Framing, NeedsOneHost) {
  std::vector<Case> cases = {
      {"none", "GET /healthz HTTP/1.1\r\n\r\n", {400}},
      {"none beside an absolute target", "GET http://localhost/healthz HTTP/1.1\r\n\r\n", {400}},
      {"two", health(kHost), {400}},
  };
  for (const char* host : {"", "a b", "a/b", "a@b", "a:b", "a:1:2", "[::1", "[g]", "::1", ":80",
                           "a,b\\", "localhost:123456", "%6c", "\xc3\xa9"}) {
    cases.push_back(
        {host, "GET /healthz HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n", {400}});
  }
  expect_statuses(cases);
}

TEST(Framing, AnswersAHeadAsAGetWithoutItsBody) {
  const RunningServer server;
  for (const char* path : {"/", "/healthz", "/nothing"}) {
    const HttpAnswer get = server.client().get(path);
    const HttpAnswer head = server.client().ask("HEAD", path);
    EXPECT_EQ(head.status, get.status);
    EXPECT_EQ(head.field("Content-Length"), std::to_string(get.body.size()));
    EXPECT_EQ(head.field("Content-Type"), get.field("Content-Type"));
    EXPECT_EQ(head.field("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(head.field("Date").size(), 29U);
  }
}

TEST(Framing, AsksForABodyOnlyWhenItReadsIt) {
  const RunningServer server;
  const std::string expectant = std::string(
                                    "Content-Type: application/json\r\nContent-Length: 17\r\n"
                                    "Expect: 100-Continue\r\n") +
                                kHost + "\r\n";
  RawClient client(server.port());
  client.send("POST /v1/completions HTTP/1.1\r\n" + expectant);
  EXPECT_EQ(client.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send(std::string("{\"max_tokens\": 1}") + kLast);
  const std::string text = client.receive_all();
  EXPECT_EQ(text.substr(0, 12), "HTTP/1.1 200");
  EXPECT_NE(text.find("HTTP/1.1 404"), std::string::npos);
  RawClient refused(server.port());
  refused.send("POST /nothing HTTP/1.1\r\n" + expectant);
  const std::string refusal = refused.receive_all();
  EXPECT_EQ(refusal.substr(0, 12), "HTTP/1.1 404");
  EXPECT_NE(refusal.find("Connection: close\r\n"), std::string::npos)
      << "whether the body will come is not known";
}

TEST(Framing, KeepsTheConnectionWhereARefusedBodyIsSmall) {
  ServerSetup setup;
  setup.api_key = "secret";
  setup.limits.max_body_bytes = 1000;
  const RunningServer server(std::move(setup));
  const auto post = [](const std::string& path, const std::string& fields, size_t size) {
    return "POST " + path + " HTTP/1.1\r\n" + kHost + fields +
           "Content-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x');
  };
  const std::string key = "Authorization: Bearer secret\r\n";
  const std::string type = "Content-Type: application/json\r\n";
  const std::string path = "/v1/completions";
  EXPECT_EQ(
      statuses_of(server, post(path, type, 60'000) + post("/nothing", type, 60'000) +
                              post("/healthz", type, 60'000) + post(path, key, 60'000) +
                              post(path, key + type, 60'000) + post(path, key + type, 10) + kLast),
      (std::vector{401, 404, 405, 415, 413, 400, 404}));
  for (const std::string& fields : {type, key, key + type}) {
    EXPECT_EQ(statuses_of(server, post(path, fields, 3'000'000) + kLast).size(), 1U)
        << "and it says that it closes";
  }
  // What does not arrive is not waited for.
  RawClient client(server.port());
  client.send("POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n");
  const std::string refusal = client.receive_all();
  EXPECT_EQ(refusal.substr(0, 12), "HTTP/1.1 404");
  EXPECT_NE(refusal.find("Connection: close\r\n"), std::string::npos);
}

}  // namespace
}  // namespace ebt::testing
