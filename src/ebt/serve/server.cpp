#include "ebt/serve/server.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/serve/api_error.h"
#include "ebt/serve/completion_response.h"
#include "ebt/serve/image_response.h"
#include "ebt/serve/open_answer.h"
#include "ebt/serve/request_body.h"
#include "ebt/serve/web_files.h"

namespace ebt {
namespace {

constexpr char kCompletions[] = "/v1/completions";
constexpr char kChatCompletions[] = "/v1/chat/completions";
constexpr char kDenoise[] = "/v1/images/denoise";
constexpr char kModels[] = "/v1/models";
constexpr char kHealth[] = "/healthz";
constexpr char kMetrics[] = "/metrics";

// The page may load nothing from elsewhere, and no other page may frame it.
constexpr char kContentPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

ConnectionTimes connection_times(const ServerOptions& options) {
  return {milliseconds(options.read_timeout_s), milliseconds(options.write_timeout_s),
          milliseconds(options.idle_timeout_s)};
}

// "/v1/models/NAME"
bool is_model_path(const std::string& path) {
  return path.starts_with(std::string(kModels) + "/") &&
         path.find('/', sizeof kModels) == std::string::npos;
}

// What a path is counted as: few names, whatever is asked for.
std::string endpoint_of(const std::string& path) {
  for (const char* const known :
       {kCompletions, kChatCompletions, kDenoise, kModels, kHealth, kMetrics}) {
    if (path == known) {
      return known;
    }
  }
  if (is_model_path(path)) {
    return kModels;
  }
  return find_web_file(path) != nullptr ? "page" : "other";
}

bool is_post_path(const std::string& path) {
  return path == kCompletions || path == kChatCompletions || path == kDenoise;
}

// In a time that does not tell how much of it is right.
bool same_secret(const std::string& a, const std::string& b) {
  unsigned char difference = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i] ^ b[i % std::max<size_t>(b.size(), 1)]);
  }
  return difference == 0;
}

void send_error(const ApiError& error, httplib::Response& response) {
  response.status = error.status();
  if (error.status() == 429 || error.status() == 503) {
    response.set_header("Retry-After", "1");
  }
  response.set_content(to_line(error.to_json()), "application/json");
}

void send_exception(std::exception_ptr exception, httplib::Response& response) {
  try {
    std::rethrow_exception(std::move(exception));
  } catch (const ApiError& error) {
    send_error(error, response);
  } catch (const std::bad_alloc&) {
    send_error(ApiError(503, "The server has not enough memory for this.", "", "overloaded"),
               response);
  } catch (const std::exception& error) {
    send_error(ApiError(500, fmt::format("The server has failed: {}.", error.what())), response);
  }
}

// An error that httplib found.
void fill_in_error(httplib::Response& response) {
  if (!response.body.empty() || response.status == kClientLeftStatus) {
    return;
  }
  HttpServer::current().close_after_request();
  switch (response.status) {
    case 413:
      return send_error(ApiError(413, "The request is too large."), response);
    case 414:
      return send_error(ApiError(414, "The path of the request is too long."), response);
    case 500:
      return send_error(ApiError(500, "The server has failed."), response);
    default:
      return send_error(ApiError(400, "This is no HTTP request that the server understands."),
                        response);
  }
}

}  // namespace

Server::Server(const ServerOptions& options, const RequestLimits& limits, std::string api_key,
               ModelSources sources)
    : options_(options),
      limits_(limits),
      api_key_(std::move(api_key)),
      http_(connection_times(options), options.max_connections) {
  options_.check();
  limits_.check();
  EBT_CHECK(sources.texts || sources.images, "serve: there is no model");
  EBT_CHECK(
      !sources.texts || !sources.images || sources.texts->model.name != sources.images->model.name,
      "serve: the model of texts and that of images are both called '{}': give one another "
      "name with --name or --image-name",
      sources.texts->model.name);
  if (sources.texts) {
    texts_ = std::make_unique<TextService>(std::move(*sources.texts), options_, limits_, metrics_);
  }
  if (sources.images) {
    images_ =
        std::make_unique<ImageService>(std::move(*sources.images), options_, limits_, metrics_);
  }
  add_routes();
}

