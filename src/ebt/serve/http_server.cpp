#include "ebt/serve/http_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>
#include <vector>

#include "ebt/core/error.h"
#include "ebt/serve/api_error.h"
#include "ebt/serve/request_reader.h"
#include "ebt/serve/response_writer.h"

namespace ebt {
namespace {

// Connections that wait to have read that they are too many.
constexpr int64_t kMostRefusing = 16;
constexpr char kTooManyConnections[] =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
    "Content-Type: application/json\r\nContent-Length: 115\r\n\r\n"
    "{\"error\":{\"message\":\"The server has too many connections.\","
    "\"type\":\"server_error\",\"param\":null,\"code\":\"overloaded\"}}";

}  // namespace

HttpServer::HttpServer(const ConnectionTimes& times, int64_t max_connections, Answer answer,
                       Count count)
    : times_(times),
      max_connections_(max_connections),
      answer_(std::move(answer)),
      count_(std::move(count)) {
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  EBT_CHECK(wake_ >= 0, "serve: cannot make an event: {}", std::generic_category().message(errno));
}

HttpServer::~HttpServer() {
  drain();
  interrupt();
  if (accepting_.joinable()) {
    accepting_.join();
  }
  wait_until_idle(std::chrono::hours(1));
  close(wake_);
}

int HttpServer::listen_on(const std::string& host, int port) {
  listeners_.open(host, port);
  return listeners_.port();
}

void HttpServer::accept_connections() {
  accepting_ = std::thread([this] { accept_all(); });
}

void HttpServer::accept_all() {
  std::vector<pollfd> waited = {{wake_, POLLIN, 0}};
  for (const int socket : listeners_.sockets()) {
    waited.push_back({socket, POLLIN, 0});
  }
  while (!draining_) {
    poll(waited.data(), waited.size(), -1);
    for (size_t i = 1; i < waited.size() && !draining_; ++i) {
      if (waited[i].revents != 0) {
        accept_one(waited[i].fd);
      }
    }
  }
  listeners_.shut();
}

void HttpServer::accept_one(int listener) {
  constexpr int kPauseMs = 20;
  const int socket = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (socket >= 0) {
    add_client(socket);
  } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
    pollfd wake = {wake_, POLLIN, 0};
    poll(&wake, 1, kPauseMs);  // until connections end
  }
}

void HttpServer::add_client(int socket) {
  const int yes = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  join_ended();
  const bool refuses = open_ >= max_connections_;
  refused_ += refuses ? 1 : 0;
  if (refuses && refusing_ >= kMostRefusing) {
    close(socket);
    return;
  }
  std::atomic<int64_t>& count = refuses ? refusing_ : open_;
  const std::lock_guard lock(mutex_);
  ++count;
  Client& client = clients_.emplace_back();
  try {
    client.thread = std::thread([this, &client, &count, socket] { serve(client, count, socket); });
  } catch (const std::system_error&) {  // no thread to be had
    clients_.pop_back();
    --count;
    refused_ += refuses ? 0 : 1;
    close(socket);
  }
}

void HttpServer::serve(Client& client, std::atomic<int64_t>& count, int socket) {
  {
    Connection connection(socket, times_);
    {
      const std::lock_guard lock(mutex_);
      client.connection = &connection;
    }
    if (&count == &refusing_) {
      connection.write(kTooManyConnections);
    } else {
      answer_all(connection);
    }
    const std::lock_guard lock(mutex_);
    client.connection = nullptr;
  }
  const std::lock_guard lock(mutex_);
  client.ended = true;
  --count;
  ended_.notify_all();
}

void HttpServer::answer_all(Connection& connection) {
  try {
    while (connection.await_request(wake_) && answer_next(connection)) {
    }
  } catch (const std::exception&) {  // no memory for an answer, or a part of it is written
    connection.abandon();
  }
}

// False when the connection is to end.
bool HttpServer::answer_next(Connection& connection) {
  RequestReader reader(connection);
  HttpResponse response;
  bool keep = false;
  try {
    if (!reader.read_head()) {
      return false;
    }
    answer_({reader.request(), response, reader, connection});
    keep = reader.discard_body() && !draining_;
  } catch (...) {  // no request, or not a whole one, whatever the handler made of its beginning
    response = {};
    answer_exception(std::current_exception(), response);
  }
  const HttpRequest& request = reader.request();
  keep = keep && (request.http_1_0 ? request.lists("Connection", "keep-alive")
                                   : !request.lists("Connection", "close"));
  const bool goes_on =
      response.status != kClientLeftStatus && write_response(request, response, keep, connection);
  count_(request, response, Connection::Clock::now() - connection.request_start());
  return goes_on;
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
    if (!ended_.wait_for(lock, most, [&] { return open_ == 0 && refusing_ == 0; })) {
      return false;
    }
  }
  join_ended();
  return true;
}

void HttpServer::interrupt() {
  const std::lock_guard lock(mutex_);
  for (const Client& client : clients_) {
    if (client.connection != nullptr) {
      client.connection->interrupt();
    }
  }
}

}  // namespace ebt
