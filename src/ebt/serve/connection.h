// A client's socket, with limits of time on reading and writing, and a way to see that the client
// has left.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

namespace ebt {

struct ConnectionTimes {
  std::chrono::milliseconds read{30'000};   // for the whole of a request to arrive
  std::chrono::milliseconds write{30'000};  // for the client to take what one call writes
  std::chrono::milliseconds idle{60'000};   // between requests
};

// Owns the socket. Of one thread, but for interrupt().
class Connection {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Arrival { kBytes, kLate, kEnd };

  // `socket` is connected and does not block.
  Connection(int socket, const ConnectionTimes& times);
  // Closes the socket; what was written is still delivered.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Waits for a request to begin, and starts its clock. False when none comes in time, the client
  // has left, or `wake` can be read.
  bool await_request(int wake);
  Clock::time_point request_start() const { return request_start_; }
  // When all of the request must have arrived.
  Clock::time_point read_deadline() const { return request_start_ + times_.read; }
  // Whether the client has closed its side: nobody waits for an answer.
  bool client_left() const;
  // From now on writing fails.
  void abandon() { broken_ = true; }
  // Ends reading and writing from another thread.
  void interrupt() const;

  // What has arrived and was not consumed. Valid until receive().
  std::string_view received() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void consume(size_t bytes) { begin_ += bytes; }
  // Waits until more has arrived. Whoever does not consume bounds what is kept.
  Arrival receive(Clock::time_point deadline);
  // Writes all, or fails for good.
  bool write(std::string_view bytes);

 private:
  // Waits until `events` or `deadline`; false for the latter.
  bool wait_for(short events, Clock::time_point deadline) const;
  void make_room();
  void linger();

  int socket_;
  ConnectionTimes times_;
  std::vector<char> buffer_;
  size_t begin_ = 0;  // of what has arrived in buffer_
  size_t end_ = 0;
  Clock::time_point request_start_;
  bool broken_ = false;
};

}  // namespace ebt
