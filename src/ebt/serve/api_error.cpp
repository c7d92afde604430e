#include "ebt/serve/api_error.h"

#include <new>

namespace ebt {
namespace {

const char* type_of(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 429:
      return "rate_limit_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

void answer_error(const ApiError& error, HttpResponse& response) {
  response.status = error.status();
  response.stream = nullptr;
  if (error.status() == 429 || error.status() == 503) {
    response.set_field("Retry-After", "1");
  }
  response.set_content(to_line(error.to_json()), "application/json");
}

}  // namespace

ApiError::ApiError(int status, const std::string& message, std::string param, std::string code)
    : std::runtime_error(message),
      status_(status),
      param_(std::move(param)),
      code_(std::move(code)) {}

Json ApiError::to_json() const {
  return {{"error",
           {{"message", what()},
            {"type", type_of(status_)},
            {"param", text_or_null(param_)},
            {"code", text_or_null(code_)}}}};
}

void answer_exception(const std::exception_ptr& exception, HttpResponse& response) {
  try {
    std::rethrow_exception(exception);
  } catch (const ApiError& error) {
    answer_error(error, response);
  } catch (const std::bad_alloc&) {
    answer_error(ApiError(503, "The server has not enough memory for this.", "", "overloaded"),
                 response);
  } catch (const std::exception& error) {
    answer_error(ApiError(500, fmt::format("The server has failed: {}.", error.what())), response);
  }
}

std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace ebt
