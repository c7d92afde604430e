// The handler of completion requests, which answers whole or as a stream of events.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "ebt/serve/engine.h"
#include "ebt/serve/http_message.h"
#include "ebt/serve/limits.h"
#include "ebt/serve/metrics.h"
#include "ebt/serve/served_model.h"

namespace ebt {

// Thread-safe. All that it is given must outlive it.
class CompletionHandler {
 public:
  // `deadline`: the longest that a request may take.
  CompletionHandler(Engine& engine, const ServedModel& model, const RequestLimits& limits,
                    std::chrono::milliseconds deadline, Metrics& metrics);

  // Answers a request with this body. Throws ApiError. An accepted request is cancelled when its
  // client leaves, its deadline passes or its answer cannot be written.
  void handle(const std::string& body, Endpoint endpoint, HttpResponse& response,
              Connection& connection);

 private:
  std::string next_id();

  Engine& engine_;
  const ServedModel& model_;
  const RequestLimits& limits_;
  std::chrono::milliseconds deadline_;
  Metrics& metrics_;
  uint64_t id_prefix_;  // differs from start to start
  std::atomic<uint64_t> ids_{0};
};

}  // namespace ebt
