#include "ebt/serve/metrics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace ebt {
namespace {

const char* name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAnswered:
      return "answered";
    case Outcome::kClientLeft:
      return "client_left";
    case Outcome::kTimedOut:
      return "timed_out";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kStopped:
      return "stopped";
  }
  return "";
}

void describe(const std::string& name, const char* type, const char* help, std::string& text) {
  fmt::format_to(std::back_inserter(text), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void add_single(const std::string& name, const char* type, const char* help, int64_t value,
                std::string& text) {
  describe(name, type, help, text);
  fmt::format_to(std::back_inserter(text), "{} {}\n", name, value);
}

// 0 where the system does not tell.
int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t total = 0;
  int64_t resident = 0;
  file >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace

void Histogram::add(double seconds) {
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin();
  ++counts_[static_cast<size_t>(bucket)];
  sum_ += seconds;
}

void Histogram::render(const std::string& name, const std::string& labels,
                       std::string& text) const {
  const std::string before = labels.empty() ? "" : labels + ",";
  const std::string braces = labels.empty() ? "" : "{" + labels + "}";
  int64_t total = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    total += counts_[i];
    const std::string bound = i < kBounds.size() ? fmt::format("{}", kBounds[i]) : "+Inf";
    fmt::format_to(std::back_inserter(text), "{}_bucket{{{}le=\"{}\"}} {}\n", name, before, bound,
                   total);
  }
  fmt::format_to(std::back_inserter(text), "{0}_sum{1} {2}\n{0}_count{1} {3}\n", name, braces, sum_,
                 total);
}

void Metrics::count_answer(const std::string& endpoint, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++answers_[{endpoint, status}];
  durations_[endpoint].add(seconds);
}

void Metrics::count_accepted(int64_t prompt_tokens) {
  ++requests_open;
  const std::lock_guard lock(mutex_);
  ++accepted_;
  prompt_tokens_ += prompt_tokens;
}

void Metrics::count_first_token(double seconds) {
  const std::lock_guard lock(mutex_);
  first_token_.add(seconds);
}

void Metrics::count_outcome(Outcome outcome) {
  --requests_open;
  const std::lock_guard lock(mutex_);
  ++outcomes_[outcome];
}

void Metrics::count_token(const TokenReport& report) {
  const std::lock_guard lock(mutex_);
  ++(report.from_prompt ? scored_tokens_ : written_tokens_);
  thinking_steps_ += report.thinking_steps;
  forward_passes_ += report.forward_passes;
}

void Metrics::count_image(int64_t pixels, int64_t steps_of_tiles) {
  const std::lock_guard lock(mutex_);
  ++images_;
  image_pixels_ += pixels;
  tile_steps_ += steps_of_tiles;
}

std::string Metrics::render() const {
  std::string text;
  const std::lock_guard lock(mutex_);
  describe("ebt_http_requests_total", "counter", "Requests by endpoint and status.", text);
  for (const auto& [key, count] : answers_) {
    fmt::format_to(std::back_inserter(text),
                   "ebt_http_requests_total{{endpoint=\"{}\",status=\"{}\"}} {}\n", key.first,
                   key.second, count);
  }
  describe("ebt_http_request_duration_seconds", "histogram",
           "From the end of a request to the end of its answer.", text);
  for (const auto& [endpoint, histogram] : durations_) {
    histogram.render("ebt_http_request_duration_seconds", fmt::format("endpoint=\"{}\"", endpoint),
                     text);
  }
  describe("ebt_first_token_seconds", "histogram", "From a request to its first token.", text);
  first_token_.render("ebt_first_token_seconds", "", text);
  add_single("ebt_requests_accepted_total", "counter",
             "Requests for texts and images that were accepted.", accepted_, text);
  describe("ebt_requests_finished_total", "counter", "Accepted requests by how they ended.", text);
  for (const Outcome outcome : {Outcome::kAnswered, Outcome::kClientLeft, Outcome::kTimedOut,
                                Outcome::kFailed, Outcome::kStopped}) {
    const auto found = outcomes_.find(outcome);
    fmt::format_to(std::back_inserter(text), "ebt_requests_finished_total{{outcome=\"{}\"}} {}\n",
                   name_of(outcome), found == outcomes_.end() ? 0 : found->second);
  }
  add_single("ebt_requests_open", "gauge", "Accepted requests that have not ended.", requests_open,
             text);
  describe("ebt_tokens_total", "counter", "Tokens of prompts, scored in prompts, and written.",
           text);
  fmt::format_to(std::back_inserter(text),
                 "ebt_tokens_total{{kind=\"prompt\"}} {}\nebt_tokens_total{{kind=\"scored\"}} {}\n"
                 "ebt_tokens_total{{kind=\"written\"}} {}\n",
                 prompt_tokens_, scored_tokens_, written_tokens_);
  add_single("ebt_thinking_steps_total", "counter", "Thinking steps of all reported tokens.",
             thinking_steps_, text);
  add_single("ebt_forward_passes_total", "counter",
             "Rows that went through the model for reported tokens.", forward_passes_, text);
  add_single("ebt_texts_running", "gauge", "Texts being written.", texts_running, text);
  add_single("ebt_texts_waiting", "gauge", "Texts accepted that wait.", texts_waiting, text);
  add_single("ebt_texts_capacity", "gauge", "Texts that can be written at the same time.",
             texts_capacity, text);
  add_single("ebt_queue_limit", "gauge", "Texts that may wait before requests are refused.",
             queue_limit, text);
  add_single("ebt_images_total", "counter", "Images that were cleaned.", images_, text);
  add_single("ebt_image_pixels_total", "counter", "Their pixels.", image_pixels_, text);
  add_single("ebt_image_tile_steps_total", "counter",
             "Steps of their tiles: thinking steps of an EBT, forward passes of DiT.", tile_steps_,
             text);
  add_single("ebt_images_running", "gauge", "Images being cleaned.", images_running, text);
  add_single("ebt_images_waiting", "gauge", "Images accepted that wait.", images_waiting, text);
  add_single("ebt_image_queue_limit", "gauge", "Images that may wait before requests are refused.",
             image_queue_limit, text);
  add_single("ebt_connections", "gauge", "Open connections.", connections, text);
  add_single("ebt_connections_refused_total", "counter",
             "Connections closed at once because there were too many.", connections_refused, text);
  add_single("process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes(), text);
  return text;
}

}  // namespace ebt
