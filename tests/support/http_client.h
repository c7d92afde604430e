// Asks a server of the loopback, a connection for each request, and takes nothing but a whole,
// well-framed answer. Independent of what the server is made of.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/raw_client.h"

namespace ebt::testing {

using HttpFields = std::vector<std::pair<std::string, std::string>>;

struct HttpAnswer {
  int status = -1;  // there is none
  HttpFields fields;
  std::string body;

  // Of this spelling; "" where there is none.
  std::string field(std::string_view name) const {
    for (const auto& [known, value] : fields) {
      if (known == name) {
        return value;
      }
    }
    return "";
  }
  bool has(std::string_view name) const { return !field(name).empty(); }
};

// Takes the line at the beginning of `text`; nothing where it does not end with CR LF.
inline std::optional<std::string> take_line(std::string_view& text) {
  const size_t end = text.find("\r\n");
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  std::string line(text.substr(0, end));
  text.remove_prefix(end + 2);
  return line;
}

// Takes a body in chunks.
inline std::optional<std::string> take_chunks(std::string_view& text) {
  std::string body;
  for (;;) {
    const auto line = take_line(text);
    if (!line || line->find_first_not_of("0123456789abcdef") != std::string::npos) {
      return std::nullopt;
    }
    const size_t size = std::stoull(*line, nullptr, 16);
    if (text.size() < size + 2 || text.substr(size, 2) != "\r\n") {
      return std::nullopt;
    }
    body += text.substr(0, size);
    text.remove_prefix(size + 2);
    if (size == 0) {
      return body;
    }
  }
}

// Takes the answer at the beginning of `text`, which is to have a body unless it `is_head`.
// Its status is -1 where there is none, or a part of one.
inline HttpAnswer take_answer(std::string_view& text, bool is_head = false) {
  HttpAnswer answer;
  const auto first = take_line(text);
  if (!first || first->size() < 13 || !first->starts_with("HTTP/1.1 ")) {
    return {};
  }
  for (auto line = take_line(text); !line || !line->empty(); line = take_line(text)) {
    const size_t colon = line ? line->find(": ") : std::string::npos;
    if (colon == std::string::npos) {
      return {};
    }
    answer.fields.emplace_back(line->substr(0, colon), line->substr(colon + 2));
  }
  answer.status = std::stoi(first->substr(9, 3));
  if (is_head || answer.status == 204 || answer.status == 304) {
    return answer;
  }
  if (answer.field("Transfer-Encoding") == "chunked") {
    const auto body = take_chunks(text);
    answer.body = body.value_or("");
    return body ? answer : HttpAnswer{};
  }
  if (!answer.has("Content-Length")) {  // until the server closes
    answer.body = std::string(std::exchange(text, {}));
    return answer;
  }
  const size_t size = std::stoull(answer.field("Content-Length"));
  answer.body = text.substr(0, size);
  text.remove_prefix(answer.body.size());
  return answer.body.size() == size ? answer : HttpAnswer{};
}

class HttpClient {
 public:
  explicit HttpClient(int port) : port_(port) {}

  // Sends this bearer token from now on.
  void set_token(const std::string& token) { token_ = token; }

  HttpAnswer get(const std::string& path, const HttpFields& fields = {}) const {
    return ask("GET", path, fields);
  }
  HttpAnswer post(const std::string& path, const std::string& body,
                  const std::string& type = "application/json", HttpFields fields = {}) const {
    fields.emplace_back("Content-Type", type);
    fields.emplace_back("Content-Length", std::to_string(body.size()));
    return ask("POST", path, fields, body);
  }
  HttpAnswer ask(const std::string& method, const std::string& path, const HttpFields& fields = {},
                 const std::string& body = "") const {
    std::string bytes = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n";
    for (const auto& [name, value] : fields) {
      bytes += name + ": " + value + "\r\n";
    }
    if (token_) {
      bytes += "Authorization: Bearer " + *token_ + "\r\n";
    }
    RawClient client(port_);
    client.send(bytes + "Connection: close\r\n\r\n" + body);
    const std::string text = client.receive_all(std::chrono::seconds(60));
    std::string_view rest = text;
    HttpAnswer answer = take_answer(rest, method == "HEAD");
    return client.closed() && rest.empty() ? answer : HttpAnswer{};
  }

 private:
  int port_;
  std::optional<std::string> token_;
};

}  // namespace ebt::testing
