// The sockets that a server listens on.
#pragma once

#include <string>
#include <vector>

namespace ebt {

class Listeners {
 public:
  Listeners() = default;
  ~Listeners();
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  // Listens at all addresses of `host`, with one port, a free one if it is 0; "localhost" is
  // 127.0.0.1 and, on machines that have IPv6, ::1. Throws Error when it cannot. To be called once.
  void open(const std::string& host, int port);
  // Whoever connects from now on is refused by the system.
  void shut() const;

  const std::vector<int>& sockets() const { return sockets_; }
  int port() const;
  // Whether only this machine can connect.
  bool on_loopback() const { return on_loopback_; }

 private:
  int listen_at_all(const std::vector<std::string>& addresses, int port);
  void close_all();

  std::vector<int> sockets_;
  bool on_loopback_ = true;
};

}  // namespace ebt