Server::~Server() {
  http_.drain();
  cancel_all();
}

void Server::cancel_all() {
  if (texts_) {
    texts_->engine.cancel_all();
  }
  if (images_) {
    images_->engine.cancel_all();
  }
}

std::optional<std::string> Server::failure() const {
  return texts_ ? texts_->engine.failure() : std::nullopt;
}

int Server::start() {
  const int port = http_.listen_on(options_.host, static_cast<int>(options_.port));
  http_.accept_connections();
  return port;
}

void Server::drain() {
  draining_ = true;
  http_.drain();
}

void Server::add_routes() {
  http_.set_pre_routing_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        try {
          return admit(request, response);
        } catch (const ApiError& error) {
          // The body has not been read, so that nothing can follow it.
          if (request.has_header("Content-Length") || request.has_header("Transfer-Encoding")) {
            HttpServer::current().close_after_request();
          }
          send_error(error, response);
          return Outcome::Handled;
        }
      });
  const auto post = [this](const char* path, Endpoint endpoint) {
    http_.Post(path, [this, endpoint](const httplib::Request& request, httplib::Response& response,
                                      const httplib::ContentReader& read) {
      complete(request, response, read, endpoint);
    });
  };
  post(kCompletions, Endpoint::kCompletions);
  post(kChatCompletions, Endpoint::kChat);
  http_.Post(kDenoise,
             [this](const httplib::Request& request, httplib::Response& response,
                    const httplib::ContentReader& read) { denoise(request, response, read); });
  http_.set_exception_handler(
      [](const httplib::Request&, httplib::Response& response, std::exception_ptr exception) {
        send_exception(std::move(exception), response);
      });
  http_.set_error_handler(
      [](const httplib::Request&, httplib::Response& response) { fill_in_error(response); });
  http_.set_logger([this](const httplib::Request& request, const httplib::Response& response) {
    count(request, response);
  });
}

Server::Outcome Server::admit(const httplib::Request& request, httplib::Response& response) {
  response.set_header("X-Content-Type-Options", "nosniff");
  if (!options_.cors.empty()) {
    response.set_header("Access-Control-Allow-Origin", options_.cors);
    response.set_header("Vary", "Origin");
    if (request.method == "OPTIONS") {
      response.set_header("Access-Control-Allow-Methods", "GET, POST");
      response.set_header("Access-Control-Allow-Headers", "Authorization, Content-Type");
      response.status = 204;
      return Outcome::Handled;
    }
  }
  if (endpoint_of(request.path) == "other") {
    throw ApiError(404, "There is nothing at this path.", "", "not_found");
  }
  const bool posts = is_post_path(request.path);
  const bool fits =
      posts ? request.method == "POST" : request.method == "GET" || request.method == "HEAD";
  if (!fits) {
    response.set_header("Allow", posts ? "POST" : "GET, HEAD");
    throw ApiError(405, fmt::format("This path is asked by {}.", posts ? "POST" : "GET"), "",
                   "method_not_allowed");
  }
  check_access(request);
  if (posts) {
    check_post(request);
    return Outcome::Unhandled;  // but routed
  }
  answer_get(request, response);
  return Outcome::Handled;
}

void Server::answer_get(const httplib::Request& request, httplib::Response& response) {
  const std::string& path = request.path;
  if (path == kHealth) {
    send_health(response);
  } else if (path == kMetrics) {
    send_metrics(response);
  } else if (path == kModels) {
    send_models(response);
  } else if (is_model_path(path)) {
    send_model(path.substr(sizeof kModels), response);
  } else {
    send_file(*find_web_file(path), request, response);
  }
}

void Server::check_access(const httplib::Request& request) const {
  const bool is_open = request.path == kHealth || find_web_file(request.path) != nullptr;
  if (api_key_.empty() || is_open) {
    return;
  }
  const std::string given = request.get_header_value("Authorization");
  if (!same_secret(given, "Bearer " + api_key_)) {
    throw ApiError(401,
                   given.empty() ? "This server asks for a bearer token: send it as the API key."
                                 : "The bearer token is not the one of this server.",
                   "", "invalid_api_key");
  }
}

