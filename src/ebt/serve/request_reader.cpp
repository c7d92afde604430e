#include "ebt/serve/request_reader.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <limits>
#include <utility>

#include "ebt/serve/api_error.h"
#include "ebt/serve/head_scanner.h"
#include "ebt/serve/request_target.h"

namespace ebt {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using View = boost::beast::string_view;

// Of all chunks of a body together: they mean nothing to this server.
constexpr size_t kMostExtensions_bytes = 16'384;
// What is read of a body that nobody wants, so that the connection can go on.
constexpr size_t kMostDiscarded_bytes = 65'536;
constexpr std::chrono::milliseconds kMostDiscarding{1000};

[[noreturn]] void refuse(const std::string& why) {
  throw ApiError(400, "This is no HTTP request that the server understands: " + why + ".");
}

ApiError too_large(size_t most_bytes) {
  return {413,
          fmt::format("The body has more than {} bytes, the limit of this server.", most_bytes), "",
          "body_too_large"};
}

ApiError did_not_arrive() { return {400, "The body of the request did not arrive."}; }

size_t count_fields(const HttpRequest& request, std::string_view name) {
  return static_cast<size_t>(
      std::count_if(request.fields.begin(), request.fields.end(),
                    [&](const HttpField& field) { return equal_ignoring_case(field.name, name); }));
}

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }

}  // namespace

// Takes the message apart. What it is called back with is checked on the spot.
class RequestReader::Parser : public http::basic_parser<true> {
 public:
  Parser() {
    header_limit(kMostHead_bytes);
    body_limit(std::numeric_limits<uint64_t>::max());  // read_body() has one of its own
  }

  // Parses one element, such as the head or the header of a chunk; a part of a body goes to `body`.
  // Returns how many bytes it had; 0: more are needed.
  size_t parse(std::string_view bytes, std::string& body) {
    body_ = &body;
    error_code error;
    const bool in_body = is_header_done();
    failed_ = true;
    const size_t size = put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    if (error && error != http::error::need_more) {
      refuse(error.message());
    }
    if (in_body && chunked() && is_done()) {  // these were the last chunk and trailers
      check_folding(bytes.substr(0, size));
    }
    failed_ = false;
    return size;
  }

  // Whether parse() has thrown: it must not be called again.
  bool failed() const { return failed_; }

  HttpRequest request;
  std::string target;

 private:
  // Beast would unfold them.
  static void check_folding(std::string_view trailers) {
    if (trailers.find("\n ") != trailers.npos || trailers.find("\n\t") != trailers.npos) {
      refuse("a line of its trailers begins with a space");
    }
  }

  void on_request_impl(http::verb /*verb*/, View method, View given_target, int version,
                       error_code& /*error*/) override {
    request.method = std::string(method);
    request.http_1_0 = version == 10;
    target = std::string(given_target);
  }
  void on_response_impl(int, View, int, error_code&) override {}

  void on_field_impl(http::field /*field*/, View name, View value, error_code&) override {
    if (!is_header_done()) {
      request.fields.push_back({std::string(name), std::string(value)});
    } else if (++trailers_ > kMostFields) {  // which are not for this server
      throw ApiError(431, fmt::format("The request has more than {} trailers.", kMostFields));
    }
  }

  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<uint64_t>&, error_code&) override {}

  size_t on_body_impl(View bytes, error_code&) override {
    body_->append(bytes.data(), bytes.size());
    return bytes.size();
  }
  size_t on_chunk_body_impl(uint64_t /*remaining*/, View bytes, error_code& error) override {
    return on_body_impl(bytes, error);
  }
  void on_chunk_header_impl(uint64_t, View extensions, error_code&) override {
    extensions_bytes_ += extensions.size();
    if (extensions_bytes_ > kMostExtensions_bytes) {
      refuse("its chunks have long extensions");
    }
    if (std::any_of(extensions.begin(), extensions.end(), is_control)) {
      refuse("an extension of a chunk has a control character");
    }
  }
  void on_finish_impl(error_code&) override {}

  std::string* body_ = nullptr;
  bool failed_ = false;
  size_t extensions_bytes_ = 0;
  size_t trailers_ = 0;
};

