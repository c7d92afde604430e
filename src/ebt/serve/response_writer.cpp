#include "ebt/serve/response_writer.h"

#include <fmt/chrono.h>

#include <boost/beast/http/status.hpp>
#include <chrono>
#include <iterator>
#include <string>

namespace ebt {
namespace {

// A body may follow a head in one piece up to this size: that saves a packet.
constexpr size_t kSmallBody_bytes = 65'536;

bool has_no_body(int status) { return status == 204 || status == 304; }

std::string head_of(const HttpRequest& request, const HttpResponse& response, bool keep) {
  namespace http = boost::beast::http;
  const auto reason = http::obsolete_reason(static_cast<http::status>(response.status));
  std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\nDate: {:%a, %d %b %Y %H:%M:%S} GMT\r\nX-Content-Type-Options: nosniff\r\n",
      response.status, std::string_view(reason.data(), reason.size()),
      fmt::gmtime(std::chrono::system_clock::now()));
  for (const HttpField& field : response.fields) {
    fmt::format_to(std::back_inserter(head), "{}: {}\r\n", field.name, field.value);
  }
  if (!response.stream && !has_no_body(response.status)) {
    fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", response.body.size());
  } else if (response.stream && !request.http_1_0) {
    head += "Transfer-Encoding: chunked\r\n";
  }
  if (!keep) {
    head += "Connection: close\r\n";
  } else if (request.http_1_0) {
    head += "Connection: keep-alive\r\n";
  }
  return head + "\r\n";
}

class StreamedBody : public BodySink {
 public:
  StreamedBody(Connection& connection, bool chunked) : connection_(connection), chunked_(chunked) {}

  bool write(std::string_view bytes) override {
    if (bytes.empty() || !chunked_) {  // an empty chunk would end the body
      return connection_.write(bytes);
    }
    return connection_.write(fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes));
  }
  void done() override {
    done_ = true;
    if (chunked_) {
      connection_.write("0\r\n\r\n");
    }
  }
  bool is_done() const { return done_; }

 private:
  Connection& connection_;
  bool chunked_;
  bool done_ = false;
};

}  // namespace

bool write_response(const HttpRequest& request, const HttpResponse& response, bool keep,
                    Connection& connection) {
  if (response.stream && request.http_1_0) {
    keep = false;  // there are no chunks: the end of the connection is the end of the body
  }
  std::string head = head_of(request, response, keep);
  if (response.stream) {
    StreamedBody body(connection, !request.http_1_0);
    bool goes_on = connection.write(head);
    while (goes_on && !body.is_done()) {
      goes_on = response.stream(body);
    }
    return goes_on && keep;
  }
  const bool has_body = request.method != "HEAD" && !has_no_body(response.status);
  if (has_body && response.body.size() <= kSmallBody_bytes) {
    return connection.write(head + response.body) && keep;
  }
  return connection.write(head) && (!has_body || connection.write(response.body)) && keep;
}

}  // namespace ebt
