// Reads a request from a connection, by the framing of RFC 9112 without its leniencies: whatever
// two parsers could take for two different requests is refused. Boost.Beast takes messages apart,
// since among Debian's libraries it alone refuses bare line ends and faulty lengths by itself and
// leaves sockets and limits to us; what it grants beyond (folded lines, lists of lengths, any
// character in an extension of a chunk, more than one empty line before a request) is refused here.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "ebt/serve/connection.h"
#include "ebt/serve/http_message.h"

namespace ebt {

// The bounds of a request before its body, and of the trailers behind one.
inline constexpr size_t kMostFields = 100;
inline constexpr size_t kMostHead_bytes = 65'536;
inline constexpr size_t kMostRequestLine_bytes = 8192;

// For one request. After an ApiError from here the connection must be closed: where the next
// request begins is not known.
class RequestReader {
 public:
  explicit RequestReader(Connection& connection);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  // False when the client leaves before the request has a head, or is too slow. Throws ApiError.
  bool read_head();
  // Complete once the head is, and empty before.
  const HttpRequest& request() const;

  // The whole body. Throws ApiError when it is larger (413), faulty, or does not arrive.
  std::string read_body(size_t most_bytes);
  // Reads and forgets what is left of the body where that is little and arrives soon. False: the
  // next request cannot be found. Throws ApiError when the body is faulty.
  bool discard_body();

 private:
  class Parser;

  void check_framing();
  // Parses on, for a body that is not complete; false when the deadline passes before something
  // could be parsed.
  bool read_some(std::string& body, Connection::Clock::time_point deadline);

  Connection& connection_;
  std::unique_ptr<Parser> parser_;
  bool awaits_continue_ = false;  // the client sends its body only when it is asked for it
};

}  // namespace ebt
