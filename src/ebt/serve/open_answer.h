// The state of an answer that is being sent, shared by all endpoints: an accepted request that ends
// in one way, and events on the wire.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "ebt/core/config_fields.h"
#include "ebt/serve/connection.h"
#include "ebt/serve/http_message.h"
#include "ebt/serve/metrics.h"

namespace ebt {

// How often a waiting thread looks whether its client is still there.
inline constexpr std::chrono::milliseconds kLookForClient{50};

// An accepted request, which ends with exactly one outcome. Given up, its work is cancelled; so it
// is when nothing has ended it.
class OpenAnswer {
 public:
  // `deadline`: the longest that it may take since it arrived; `cancel` ends the work.
  OpenAnswer(Metrics& metrics, Connection& connection, std::chrono::milliseconds deadline,
             std::function<void()> cancel);
  OpenAnswer(const OpenAnswer&) = delete;
  OpenAnswer& operator=(const OpenAnswer&) = delete;
  ~OpenAnswer();

  bool client_left() const { return connection_.client_left(); }
  // Since the request arrived.
  double seconds() const;
  // Gives up and throws ApiError once the deadline has passed.
  void check_deadline();
  // Nothing more will be asked for: the answer is complete.
  void answered() { end(Outcome::kAnswered); }
  void give_up(Outcome outcome);
  // The client has left a request that was to be answered as a whole.
  void abandon(HttpResponse& response);

 private:
  void end(Outcome outcome);

  Metrics& metrics_;
  Connection& connection_;
  Connection::Clock::time_point deadline_;
  std::function<void()> cancel_;
  bool ended_ = false;
};

// Seconds since 1970.
int64_t unix_time();

// A server-sent event.
std::string event_line(const Json& json);
inline constexpr char kLastEvent[] = "data: [DONE]\n\n";

// Answers by a stream of events: `write_more` is called until it says that it is done, or returns
// false, which ends the connection.
void answer_by_events(HttpResponse& response, std::function<bool(BodySink&)> write_more);

}  // namespace ebt
