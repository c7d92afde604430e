// Random crops of image files as two streams, for training and for validation.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ebt/data/image/image_data.h"
#include "ebt/data/image/image_stream.h"
#include "ebt/data/shuffled_order.h"

namespace ebt {

// Files read, and those among them remembered that cannot be. Bad files are told in the order of
// the images that were taken, and not of those that were made ahead, so that all runs tell the
// same. Thread-safe.
class CheckedFiles {
 public:
  explicit CheckedFiles(std::shared_ptr<const ImageFiles> files);

  // None: the file is bad, as it was found to be now or before.
  std::optional<Image> read(int64_t file);
  // What is wrong with a file that was found bad.
  std::string sentence(int64_t file) const;

  // These files, found bad, stood in the way of an image that was taken now.
  void tell(const std::vector<int64_t>& files);
  BadImages told() const;

 private:
  std::shared_ptr<const ImageFiles> files_;
  std::vector<std::atomic<bool>> is_bad_;
  mutable std::mutex mutex_;  // guards all below
  std::map<int64_t, std::string> sentences_;
  std::set<int64_t> told_;
  std::vector<std::string> told_sentences_;
};

// Which of `count` files are kept for validation: a share of them, at least one of two, spread
// evenly over their order.
std::vector<bool> validation_files(int64_t count, double share);

// Images of `files` (at least one) for training: number n is cut from the file at place n modulo
// their number of the epoch's order, at a random place.
class TrainingFiles {
 public:
  TrainingFiles(std::shared_ptr<CheckedFiles> checked, std::vector<int64_t> files, bool flip,
                int64_t height, int64_t width, uint64_t seed);
  // Throws Error when all files are bad. Thread-safe.
  StreamedImage make(int64_t number) const;

 private:
  std::shared_ptr<CheckedFiles> checked_;
  std::vector<int64_t> files_;
  bool flip_;
  int64_t height_;
  int64_t width_;
  uint64_t seed_;
  ShuffledOrder order_;
};

// The centres of `files`; a bad one is replaced by the next.
class ValidationFiles {
 public:
  ValidationFiles(std::shared_ptr<CheckedFiles> checked, std::vector<int64_t> files, int64_t height,
                  int64_t width);
  // Throws Error when all files are bad. Thread-safe.
  StreamedImage make(int64_t number) const;

 private:
  std::shared_ptr<CheckedFiles> checked_;
  std::vector<int64_t> files_;
  int64_t height_;
  int64_t width_;
};

}  // namespace ebt
