// The thread that owns the image model and denoises one image after the other.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "ebt/serve/api_error.h"
#include "ebt/serve/image_work.h"
#include "ebt/serve/metrics.h"

namespace ebt {

class ImageEngine;

// Gives a place back to its engine.
struct GiveBackPlace {
  void operator()(ImageEngine* engine) const;
};
// One among the images that are cleaned or wait; the engine must outlive it.
using ImagePlace = std::unique_ptr<ImageEngine, GiveBackPlace>;

// What has become of an image since it was last asked for.
struct ImageNews {
  std::vector<ImageState> states;  // of a request that is streamed
  double done = 0;                 // share of the work
  // How it ended, if it has: one of the two.
  std::optional<DenoisedImage> result;
  std::optional<ApiError> error;
};

// An image, being cleaned or waiting for it. News is put in by the engine's thread and taken by one
// other; how much there can be, the request's limits bound.
class ImageJob {
 public:
  // Waits for something to happen, but not beyond `most`.
  ImageNews take(std::chrono::milliseconds most);

 private:
  friend class ImageEngine;

  void put_state(ImageState state);
  void put_progress(double done);
  void put_end(std::optional<DenoisedImage> result, std::optional<ApiError> error);

  ImageRequest request_;  // of the engine's thread
  ImagePlace place_;      // likewise
  std::atomic<bool> cancelled_{false};
  std::mutex mutex_;
  std::condition_variable arrived_;
  ImageNews news_;
  bool has_news_ = false;
};

// Members but the destructor are thread-safe.
class ImageEngine {
 public:
  // `queue`: images that may wait beside the one that is cleaned. `metrics` must outlive the
  // engine.
  ImageEngine(std::unique_ptr<ImageDenoiser> denoiser, int64_t queue, Metrics& metrics);
  // Cancels what there is.
  ~ImageEngine();
  ImageEngine(const ImageEngine&) = delete;
  ImageEngine& operator=(const ImageEngine&) = delete;

  // To be had before a body is read, so that the memory for images is bounded by the places. Throws
  // ApiError (429) when all are taken.
  ImagePlace reserve();
  std::shared_ptr<ImageJob> submit(ImagePlace place, ImageRequest request);
  // Ends a job, which is told of an ApiError (503) unless it ended before.
  void cancel(const std::shared_ptr<ImageJob>& job);
  void cancel_all();

 private:
  friend struct GiveBackPlace;

  void run();
  // The next job, or nullptr when it is time to end.
  std::shared_ptr<ImageJob> next();
  void work_on(ImageJob& job);
  void finish(ImageJob& job, std::optional<DenoisedImage> result, std::optional<ApiError> error);
  void show_waiting();

  std::unique_ptr<ImageDenoiser> denoiser_;
  Metrics& metrics_;
  int64_t places_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<ImageJob>> waiting_;
  std::shared_ptr<ImageJob> current_;
  int64_t taken_places_ = 0;
  bool ending_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace ebt
