// Errors of requests, in the form that OpenAI's clients understand.
#pragma once

#include <fmt/format.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "ebt/core/config_fields.h"
#include "ebt/serve/http_message.h"

namespace ebt {

// A request that is answered by an HTTP status and one sentence.
class ApiError : public std::runtime_error {
 public:
  // `param`: the field that is to blame; `code`: a word for programs. Both may be empty.
  ApiError(int status, const std::string& message, std::string param = "", std::string code = "");

  int status() const { return status_; }
  const std::string& param() const { return param_; }
  const std::string& code() const { return code_; }
  // {"error": {"message", "type", "param", "code"}}; the type follows from the status.
  Json to_json() const;

 private:
  int status_;
  std::string param_;
  std::string code_;
};

// Throws the ApiError of status 400 that blames a field.
template <class... Args>
[[noreturn]] void refuse_field(const std::string& param, fmt::format_string<Args...> format,
                               Args&&... args) {
  throw ApiError(400, fmt::format(format, std::forward<Args>(args)...), param);
}

// Turns an answer into that of an error; one that is no ApiError is the server's fault.
void answer_exception(const std::exception_ptr& exception, HttpResponse& response);

// JSON as it is sent: one line; bytes that are not UTF-8 become U+FFFD.
std::string to_line(const Json& json);

}  // namespace ebt
