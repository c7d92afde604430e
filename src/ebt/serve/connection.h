// A client's socket as httplib reads and writes it, with limits of time on both, and a way to see
// that the client has left.
#pragma once

#include <httplib.h>

#include <array>
#include <chrono>
#include <string>

namespace ebt {

struct ConnectionTimes {
  std::chrono::milliseconds read{30'000};   // for the whole of a request to arrive
  std::chrono::milliseconds write{30'000};  // for the client to take what one call writes
  std::chrono::milliseconds idle{60'000};   // between requests
};

// Owns the socket. Of one thread, but for interrupt().
class Connection : public httplib::Stream {
 public:
  using Clock = std::chrono::steady_clock;

  // `socket` is connected and does not block.
  Connection(int socket, const ConnectionTimes& times);
  // Closes the socket; what was written is still delivered.
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Waits for a request to begin, and starts its clock. False when none comes in time, the client
  // has left, or `wake` can be read.
  bool await_request(int wake);
  Clock::time_point request_start() const { return request_start_; }
  // Whether the client has closed its side: nobody waits for an answer.
  bool client_left() const;
  // From now on writing fails, and the connection ends after this request.
  void abandon();
  // The connection ends after this request, whose body may be unread.
  void close_after_request() { closing_ = true; }
  bool closing() const { return closing_; }
  // Ends reading and writing from another thread.
  void interrupt() const;

  bool is_readable() const override;
  bool is_writable() const override;
  // As recv and send do: -1 for an error, a limit of time included; `write` writes all or fails.
  ssize_t read(char* bytes, size_t size) override;
  ssize_t write(const char* bytes, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  // Waits until `events` or `deadline`; false for the latter.
  bool wait_for(short events, Clock::time_point deadline) const;
  void linger();

  int socket_;
  ConnectionTimes times_;
  std::array<char, 16'384> buffer_{};  // read and not yet asked for
  size_t begin_ = 0;
  size_t end_ = 0;
  Clock::time_point request_start_;
  bool closing_ = false;
  bool broken_ = false;
};

}  // namespace ebt
