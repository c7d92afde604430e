// A TCP client that sends any bytes, reads slowly or not at all, and leaves when it likes.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace ebt::testing {

class RawClient {
 public:
  // Connects to the loopback of a family. `receive_bytes`: size of the system's buffer; 0: as
  // usual.
  explicit RawClient(int port, int receive_bytes = 0, int family = AF_INET)
      : socket_(socket(family, SOCK_STREAM, 0)) {
    if (receive_bytes > 0) {
      setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    }
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(static_cast<uint16_t>(port));
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = v4.sin_port;
    v6.sin6_addr = in6addr_loopback;
    const bool is_v4 = family == AF_INET;
    connected_ =
        connect(socket_,
                is_v4 ? reinterpret_cast<sockaddr*>(&v4) : reinterpret_cast<sockaddr*>(&v6),
                is_v4 ? sizeof v4 : sizeof v6) == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { leave(); }

  bool connected() const { return connected_; }

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return;
      }
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  // What arrives until `end` has arrived, the server closes, or nothing comes for `most`.
  std::string receive_until(std::string_view end,
                            std::chrono::milliseconds most = std::chrono::seconds(10)) {
    std::string text;
    std::array<char, 4096> buffer{};
    while (text.find(end) == std::string::npos) {
      pollfd polled = {socket_, POLLIN, 0};
      if (poll(&polled, 1, static_cast<int>(most.count())) <= 0) {
        break;
      }
      const ssize_t received = recv(socket_, buffer.data(), buffer.size(), 0);
      if (received <= 0) {
        closed_ = true;
        break;
      }
      text.append(buffer.data(), static_cast<size_t>(received));
    }
    return text;
  }
  // What arrives until the server closes.
  std::string receive_all(std::chrono::milliseconds most = std::chrono::seconds(10)) {
    return receive_until("this is never sent", most);
  }
  // Whether the server has closed, as far as was received.
  bool closed() const { return closed_; }

  void leave() {
    if (socket_ >= 0) {
      close(socket_);
    }
    socket_ = -1;
  }

 private:
  int socket_;
  bool connected_ = false;
  bool closed_ = false;
};

// A POST of JSON, as bytes.
inline std::string post_bytes(const std::string& path, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace ebt::testing
