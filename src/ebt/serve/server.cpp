#include "ebt/serve/server.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/serve/api_error.h"
#include "ebt/serve/completion_response.h"
#include "ebt/serve/cors.h"
#include "ebt/serve/image_response.h"
#include "ebt/serve/request_body.h"
#include "ebt/serve/request_reader.h"
#include "ebt/serve/request_target.h"
#include "ebt/serve/tokenizer_api.h"
#include "ebt/serve/web_files.h"

namespace ebt {
namespace {

constexpr char kCompletions[] = "/v1/completions";
constexpr char kChatCompletions[] = "/v1/chat/completions";
constexpr char kDenoise[] = "/v1/images/denoise";
constexpr char kModels[] = "/v1/models";
constexpr char kTokenize[] = "/tokenize";
constexpr char kDetokenize[] = "/detokenize";
constexpr char kTokenizerInfo[] = "/tokenizer_info";
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

// In a time that does not tell how much of it is right.
bool same_secret(const std::string& a, const std::string& b) {
  unsigned char difference = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i] ^ b[i % std::max<size_t>(b.size(), 1)]);
  }
  return difference == 0;
}

// The token of "Bearer TOKEN"; "" where there is none. The scheme is in any case of letters.
std::string bearer_token(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) {
    return "";
  }
  authorization.remove_prefix(kScheme.size());
  authorization.remove_prefix(std::min(authorization.find_first_not_of(' '), authorization.size()));
  return std::string(authorization);
}

bool fits(std::string_view method, std::string_view asked) {
  return asked == method || (method == "GET" && asked == "HEAD");
}

void send_json(const Json& json, HttpResponse& response) {
  response.set_content(to_line(json), "application/json");
}

}  // namespace

Server::Server(const ServerOptions& options, const RequestLimits& limits, std::string api_key,
               ModelSources sources)
    : options_(options),
      limits_(limits),
      api_key_(std::move(api_key)),
      http_(
          connection_times(options), options.max_connections,
          [this](const HttpExchange& exchange) { answer(exchange); },
          [this](const HttpRequest& request, const HttpResponse& response,
                 std::chrono::duration<double> duration) {
            const Route* const route = find_route(request.path);
            metrics_.count_answer(route != nullptr ? route->endpoint : "other", response.status,
                                  duration.count());
          }) {
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
  const auto add = [this](const char* method, const std::string& path, const char* endpoint,
                          bool is_open, std::function<void(const HttpExchange&)> answer) {
    routes_.push_back({method, path, endpoint, is_open, std::move(answer)});
  };
  add("POST", kCompletions, kCompletions, false,
      [this](const HttpExchange& exchange) { complete(exchange, Endpoint::kCompletions); });
  add("POST", kChatCompletions, kChatCompletions, false,
      [this](const HttpExchange& exchange) { complete(exchange, Endpoint::kChat); });
  add("POST", kDenoise, kDenoise, false,
      [this](const HttpExchange& exchange) { denoise(exchange); });
  add("GET", kModels, kModels, false,
      [this](const HttpExchange& exchange) { send_models(exchange.response); });
  add("GET", kModels + std::string("/"), kModels, false,
      [this](const HttpExchange& exchange) { send_model(exchange); });
  add("POST", kTokenize, kTokenize, false, [this](const HttpExchange& exchange) {
    const std::string body = read_about_texts(exchange);
    send_json(tokenize(body, texts_->model), exchange.response);
  });
  add("POST", kDetokenize, kDetokenize, false, [this](const HttpExchange& exchange) {
    const std::string body = read_about_texts(exchange);
    send_json(detokenize(body, texts_->model), exchange.response);
  });
  add("GET", kTokenizerInfo, kTokenizerInfo, false, [this](const HttpExchange& exchange) {
    check_service(texts_ != nullptr, "texts");
    send_json(tokenizer_info(texts_->model), exchange.response);
  });
  add("GET", kHealth, kHealth, true,
      [this](const HttpExchange& exchange) { send_health(exchange.response); });
  add("GET", kMetrics, kMetrics, false,
      [this](const HttpExchange& exchange) { send_metrics(exchange.response); });
  for (const WebFile& file : web_files()) {
    const auto send = [&file](const HttpExchange& exchange) { send_file(file, exchange); };
    add("GET", "/" + std::string(file.name), "page", true, send);
    if (file.name == "index.html") {
      routes_.push_back({"GET", "/", "page", true, send});
    }
  }
}

const Server::Route* Server::find_route(std::string_view path) const {
  const auto found = std::find_if(routes_.begin(), routes_.end(), [&](const Route& route) {
    return path == route.path ||
           (route.path.size() > 1 && route.path.ends_with('/') && path.starts_with(route.path));
  });
  return found == routes_.end() ? nullptr : &*found;
}

void Server::answer(const HttpExchange& exchange) const {
  try {
    if (!options_.cors.empty() && share_with(options_.cors, exchange.request, exchange.response)) {
      return;
    }
    check_host(exchange.request);
    route(exchange);
  } catch (...) {
    answer_exception(std::current_exception(), exchange.response);
  }
}

