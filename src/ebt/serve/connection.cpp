#include "ebt/serve/connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace ebt {
namespace {

using Clock = Connection::Clock;

constexpr size_t kBlock_bytes = 16'384;

// For poll(): milliseconds, rounded up, from 0.
int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1'000'000));
}

}  // namespace

Connection::Connection(int socket, const ConnectionTimes& times)
    : socket_(socket), times_(times), buffer_(kBlock_bytes), request_start_(Clock::now()) {}

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
    begin_ = end_ = 0;
    if (buffer_.size() > kBlock_bytes) {
      buffer_ = std::vector<char>(kBlock_bytes);  // a large request leaves nothing behind
    }
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

void Connection::interrupt() const { shutdown(socket_, SHUT_RDWR); }

bool Connection::wait_for(short events, Clock::time_point deadline) const {
  pollfd polled = {socket_, events, 0};
  int ready = 0;
  do {
    ready = poll(&polled, 1, milliseconds_until(deadline));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

void Connection::make_room() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) {
    buffer_.resize(buffer_.size() + kBlock_bytes);
  }
}

Connection::Arrival Connection::receive(Clock::time_point deadline) {
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (end_ == buffer_.size()) {
    make_room();
  }
  ssize_t received = -1;
  do {
    if (!wait_for(POLLIN, deadline)) {
      return Arrival::kLate;
    }
    received = recv(socket_, buffer_.data() + end_, buffer_.size() - end_, 0);
  } while (received < 0 && (errno == EINTR || errno == EAGAIN));
  if (received <= 0) {
    return Arrival::kEnd;
  }
  end_ += static_cast<size_t>(received);
  return Arrival::kBytes;
}

bool Connection::write(std::string_view bytes) {
  const Clock::time_point deadline = Clock::now() + times_.write;
  while (!bytes.empty() && !broken_) {
    const ssize_t count = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<size_t>(count));
    } else if (errno == EAGAIN) {
      if (!wait_for(POLLOUT, deadline) || Clock::now() >= deadline) {
        abandon();
      }
    } else if (errno != EINTR) {
      abandon();
    }
  }
  return !broken_;
}

}  // namespace ebt
