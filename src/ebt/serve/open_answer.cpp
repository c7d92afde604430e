#include "ebt/serve/open_answer.h"

#include <utility>

#include "ebt/serve/api_error.h"
#include "ebt/serve/http_server.h"

namespace ebt {

using Clock = Connection::Clock;

OpenAnswer::OpenAnswer(Metrics& metrics, Connection& connection, std::chrono::milliseconds deadline,
                       std::function<void()> cancel)
    : metrics_(metrics),
      connection_(connection),
      deadline_(connection.request_start() + deadline),
      cancel_(std::move(cancel)) {}

OpenAnswer::~OpenAnswer() {
  if (!ended_) {
    give_up(Outcome::kClientLeft);
  }
}

double OpenAnswer::seconds() const {
  return std::chrono::duration<double>(Clock::now() - connection_.request_start()).count();
}

void OpenAnswer::check_deadline() {
  if (Clock::now() >= deadline_) {
    give_up(Outcome::kTimedOut);
    throw ApiError(503, "The answer took longer than this server allows.", "", "timeout");
  }
}

void OpenAnswer::give_up(Outcome outcome) {
  cancel_();
  end(outcome);
}

void OpenAnswer::abandon(HttpResponse& response) {
  give_up(Outcome::kClientLeft);
  connection_.abandon();
  response.status = kClientLeftStatus;
}

void OpenAnswer::end(Outcome outcome) {
  if (!std::exchange(ended_, true)) {
    metrics_.count_outcome(outcome);
  }
}

int64_t unix_time() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string event_line(const Json& json) { return "data: " + to_line(json) + "\n\n"; }

void answer_by_events(HttpResponse& response, std::function<bool(BodySink&)> write_more) {
  response.set_field("Cache-Control", "no-store");
  response.set_field("Content-Type", "text/event-stream");
  response.stream = [write_more = std::move(write_more)](BodySink& sink) {
    try {
      return write_more(sink);
    } catch (const std::exception&) {  // no memory: nothing more can be said
      return false;
    }
  };
}

}  // namespace ebt