void Server::check_post(const httplib::Request& request) const {
  using Type = std::string_view;
  static constexpr Type kTextTypes[] = {"application/json"};
  static constexpr Type kImageTypes[] = {"application/json", "image/png", "image/jpeg"};
  const bool is_image = request.path == kDenoise;
  if (is_image ? images_ == nullptr : texts_ == nullptr) {
    throw ApiError(404,
                   fmt::format("This server has no model of {}.", is_image ? "images" : "texts"),
                   "", "model_not_found");
  }
  if (draining_) {
    throw ApiError(503, "The server is about to end.", "", "stopping");
  }
  if (is_image) {
    check_body(request, kImageTypes, limits_.max_image_body_bytes);
  } else {
    check_body(request, kTextTypes, limits_.max_body_bytes);
  }
}

void Server::complete(const httplib::Request& request, httplib::Response& response,
                      const httplib::ContentReader& read, Endpoint endpoint) {
  Connection& connection = HttpServer::current();
  const std::string body = read_body(read, limits_.max_body_bytes, connection);
  texts_->completions.handle(body, endpoint, request, response, connection);
}

void Server::denoise(const httplib::Request& request, httplib::Response& response,
                     const httplib::ContentReader& read) {
  Connection& connection = HttpServer::current();
  ImagePlace place;
  try {
    place = images_->engine.reserve();
  } catch (const ApiError&) {
    connection.close_after_request();  // the body has not been read
    throw;
  }
  std::string body = read_body(read, limits_.max_image_body_bytes, connection);
  images_->handler.handle(std::move(place), std::move(body), request, response, connection);
}

void Server::send_models(httplib::Response& response) const {
  Json models = Json::array();
  if (texts_) {
    models.push_back(model_json(texts_->model));
  }
  if (images_) {
    models.push_back(model_json(images_->model, limits_));
  }
  response.set_content(to_line({{"object", "list"}, {"data", std::move(models)}}),
                       "application/json");
}

void Server::send_model(const std::string& name, httplib::Response& response) const {
  if (texts_ && name == texts_->model.name) {
    response.set_content(to_line(model_json(texts_->model)), "application/json");
  } else if (images_ && name == images_->model.name) {
    response.set_content(to_line(model_json(images_->model, limits_)), "application/json");
  } else if (texts_ && images_) {
    throw ApiError(404,
                   fmt::format("This server has two models: '{}' and '{}'.", texts_->model.name,
                               images_->model.name),
                   "model", "model_not_found");
  } else {
    throw ApiError(404,
                   fmt::format("This server has one model: '{}'.",
                               texts_ ? texts_->model.name : images_->model.name),
                   "model", "model_not_found");
  }
}

void Server::send_file(const WebFile& file, const httplib::Request& request,
                       httplib::Response& response) {
  response.set_header("Content-Security-Policy", kContentPolicy);
  response.set_header("Referrer-Policy", "no-referrer");
  response.set_header("Cache-Control", "no-cache");  // kept, but asked about
  response.set_header("ETag", std::string(file.etag));
  if (request.get_header_value("If-None-Match") == file.etag) {
    response.status = 304;
    return;
  }
  response.set_content(file.content.data(), file.content.size(), content_type_of(file.name));
}

void Server::send_health(httplib::Response& response) const {
  if (const auto why = failure()) {
    throw ApiError(503, "The server has failed: " + *why + ".");
  }
  response.set_content(to_line({{"status", draining_ ? "draining" : "ok"}}), "application/json");
}

void Server::send_metrics(httplib::Response& response) {
  metrics_.connections = http_.open_connections();
  metrics_.connections_refused = http_.refused_connections();
  response.set_content(metrics_.render(), "text/plain; version=0.0.4; charset=utf-8");
}

void Server::count(const httplib::Request& request, const httplib::Response& response) {
  const std::chrono::duration<double> seconds =
      Connection::Clock::now() - HttpServer::current().request_start();
  metrics_.count_answer(endpoint_of(request.path), response.status, seconds.count());
}

}  // namespace ebt