void Server::route(const HttpExchange& exchange) const {
  const HttpRequest& request = exchange.request;
  HttpResponse& response = exchange.response;
  if (request.path == "*") {  // the server as a whole
    response.set_field("Allow", "GET, HEAD, POST, OPTIONS");
    response.status = 204;
    return;
  }
  const Route* const found = find_route(request.path);
  if (found == nullptr) {
    throw ApiError(404, "There is nothing at this path.", "", "not_found");
  }
  if (!fits(found->method, request.method)) {
    response.set_field("Allow", found->method == "GET" ? "GET, HEAD" : found->method);
    throw ApiError(405, fmt::format("This path is asked by {}.", found->method), "",
                   "method_not_allowed");
  }
  if (!found->is_open) {
    try {
      check_access(request);
    } catch (const ApiError&) {
      response.set_field("WWW-Authenticate", "Bearer");
      throw;
    }
  }
  found->answer(exchange);
}

// A page of another origin can give its own name the address of this machine (DNS rebinding), and
// is then of one origin with this server: only the Host tells the two apart.
void Server::check_host(const HttpRequest& request) const {
  if (http_.on_loopback() && api_key_.empty() && !request.host.empty() &&
      !is_loopback_host(request.host) && !is_host(request.host, options_.host)) {
    throw ApiError(403,
                   "This server answers as localhost only: a proxy before it must send that as the "
                   "Host, or the server ask for an API key.",
                   "", "host_not_allowed");
  }
}

void Server::check_access(const HttpRequest& request) const {
  if (api_key_.empty()) {
    return;
  }
  const std::string given = bearer_token(request.field("Authorization"));
  if (!same_secret(given, api_key_)) {
    throw ApiError(401,
                   given.empty() ? "This server asks for a bearer token: send it as the API key."
                                 : "The bearer token is not the one of this server.",
                   "", "invalid_api_key");
  }
}

void Server::check_service(bool exists, const char* of) const {
  if (!exists) {
    throw ApiError(404, fmt::format("This server has no model of {}.", of), "", "model_not_found");
  }
  if (draining_) {
    throw ApiError(503, "The server is about to end.", "", "stopping");
  }
}

std::string Server::read_about_texts(const HttpExchange& exchange) const {
  static constexpr std::string_view kTypes[] = {"application/json"};
  check_service(texts_ != nullptr, "texts");
  check_body(exchange.request, kTypes);
  return exchange.reader.read_body(static_cast<size_t>(limits_.max_body_bytes));
}

void Server::complete(const HttpExchange& exchange, Endpoint endpoint) {
  const std::string body = read_about_texts(exchange);
  texts_->completions.handle(body, endpoint, exchange.response, exchange.connection);
}

void Server::denoise(const HttpExchange& exchange) {
  static constexpr std::string_view kTypes[] = {"application/json", "image/png", "image/jpeg"};
  check_service(images_ != nullptr, "images");
  check_body(exchange.request, kTypes);
  ImagePlace place = images_->engine.reserve();
  std::string body = exchange.reader.read_body(static_cast<size_t>(limits_.max_image_body_bytes));
  images_->handler.handle(std::move(place), std::move(body), exchange.request, exchange.response,
                          exchange.connection);
}

void Server::send_models(HttpResponse& response) const {
  Json models = Json::array();
  if (texts_) {
    models.push_back(model_json(texts_->model));
  }
  if (images_) {
    models.push_back(model_json(images_->model, limits_));
  }
  send_json({{"object", "list"}, {"data", std::move(models)}}, response);
}

void Server::send_model(const HttpExchange& exchange) const {
  const std::string name = exchange.request.path.substr(sizeof kModels);
  if (texts_ && name == texts_->model.name) {
    send_json(model_json(texts_->model), exchange.response);
  } else if (images_ && name == images_->model.name) {
    send_json(model_json(images_->model, limits_), exchange.response);
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

void Server::send_file(const WebFile& file, const HttpExchange& exchange) {
  HttpResponse& response = exchange.response;
  response.set_field("Content-Security-Policy", kContentPolicy);
  response.set_field("Referrer-Policy", "no-referrer");
  response.set_field("Cache-Control", "no-cache");  // kept, but asked about
  response.set_field("ETag", std::string(file.etag));
  if (exchange.request.field("If-None-Match") == file.etag) {
    response.status = 304;
    return;
  }
  response.set_content(std::string(file.content), content_type_of(file.name));
}

void Server::send_health(HttpResponse& response) const {
  if (const auto why = failure()) {
    throw ApiError(503, "The server has failed: " + *why + ".");
  }
  send_json({{"status", draining_ ? "draining" : "ok"}}, response);
}

void Server::send_metrics(HttpResponse& response) {
  metrics_.connections = http_.open_connections();
  metrics_.connections_refused = http_.refused_connections();
  response.set_content(metrics_.render(), "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace ebt
