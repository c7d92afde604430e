// The server's metrics, as Prometheus text for GET /metrics.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "ebt/think/generator.h"

namespace ebt {

// How an accepted request ended.
enum class Outcome { kAnswered, kClientLeft, kTimedOut, kFailed, kStopped };

// Seconds, in buckets of fixed upper bounds. Not thread-safe.
class Histogram {
 public:
  void add(double seconds);
  // Lines of one histogram; `labels` is "" or `endpoint="/v1/completions"`.
  void render(const std::string& name, const std::string& labels, std::string& text) const;

 private:
  static constexpr std::array<double, 14> kBounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                     1,     2.5,  5,     10,   30,  60,   300};
  std::array<int64_t, kBounds.size() + 1> counts_{};  // the last: beyond all bounds
  double sum_ = 0;
};

// Thread-safe.
class Metrics {
 public:
  // A request was answered with a status, or would have been (499: its client left before).
  void count_answer(const std::string& endpoint, int status, double seconds);
  void count_accepted(int64_t prompt_tokens);
  void count_first_token(double seconds);
  void count_outcome(Outcome outcome);
  void count_token(const TokenReport& report);
  // An image was cleaned, in tiles that took so many steps together.
  void count_image(int64_t pixels, int64_t steps_of_tiles);

  // Set by their owners.
  std::atomic<int64_t> texts_running{0};
  std::atomic<int64_t> texts_waiting{0};
  std::atomic<int64_t> texts_capacity{0};
  std::atomic<int64_t> queue_limit{0};
  std::atomic<int64_t> images_running{0};
  std::atomic<int64_t> images_waiting{0};
  std::atomic<int64_t> image_queue_limit{0};
  std::atomic<int64_t> connections{0};
  std::atomic<int64_t> connections_refused{0};
  // Accepted requests that have not ended.
  std::atomic<int64_t> requests_open{0};

  std::string render() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, int64_t> answers_;
  std::map<std::string, Histogram> durations_;
  Histogram first_token_;
  std::map<Outcome, int64_t> outcomes_;
  int64_t accepted_ = 0;
  int64_t prompt_tokens_ = 0;
  int64_t scored_tokens_ = 0;
  int64_t written_tokens_ = 0;
  int64_t thinking_steps_ = 0;
  int64_t forward_passes_ = 0;
  int64_t images_ = 0;
  int64_t image_pixels_ = 0;
  int64_t tile_steps_ = 0;
};

}  // namespace ebt
