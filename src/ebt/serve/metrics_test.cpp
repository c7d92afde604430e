#include "ebt/serve/metrics.h"

#include <gtest/gtest.h>

namespace ebt {
namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(Metrics, CountsWhatItIsTold) {
  Metrics metrics;
  metrics.count_answer("/v1/completions", 200, 0.02);
  metrics.count_answer("/v1/completions", 200, 1000);
  metrics.count_answer("/v1/completions", 400, 0.001);
  metrics.count_accepted(10);
  metrics.count_accepted(5);
  metrics.count_outcome(Outcome::kClientLeft);
  TokenReport report;
  report.thinking_steps = 3;
  report.forward_passes = 4;
  metrics.count_token(report);
  report.from_prompt = true;
  metrics.count_token(report);
  metrics.count_image(64, 6);
  metrics.count_image(100, 3);
  metrics.images_waiting = 2;
  const std::string text = metrics.render();
  for (const char* line : {
           "# TYPE ebt_http_requests_total counter",
           "ebt_http_requests_total{endpoint=\"/v1/completions\",status=\"200\"} 2",
           "ebt_http_requests_total{endpoint=\"/v1/completions\",status=\"400\"} 1",
           "ebt_http_request_duration_seconds_bucket{endpoint=\"/v1/completions\",le=\"0.005\"} 1",
           "ebt_http_request_duration_seconds_bucket{endpoint=\"/v1/completions\",le=\"0.025\"} 2",
           "ebt_http_request_duration_seconds_bucket{endpoint=\"/v1/completions\",le=\"+Inf\"} 3",
           "ebt_http_request_duration_seconds_count{endpoint=\"/v1/completions\"} 3",
           "ebt_requests_accepted_total 2",
           "ebt_requests_finished_total{outcome=\"client_left\"} 1",
           "ebt_requests_finished_total{outcome=\"answered\"} 0",
           "ebt_requests_open 1",
           "ebt_tokens_total{kind=\"prompt\"} 15",
           "ebt_tokens_total{kind=\"scored\"} 1",
           "ebt_tokens_total{kind=\"written\"} 1",
           "ebt_thinking_steps_total 6",
           "ebt_forward_passes_total 8",
           "ebt_images_total 2",
           "ebt_image_pixels_total 164",
           "ebt_image_tile_steps_total 9",
           "ebt_images_waiting 2",
       }) {
    EXPECT_TRUE(has_line(text, line)) << line << "\n" << text;
  }
}

}  // namespace
}  // namespace ebt
