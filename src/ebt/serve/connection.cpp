#include "ebt/serve/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ebt {
namespace {

using Clock = Connection::Clock;

// For poll(): milliseconds, rounded up, from 0.
int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1'000'000));
}

void read_address(const sockaddr_storage& address, std::string& ip, int& port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    port = ntohs(v4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    port = ntohs(v6.sin6_port);
  }
  ip = text.data();
}

}  // namespace

Connection::Connection(int socket, const ConnectionTimes& times)
    : socket_(socket), times_(times), request_start_(Clock::now()) {}

Connection::~Connection() {
  linger();
  close(socket_);
}

// Closing a socket that holds unread bytes resets the connection, and the client may lose the
// answer to a request that it is still sending. So what it sends is read for a moment more.
void Connection::linger() {
  constexpr std::chrono::milliseconds kMost{500};
  constexpr size_t kMost_bytes = 64 << 20;
  if (broken_) {
    return;
  }
  shutdown(socket_, SHUT_WR);
  const Clock::time_point deadline = Clock::now() + kMost;
  size_t total = 0;
  while (total < kMost_bytes && wait_for(POLLIN, deadline)) {
    const ssize_t received = recv(socket_, buffer_.data(), buffer_.size(), 0);
    if (received <= 0) {
      return;
    }
    total += static_cast<size_t>(received);
  }
}

bool Connection::await_request(int wake) {
  if (begin_ == end_) {
    std::array<pollfd, 2> waited = {{{socket_, POLLIN, 0}, {wake, POLLIN, 0}}};
    int ready = 0;
    do {
      ready = poll(waited.data(), waited.size(), milliseconds_until(Clock::now() + times_.idle));
    } while (ready < 0 && errno == EINTR);
    // A request that has begun to arrive is answered even when the server is about to end.
    if (ready <= 0 || waited[0].revents == 0) {
      return false;
    }
  }
  request_start_ = Clock::now();
  return true;
}

bool Connection::client_left() const {
  pollfd polled = {socket_, POLLRDHUP, 0};
  return broken_ || (poll(&polled, 1, 0) > 0 &&
                     (polled.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0);
}

void Connection::abandon() {
  broken_ = true;
  closing_ = true;
}

void Connection::interrupt() const { shutdown(socket_, SHUT_RDWR); }

bool Connection::is_readable() const { return begin_ < end_ || wait_for(POLLIN, Clock::now()); }

bool Connection::is_writable() const { return !client_left(); }

bool Connection::wait_for(short events, Clock::time_point deadline) const {
  pollfd polled = {socket_, events, 0};
  int ready = 0;
  do {
    ready = poll(&polled, 1, milliseconds_until(deadline));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

ssize_t Connection::read(char* bytes, size_t size) {
  if (begin_ == end_) {
    ssize_t received = -1;
    do {
      if (!wait_for(POLLIN, request_start_ + times_.read)) {
        closing_ = true;
        return -1;
      }
      received = recv(socket_, buffer_.data(), buffer_.size(), 0);
    } while (received < 0 && (errno == EINTR || errno == EAGAIN));
    if (received <= 0) {
      closing_ = true;
      return received;
    }
    begin_ = 0;
    end_ = static_cast<size_t>(received);
  }
  const size_t count = std::min(size, end_ - begin_);
  std::memcpy(bytes, buffer_.data() + begin_, count);
  begin_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t Connection::write(const char* bytes, size_t size) {
  const Clock::time_point deadline = Clock::now() + times_.write;
  for (size_t sent = 0; sent < size && !broken_;) {
    const ssize_t count = send(socket_, bytes + sent, size - sent, MSG_NOSIGNAL);
    if (count >= 0) {
      sent += static_cast<size_t>(count);
    } else if (errno == EAGAIN) {
      if (!wait_for(POLLOUT, deadline) || Clock::now() >= deadline) {
        abandon();
      }
    } else if (errno != EINTR) {
      abandon();
    }
  }
  return broken_ ? -1 : static_cast<ssize_t>(size);
}

void Connection::get_remote_ip_and_port(std::string& ip, int& port) const {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getpeername(socket_, reinterpret_cast<sockaddr*>(&address), &length) == 0) {
    read_address(address, ip, port);
  }
}

void Connection::get_local_ip_and_port(std::string& ip, int& port) const {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length) == 0) {
    read_address(address, ip, port);
  }
}

}  // namespace ebt
