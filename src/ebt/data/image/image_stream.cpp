#include "ebt/data/image/image_stream.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "ebt/core/error.h"

namespace ebt {

ImageStream::ImageStream(std::function<StreamedImage(int64_t)> make, int64_t end, int64_t threads,
                         int64_t ahead)
    : make_(std::move(make)),
      end_(end),
      thread_count_(threads),
      slots_(static_cast<size_t>(std::max<int64_t>(ahead, 1))) {}

ImageStream::~ImageStream() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

StreamedImage ImageStream::take(int64_t number) {
  EBT_CHECK(number >= 0 && number < end_, "images: number {} was asked for, of {}", number, end_);
  {
    const std::lock_guard lock(mutex_);
    if (number != next_to_take_) {
      restart_at(number);
    }
  }
  start_threads();
  Slot slot;
  {
    std::unique_lock lock(mutex_);
    made_.wait(lock, [&] { return slot_of(number).ready; });
    slot = std::exchange(slot_of(number), {});
    next_to_take_ = number + 1;
  }
  wanted_.notify_one();
  if (slot.error) {
    std::rethrow_exception(slot.error);
  }
  return std::move(slot.image);
}

void ImageStream::start_threads() {
  try {
    while (threads_.size() < static_cast<size_t>(thread_count_)) {
      threads_.emplace_back([this] { work(); });
    }
  } catch (const std::system_error& error) {
    // Those that there are do as well.
    EBT_CHECK(!threads_.empty(), "cannot start a thread that makes images: {}",
              error.code().message());
  }
}

void ImageStream::restart_at(int64_t number) {
  ++restarts_;
  next_to_take_ = number;
  next_to_make_ = number;
  std::fill(slots_.begin(), slots_.end(), Slot{});
  wanted_.notify_all();
}

void ImageStream::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wanted_.wait(lock, [&] {
      return stopping_ || (next_to_make_ < end_ &&
                           next_to_make_ - next_to_take_ < static_cast<int64_t>(slots_.size()));
    });
    if (stopping_) {
      return;
    }
    const int64_t number = next_to_make_++;
    const uint64_t restarts = restarts_;
    lock.unlock();
    Slot slot = make_slot(number);
    lock.lock();
    if (restarts == restarts_) {
      slot_of(number) = std::move(slot);
      made_.notify_one();
    }
  }
}

ImageStream::Slot ImageStream::make_slot(int64_t number) const {
  Slot slot;
  slot.ready = true;
  try {
    slot.image = make_(number);
  } catch (...) {
    slot.error = std::current_exception();
  }
  return slot;
}

}  // namespace ebt
