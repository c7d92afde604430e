#include "ebt/serve/image_engine.h"

#include <omp.h>

#include <algorithm>
#include <new>
#include <utility>

#include "ebt/core/error.h"

namespace ebt {
namespace {

ApiError stopped() {
  return {503, "The server was stopped before the answer was finished.", "", "stopping"};
}

}  // namespace

void GiveBackPlace::operator()(ImageEngine* engine) const {
  const std::lock_guard lock(engine->mutex_);
  --engine->taken_places_;
}

ImageNews ImageJob::take(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  arrived_.wait_for(lock, most, [&] { return has_news_; });
  has_news_ = false;
  ImageNews news = std::exchange(news_, {});
  news_.done = news.done;
  return news;
}

void ImageJob::put_state(ImageState state) {
  const std::lock_guard lock(mutex_);
  news_.states.push_back(std::move(state));
  has_news_ = true;
  arrived_.notify_one();
}

void ImageJob::put_progress(double done) {
  const std::lock_guard lock(mutex_);
  news_.done = done;
  has_news_ = true;
  arrived_.notify_one();
}

void ImageJob::put_end(std::optional<DenoisedImage> result, std::optional<ApiError> error) {
  const std::lock_guard lock(mutex_);
  news_.result = std::move(result);
  news_.error = std::move(error);
  has_news_ = true;
  arrived_.notify_one();
}

ImageEngine::ImageEngine(std::unique_ptr<ImageDenoiser> denoiser, int64_t queue, Metrics& metrics)
    : denoiser_(std::move(denoiser)), metrics_(metrics), places_(1 + queue) {
  EBT_CHECK(queue >= 0, "image-queue: {} is negative", queue);
  metrics_.image_queue_limit = queue;
  // New threads know nothing of what this one was told.
  thread_ = std::thread([this, threads = omp_get_max_threads()] {
    omp_set_num_threads(threads);
    run();
  });
}

ImageEngine::~ImageEngine() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  cancel_all();
  wake_.notify_one();
  thread_.join();
}

ImagePlace ImageEngine::reserve() {
  const std::lock_guard lock(mutex_);
  if (taken_places_ >= places_) {
    throw ApiError(429,
                   fmt::format("The server is busy: all {} places for images are taken. Try again "
                               "later.",
                               places_),
                   "", "queue_full");
  }
  ++taken_places_;
  return ImagePlace(this);
}

std::shared_ptr<ImageJob> ImageEngine::submit(ImagePlace place, ImageRequest request) {
  auto job = std::make_shared<ImageJob>();
  job->request_ = std::move(request);
  job->place_ = std::move(place);
  metrics_.count_accepted(0);
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(job);
    show_waiting();
  }
  wake_.notify_one();
  return job;
}

void ImageEngine::cancel(const std::shared_ptr<ImageJob>& job) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find(waiting_.begin(), waiting_.end(), job);
    if (found == waiting_.end()) {
      job->cancelled_ = true;  // it is being worked on, or has ended
      return;
    }
    waiting_.erase(found);
    show_waiting();
  }
  finish(*job, std::nullopt, stopped());
}

void ImageEngine::cancel_all() {
  std::deque<std::shared_ptr<ImageJob>> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
    show_waiting();
    if (current_ != nullptr) {
      current_->cancelled_ = true;
    }
  }
  for (const auto& job : waiting) {
    finish(*job, std::nullopt, stopped());
  }
}

std::shared_ptr<ImageJob> ImageEngine::next() {
  std::unique_lock lock(mutex_);
  current_ = nullptr;
  metrics_.images_running = 0;
  wake_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
  if (waiting_.empty()) {
    return nullptr;
  }
  current_ = waiting_.front();
  waiting_.pop_front();
  metrics_.images_running = 1;
  show_waiting();
  return current_;
}

void ImageEngine::run() {
  while (const std::shared_ptr<ImageJob> job = next()) {
    work_on(*job);
  }
}

// Whatever goes wrong with one image is told to who sent it; the next one is not concerned.
void ImageEngine::work_on(ImageJob& job) {
  ImageWatcher watcher;
  watcher.on_state = [&](ImageState state) { job.put_state(std::move(state)); };
  watcher.on_progress = [&](double done) {
    job.put_progress(done);
    return !job.cancelled_;
  };
  std::optional<DenoisedImage> result;
  std::optional<ApiError> error;
  try {
    result = denoise_requested(*denoiser_, job.request_, watcher);
    if (result) {
      metrics_.count_image(result->width * result->height, result->steps_of_tiles);
    } else {
      error = stopped();
    }
  } catch (const Error& problem) {
    error = ApiError(400, fmt::format("Cleaning the image failed: {}.", problem.what()), "",
                     "not_finite");
  } catch (const std::bad_alloc&) {
    error = ApiError(503, "The server has not enough memory for this.", "", "overloaded");
  } catch (const std::exception& problem) {
    error = ApiError(500, fmt::format("The server has failed: {}.", problem.what()));
  }
  finish(job, std::move(result), std::move(error));
}

// The place is free before anyone can know that the job has ended.
void ImageEngine::finish(ImageJob& job, std::optional<DenoisedImage> result,
                         std::optional<ApiError> error) {
  job.request_.image = {};
  job.place_.reset();
  job.put_end(std::move(result), std::move(error));
}

void ImageEngine::show_waiting() {
  metrics_.images_waiting = static_cast<int64_t>(waiting_.size());
}

}  // namespace ebt
