// A queue of images that background threads make ahead of their use.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "ebt/data/image/image.h"

namespace ebt {

// An image of a stream, and the files that were found bad on the way to it.
struct StreamedImage {
  Image image;
  std::vector<int64_t> bad_files;
};

// The images that `make` makes of the numbers 0 .. end - 1. What take() gives depends on the number
// alone, neither on threads nor on what was taken before; in order it is fastest. One caller at a
// time.
class ImageStream {
 public:
  // `make` is called by several threads at once. `ahead` images at most are made before they are
  // taken. Threads start with the first take().
  ImageStream(std::function<StreamedImage(int64_t)> make, int64_t end, int64_t threads,
              int64_t ahead);
  ImageStream(const ImageStream&) = delete;
  ImageStream& operator=(const ImageStream&) = delete;
  // Waits for images that are being made.
  ~ImageStream();

  // Waits until image `number` is made. Throws what making it threw.
  StreamedImage take(int64_t number);

 private:
  struct Slot {
    bool ready = false;
    StreamedImage image;
    std::exception_ptr error;
  };

  Slot& slot_of(int64_t number) { return slots_[static_cast<size_t>(number) % slots_.size()]; }
  void start_threads();
  void restart_at(int64_t number);
  void work();
  Slot make_slot(int64_t number) const;

  const std::function<StreamedImage(int64_t)> make_;
  const int64_t end_;
  const int64_t thread_count_;

  std::mutex mutex_;  // guards all below but the list of threads
  std::condition_variable wanted_;
  std::condition_variable made_;
  std::vector<Slot> slots_;  // image n is in slot n modulo their number
  int64_t next_to_take_ = 0;
  int64_t next_to_make_ = 0;
  uint64_t restarts_ = 0;  // an image that was begun before the last one is not wanted any more
  bool stopping_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace ebt
