// Options of a server: its address, its queue and its timeouts.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace ebt {

struct ServerOptions {
  std::string host = "127.0.0.1";
  int64_t port = 8080;
  std::string cors;
  int64_t queue = 64;
  int64_t image_queue = 16;
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
    visit("image-queue", image_queue, "images that may wait, likewise");
    visit("max-connections", max_connections, "open connections; each has a thread");
    visit("request-timeout", request_timeout_s, "seconds until an answer must be finished");
    visit("read-timeout", read_timeout_s, "seconds until a request must have arrived");
    visit("write-timeout", write_timeout_s, "seconds that a client may take to read a piece");
    visit("idle-timeout", idle_timeout_s, "seconds until an unused connection is closed");
  }
};

inline std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
}

}  // namespace ebt
