// The HTTP server of a model of texts, of images, or of both: routes, access, errors, and an
// orderly end.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ebt/serve/http_server.h"
#include "ebt/serve/limits.h"
#include "ebt/serve/metrics.h"
#include "ebt/serve/server_options.h"
#include "ebt/serve/services.h"
#include "ebt/serve/web_files.h"

namespace ebt {

class Server {
 public:
  // `api_key`: the bearer token that requests must carry; empty: none. Throws Error when the
  // options are impossible, the tokenizer lacks tokens of its model, or two models have one name.
  Server(const ServerOptions& options, const RequestLimits& limits, std::string api_key,
         ModelSources sources);
  // Stops at once.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Begins to answer; returns the port. Throws Error when it cannot listen.
  int start();
  // Accepts no more connections and requests; those accepted are still answered. Returns at once.
  void drain();
  // Cancels all texts and images: their requests are answered by 503.
  void cancel_all();
  // Waits until everything has been answered; false if that takes longer. To be called after
  // drain().
  bool wait_until_idle(std::chrono::milliseconds most) { return http_.wait_until_idle(most); }
  // Why the engine of texts has stopped working, if it has; an image that fails is alone with it.
  std::optional<std::string> failure() const;
  int64_t open_requests() const { return metrics_.requests_open; }

 private:
  // What is asked for by a method and a path.
  struct Route {
    std::string method;                               // GET is HEAD as well
    std::string path;                                 // with '/' at its end: all paths below it
    std::string endpoint;                             // what it is counted as
    bool is_open;                                     // to whoever has no bearer token
    std::function<void(const HttpExchange&)> answer;  // may throw ApiError
  };

  // The first route of a path, or nullptr.
  const Route* find_route(std::string_view path) const;
  void answer(const HttpExchange& exchange) const;
  void route(const HttpExchange& exchange) const;
  void check_host(const HttpRequest& request) const;
  void check_access(const HttpRequest& request) const;
  // Throws ApiError when there is no such model, or the server is about to end.
  void check_service(bool exists, const char* of) const;
  // The body of a request about the model of texts. Throws ApiError, also where there is none.
  std::string read_about_texts(const HttpExchange& exchange) const;
  void complete(const HttpExchange& exchange, Endpoint endpoint);
  void denoise(const HttpExchange& exchange);
  void send_models(HttpResponse& response) const;
  void send_model(const HttpExchange& exchange) const;
  static void send_file(const WebFile& file, const HttpExchange& exchange);
  void send_health(HttpResponse& response) const;
  void send_metrics(HttpResponse& response);
  void add_routes();

  ServerOptions options_;
  RequestLimits limits_;
  std::string api_key_;
  Metrics metrics_;
  std::unique_ptr<TextService> texts_;    // or nullptr
  std::unique_ptr<ImageService> images_;  // or nullptr
  std::vector<Route> routes_;
  std::atomic<bool> draining_{false};
  HttpServer http_;  // last: its threads use all of the above
};

}  // namespace ebt
