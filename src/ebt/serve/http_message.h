// A request as its handler sees it, and the answer that it fills in.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ebt {

struct HttpField {
  std::string name;
  std::string value;  // without space around it
};

// Of letters of ASCII, as the names of fields are made of.
char to_lower(char c);
bool equal_ignoring_case(std::string_view a, std::string_view b);
// Without spaces and tabs around it.
std::string_view trim_blanks(std::string_view text);

struct HttpRequest {
  std::string method;
  std::string path;                               // percent-decoded; "*" for `OPTIONS *`
  std::multimap<std::string, std::string> query;  // decoded
  std::string host;  // with its port; that of the target where the target names one
  std::vector<HttpField> fields;
  bool http_1_0 = false;

  bool has(std::string_view name) const;
  // The first field of this name; "" where there is none.
  std::string_view field(std::string_view name) const;
  // Whether a comma-separated list, such as Connection, has this word.
  bool lists(std::string_view name, std::string_view word) const;
};

// What a streamed body is written to.
class BodySink {
 public:
  virtual ~BodySink() = default;
  // False when the client has left or does not read.
  virtual bool write(std::string_view bytes) = 0;
  // The body is complete.
  virtual void done() = 0;
};

struct HttpResponse {
  int status = 200;
  std::vector<HttpField> fields;
  std::string body;
  // If there is one, it is called instead until it says that the body is done; false ends the
  // connection, and the client learns that the body is not complete.
  std::function<bool(BodySink&)> stream;

  // Replaces a field of this name.
  void set_field(std::string name, std::string value);
  void set_content(std::string content, std::string type);
};

class Connection;
class RequestReader;

// A request being answered.
struct HttpExchange {
  const HttpRequest& request;
  HttpResponse& response;
  RequestReader& reader;  // of the body
  Connection& connection;
};

}  // namespace ebt
