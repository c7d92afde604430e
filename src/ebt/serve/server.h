// The HTTP server of one model: routes, access, errors, and an orderly end.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "ebt/serve/completion_handler.h"
#include "ebt/serve/engine.h"
#include "ebt/serve/http_server.h"
#include "ebt/serve/limits.h"
#include "ebt/serve/metrics.h"
#include "ebt/serve/served_model.h"
#include "ebt/serve/web_files.h"

namespace ebt {

struct ServerOptions {
  std::string host = "127.0.0.1";
  int64_t port = 8080;
  std::string cors;
  int64_t queue = 64;
  int64_t max_connections = 256;
  double request_timeout_s = 600;
  double read_timeout_s = 30;
  double write_timeout_s = 30;
  double idle_timeout_s = 60;

  // Throws Error naming the first impossible field.
  void check() const;

  template <class Visitor>
  void visit_fields(Visitor&& visit) {
    visit("host", host, "address to listen on; 0.0.0.0 lets other machines in");
    visit("port", port, "port to listen on; 0 takes a free one");
    visit("cors", cors, "origin whose pages may use the server, or *; default: none but its own");
    visit("queue", queue, "texts that may wait; beyond them requests are answered by 429");
    visit("max-connections", max_connections, "open connections; each has a thread");
    visit("request-timeout", request_timeout_s, "seconds until an answer must be finished");
    visit("read-timeout", read_timeout_s, "seconds until a request must have arrived");
    visit("write-timeout", write_timeout_s, "seconds that a client may take to read a piece");
    visit("idle-timeout", idle_timeout_s, "seconds until an unused connection is closed");
  }
};

class Server {
 public:
  // `api_key`: the bearer token that requests must carry; empty: none. Throws Error when the
  // options are impossible or the tokenizer lacks tokens of the model.
  Server(const ServerOptions& options, const RequestLimits& limits, ServedModel model,
         std::string api_key, std::unique_ptr<Generator> generator);
  // Stops at once.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Begins to answer; returns the port. Throws Error when it cannot listen.
  int start();
  // Accepts no more connections and requests; those accepted are still answered. Returns at once.
  void drain();
  // Cancels all texts: their requests are answered by 503.
  void cancel_all() { engine_.cancel_all(); }
  // Waits until everything has been answered; false if that takes longer. To be called after
  // drain().
  bool wait_until_idle(std::chrono::milliseconds most) { return http_.wait_until_idle(most); }
  // Why the engine has stopped working, if it has.
  std::optional<std::string> failure() const { return engine_.failure(); }
  int64_t open_requests() const { return metrics_.requests_open; }

 private:
  using Outcome = httplib::Server::HandlerResponse;

  // What must hold before a body is read. Throws ApiError.
  Outcome admit(const httplib::Request& request, httplib::Response& response);
  void check_access(const httplib::Request& request) const;
  void check_body(const httplib::Request& request) const;
  void complete(const httplib::Request& request, httplib::Response& response,
                const httplib::ContentReader& read, Endpoint endpoint);
  // The path must be a known one.
  void answer_get(const httplib::Request& request, httplib::Response& response);
  static void send_file(const WebFile& file, const httplib::Request& request,
                        httplib::Response& response);
  void send_health(httplib::Response& response) const;
  void send_metrics(httplib::Response& response);
  void add_routes();
  void count(const httplib::Request& request, const httplib::Response& response);

  ServerOptions options_;
  RequestLimits limits_;
  ServedModel model_;
  std::string api_key_;
  Metrics metrics_;
  Engine engine_;
  CompletionHandler completions_;
  std::atomic<bool> draining_{false};
  HttpServer http_;  // last: its threads use all of the above
};

}  // namespace ebt
