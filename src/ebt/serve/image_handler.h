// The handler of image requests, which answers whole, as a stream of events, or with a file.
#pragma once

#include <chrono>
#include <string>

#include "ebt/serve/http_message.h"
#include "ebt/serve/image_engine.h"
#include "ebt/serve/limits.h"
#include "ebt/serve/metrics.h"
#include "ebt/serve/served_model.h"

namespace ebt {

// Thread-safe. All that it is given must outlive it.
class ImageHandler {
 public:
  // `deadline`: the longest that a request may take.
  ImageHandler(ImageEngine& engine, const ServedImageModel& model, const RequestLimits& limits,
               std::chrono::milliseconds deadline, Metrics& metrics);

  // Answers a request with this body, which has a place already. Throws ApiError. An accepted
  // request is cancelled when its client leaves, its deadline passes or its answer cannot be
  // written.
  void handle(ImagePlace place, std::string body, const HttpRequest& http, HttpResponse& response,
              Connection& connection);

 private:
  ImageRequest parse(const std::string& body, const HttpRequest& http) const;

  ImageEngine& engine_;
  const ServedImageModel& model_;
  const RequestLimits& limits_;
  std::chrono::milliseconds deadline_;
  Metrics& metrics_;
};

}  // namespace ebt
