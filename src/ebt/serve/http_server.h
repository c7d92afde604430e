// HTTP over TCP: httplib parses requests, chooses handlers and writes answers; accepting
// connections, their number and their end are ours.
#pragma once

#include <httplib.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "ebt/serve/connection.h"

namespace ebt {

class HttpServer : public httplib::Server {
 public:
  // Every connection has a thread; further ones than `max_connections` are told to come back later.
  HttpServer(const ConnectionTimes& times, int64_t max_connections);
  // Interrupts what is open.
  ~HttpServer() override;
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Starts to listen; returns the port, which is a free one if `port` is 0. Connections are
  // accepted from accept_connections() on. Throws Error when it cannot.
  int listen_on(const std::string& host, int port);
  void accept_connections();
  // Stops accepting; connections end with the request they are at. Returns at once.
  void drain();
  // Waits for all connections to end; false if they do not in time. To be called after drain().
  bool wait_until_idle(std::chrono::milliseconds most);
  // Ends all connections.
  void interrupt();

  int64_t open_connections() const { return open_; }
  int64_t refused_connections() const { return refused_; }
  // The connection whose request this thread is handling.
  static Connection& current();

 private:
  // Guarded by mutex_.
  struct Client {
    std::thread thread;
    Connection* connection = nullptr;  // while it is open
    bool ended = false;                // the thread is about to end
  };

  void accept_all();
  void add_client(int socket);
  void serve(Client& client, int socket);
  void join_ended();

  ConnectionTimes times_;
  int64_t max_connections_;
  int listener_ = -1;
  int wake_ = -1;  // can be read once draining
  std::atomic<int64_t> open_{0};
  std::atomic<int64_t> refused_{0};
  std::atomic<bool> draining_{false};
  std::mutex mutex_;
  std::condition_variable ended_;
  std::list<Client> clients_;
  std::thread accepting_;
};

}  // namespace ebt