RequestReader::RequestReader(Connection& connection)
    : connection_(connection), parser_(std::make_unique<Parser>()) {}

RequestReader::~RequestReader() = default;

const HttpRequest& RequestReader::request() const { return parser_->request; }

bool RequestReader::read_head() {
  HeadScanner scanner;
  while (!scanner.scan(connection_.received())) {
    if (connection_.receive(connection_.read_deadline()) != Connection::Arrival::kBytes) {
      return false;
    }
  }
  connection_.consume(scanner.begin());
  std::string none;
  connection_.consume(
      parser_->parse(connection_.received().substr(0, scanner.end() - scanner.begin()), none));
  check_framing();
  read_target(parser_->target, parser_->request);
  return true;
}

// Where the request ends must be told in one way, and its important fields once.
void RequestReader::check_framing() {
  const HttpRequest& request = parser_->request;
  for (const char* const name :
       {"Content-Length", "Transfer-Encoding", "Content-Type", "Authorization"}) {
    if (count_fields(request, name) > 1) {
      refuse(fmt::format("it has several fields {}", name));
    }
  }
  if (request.field("Content-Length").find_first_not_of("0123456789") != std::string_view::npos) {
    refuse("its Content-Length is not a number");
  }
  if (request.has("Transfer-Encoding")) {
    const std::string_view codings = request.field("Transfer-Encoding");
    if (request.http_1_0 || request.has("Content-Length")) {
      refuse("it has a Transfer-Encoding beside a Content-Length, or in HTTP/1.0");
    }
    const size_t last = std::min(codings.rfind(',') + 1, codings.size());
    if (!parser_->chunked() || !equal_ignoring_case(trim_blanks(codings.substr(last)), "chunked")) {
      refuse("its Transfer-Encoding does not end with chunked");
    }
    if (last > 0) {
      throw ApiError(501, "This server knows no Transfer-Encoding but chunked.");
    }
  }
  if (request.has("Expect") && !request.http_1_0) {
    if (!equal_ignoring_case(request.field("Expect"), "100-continue")) {
      throw ApiError(417, "This server can meet no expectation but 100-continue.");
    }
    awaits_continue_ = !parser_->is_done() && connection_.received().empty();
  }
}

bool RequestReader::read_some(std::string& body, Connection::Clock::time_point deadline) {
  for (;;) {
    const std::string_view bytes = connection_.received();
    const size_t size = bytes.empty() ? 0 : parser_->parse(bytes, body);
    connection_.consume(size);
    if (size > 0) {
      return true;
    }
    if (bytes.size() > kMostHead_bytes) {
      throw ApiError(
          431, fmt::format("The request has trailers of more than {} bytes.", kMostHead_bytes));
    }
    switch (connection_.receive(deadline)) {
      case Connection::Arrival::kBytes:
        break;
      case Connection::Arrival::kLate:
        return false;
      case Connection::Arrival::kEnd:
        throw did_not_arrive();
    }
  }
}

std::string RequestReader::read_body(size_t most_bytes) {
  if (parser_->content_length_remaining().value_or(0) > most_bytes) {
    throw too_large(most_bytes);  // before the client is asked for it
  }
  if (std::exchange(awaits_continue_, false)) {
    connection_.write("HTTP/1.1 100 Continue\r\n\r\n");
  }
  std::string body;
  while (!parser_->is_done()) {
    if (!read_some(body, connection_.read_deadline())) {
      throw did_not_arrive();
    }
    if (body.size() > most_bytes) {
      throw too_large(most_bytes);
    }
  }
  return body;
}

bool RequestReader::discard_body() {
  if (parser_->failed()) {
    return false;
  }
  if (awaits_continue_ || parser_->content_length_remaining().value_or(0) > kMostDiscarded_bytes) {
    return parser_->is_done();
  }
  const auto deadline =
      std::min(connection_.read_deadline(), Connection::Clock::now() + kMostDiscarding);
  std::string discarded;
  while (!parser_->is_done()) {
    if (!read_some(discarded, deadline) || discarded.size() > kMostDiscarded_bytes) {
      return false;
    }
  }
  return true;
}

}  // namespace ebt
