// The HTTP server of a model of texts, of images, or of both: routes, access, errors, and an
// orderly end.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

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
  using Outcome = httplib::Server::HandlerResponse;

  // What must hold before a body is read. Throws ApiError.
  Outcome admit(const httplib::Request& request, httplib::Response& response);
  void check_access(const httplib::Request& request) const;
  void check_post(const httplib::Request& request) const;
  void complete(const httplib::Request& request, httplib::Response& response,
                const httplib::ContentReader& read, Endpoint endpoint);
  void denoise(const httplib::Request& request, httplib::Response& response,
               const httplib::ContentReader& read);
  // The path must be a known one.
  void answer_get(const httplib::Request& request, httplib::Response& response);
  void send_models(httplib::Response& response) const;
  void send_model(const std::string& name, httplib::Response& response) const;
  static void send_file(const WebFile& file, const httplib::Request& request,
                        httplib::Response& response);
  void send_health(httplib::Response& response) const;
  void send_metrics(httplib::Response& response);
  void add_routes();
  void count(const httplib::Request& request, const httplib::Response& response);

  ServerOptions options_;
  RequestLimits limits_;
  std::string api_key_;
  Metrics metrics_;
  std::unique_ptr<TextService> texts_;    // or nullptr
  std::unique_ptr<ImageService> images_;  // or nullptr
  std::atomic<bool> draining_{false};
  HttpServer http_;  // last: its threads use all of the above
};

}  // namespace ebt
