// HTTP over TCP: accepts connections, each with a thread, reads requests from them, has them
// answered, and ends in order.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "ebt/serve/connection.h"
#include "ebt/serve/http_message.h"
#include "ebt/serve/listeners.h"

namespace ebt {

// Status of a request whose client left before it was answered: never sent, only counted.
inline constexpr int kClientLeftStatus = 499;

class HttpServer {
 public:
  // Fills in the answer to a request. What it throws is answered as an error.
  using Answer = std::function<void(const HttpExchange&)>;
  // Is told of every answer, those to what is no request included: these have no path.
  using Count =
      std::function<void(const HttpRequest&, const HttpResponse&, std::chrono::duration<double>)>;

  // Both are called by many threads at once. Further connections than `max_connections` are told
  // to come back later.
  HttpServer(const ConnectionTimes& times, int64_t max_connections, Answer answer, Count count);
  // Interrupts what is open.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Starts to listen; returns the port, which is a free one if `port` is 0. Connections are
  // accepted from accept_connections() on. Throws Error when it cannot.
  int listen_on(const std::string& host, int port);
  // Whether only this machine can connect.
  bool on_loopback() const { return listeners_.on_loopback(); }
  void accept_connections();
  // Stops accepting; connections end with the request they are at. Returns at once.
  void drain();
  // Waits for all connections to end; false if they do not in time. To be called after drain().
  bool wait_until_idle(std::chrono::milliseconds most);
  // Ends all connections.
  void interrupt();

  int64_t open_connections() const { return open_; }
  int64_t refused_connections() const { return refused_; }

 private:
  // Guarded by mutex_.
  struct Client {
    std::thread thread;
    Connection* connection = nullptr;  // while it is open
    bool ended = false;                // the thread is about to end
  };

  void accept_all();
  void accept_one(int listener);
  void add_client(int socket);
  // `count`: what the connection is one of, open_ or refusing_.
  void serve(Client& client, std::atomic<int64_t>& count, int socket);
  void answer_all(Connection& connection);
  bool answer_next(Connection& connection);
  void join_ended();

  ConnectionTimes times_;
  int64_t max_connections_;
  Answer answer_;
  Count count_;
  Listeners listeners_;
  int wake_ = -1;  // can be read once draining
  std::atomic<int64_t> open_{0};
  std::atomic<int64_t> refusing_{0};
  std::atomic<int64_t> refused_{0};
  std::atomic<bool> draining_{false};
  std::mutex mutex_;
  std::condition_variable ended_;
  std::list<Client> clients_;
  std::thread accepting_;
};

}  // namespace ebt
