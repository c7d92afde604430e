#include "ebt/serve/http_server.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#include "ebt/core/error.h"

namespace ebt {
namespace {

thread_local Connection* current_connection = nullptr;

constexpr char kTooManyConnections[] =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
    "Content-Type: application/json\r\nContent-Length: 115\r\n\r\n"
    "{\"error\":{\"message\":\"The server has too many connections.\","
    "\"type\":\"server_error\",\"param\":null,\"code\":\"overloaded\"}}";

std::string error_text(int error_number) { return std::generic_category().message(error_number); }

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};

int port_of(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

HttpServer::HttpServer(const ConnectionTimes& times, int64_t max_connections)
    : times_(times), max_connections_(max_connections) {
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  EBT_CHECK(wake_ >= 0, "serve: cannot make an event: {}", error_text(errno));
  set_keep_alive_timeout(std::chrono::duration_cast<std::chrono::seconds>(times.idle).count());
  set_keep_alive_max_count(1'000'000);  // only tells clients that there is no limit
}

HttpServer::~HttpServer() {
  drain();
  interrupt();
  if (accepting_.joinable()) {
    accepting_.join();
  }
  wait_until_idle(std::chrono::hours(1));
  if (listener_ >= 0) {
    close(listener_);
  }
  close(wake_);
}

int HttpServer::listen_on(const std::string& host, int port) {
  constexpr int kBacklog = 256;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  EBT_CHECK(status == 0, "serve: there is no address '{}': {}", host, gai_strerror(status));
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
  int error = 0;
  for (const addrinfo* at = found; at != nullptr && listener_ < 0; at = at->ai_next) {
    const int socket = ::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (socket >= 0 && bind(socket, at->ai_addr, at->ai_addrlen) == 0 &&
        ::listen(socket, kBacklog) == 0) {
      listener_ = socket;
    } else {
      error = errno;
      close(socket);
    }
  }
  EBT_CHECK(listener_ >= 0, "serve: cannot listen on {} port {}: {}", host, port,
            error_text(error));
  svr_sock_ = listener_;  // httplib cuts answers short unless it sees a socket here
  return port_of(listener_);
}

void HttpServer::accept_connections() {
  accepting_ = std::thread([this] { accept_all(); });
}

void HttpServer::accept_all() {
  constexpr int kPauseMs = 20;
  std::array<pollfd, 2> waited = {{{listener_, POLLIN, 0}, {wake_, POLLIN, 0}}};
  while (!draining_) {
    poll(waited.data(), waited.size(), -1);
    if (draining_) {
      break;
    }
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket >= 0) {
      add_client(socket);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      poll(&waited[1], 1, kPauseMs);  // until connections end
    }
  }
  // Whoever connects now is refused by the system.
  shutdown(listener_, SHUT_RDWR);
}

void HttpServer::add_client(int socket) {
  const int yes = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  join_ended();
  if (open_ >= max_connections_) {
    ++refused_;
    send(socket, kTooManyConnections, sizeof kTooManyConnections - 1, MSG_NOSIGNAL);
    close(socket);
    return;
  }
  const std::lock_guard lock(mutex_);
  ++open_;
  Client& client = clients_.emplace_back();
  try {
    client.thread = std::thread([this, &client, socket] { serve(client, socket); });
  } catch (const std::system_error&) {  // no thread to be had
    clients_.pop_back();
    --open_;
    ++refused_;
    close(socket);
  }
}

void HttpServer::serve(Client& client, int socket) {
  {
    Connection connection(socket, times_);
    {
      const std::lock_guard lock(mutex_);
      client.connection = &connection;
    }
    current_connection = &connection;
    const auto simplify = [](httplib::Request& request) {
      request.ranges.clear();                    // answers are sent whole
      request.headers.erase("Accept-Encoding");  // and as they are
    };
    while (connection.await_request(wake_)) {
      const bool last = draining_;
      bool closed_by_client = false;
      if (!process_request(connection, last, closed_by_client, simplify) || last ||
          closed_by_client || connection.closing()) {
        break;
      }
    }
    current_connection = nullptr;
    const std::lock_guard lock(mutex_);
    client.connection = nullptr;
  }
  const std::lock_guard lock(mutex_);
  client.ended = true;
  --open_;
  ended_.notify_all();
}

void HttpServer::join_ended() {
  std::list<Client> ended;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = clients_.begin(); at != clients_.end();) {
      const auto next = std::next(at);
      if (at->ended) {
        ended.splice(ended.end(), clients_, at);
      }
      at = next;
    }
  }
  for (Client& client : ended) {
    client.thread.join();
  }
}

void HttpServer::drain() {
  draining_ = true;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
}

bool HttpServer::wait_until_idle(std::chrono::milliseconds most) {
  {
    std::unique_lock lock(mutex_);
    if (!ended_.wait_for(lock, most, [&] { return open_ == 0; })) {
      return false;
    }
  }
  join_ended();
  return true;
}

void HttpServer::interrupt() {
  svr_sock_ = INVALID_SOCKET;
  const std::lock_guard lock(mutex_);
  for (const Client& client : clients_) {
    if (client.connection != nullptr) {
      client.connection->interrupt();
    }
  }
}

Connection& HttpServer::current() { return *current_connection; }

}  // namespace ebt
