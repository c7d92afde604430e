#include "ebt/data/image/sampled_files.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ebt/core/error.h"
#include "ebt/data/even_choice.h"
#include "ebt/data/image/image_crop.h"
#include "ebt/kernels/rng.h"

namespace ebt {
namespace {

// How many bad files are described; the others are only counted.
constexpr size_t kMostSentences = 5;

// The first good file of file_at(0), file_at(1) .. file_at(count - 1), decoded; what is bad before
// it goes into `bad`.
template <class FileAt>
Image first_good(CheckedFiles& checked, int64_t count, FileAt&& file_at,
                 std::vector<int64_t>& bad) {
  for (int64_t attempt = 0; attempt < count; ++attempt) {
    const int64_t file = file_at(attempt);
    if (std::optional<Image> image = checked.read(file)) {
      return *std::move(image);
    }
    bad.push_back(file);
  }
  return {};
}

[[noreturn]] void fail_for_all(const CheckedFiles& checked, const std::vector<int64_t>& files,
                               const char* purpose) {
  fail("none of the {} images for {} can be read: {}", files.size(), purpose,
       checked.sentence(files.front()));
}

}  // namespace

CheckedFiles::CheckedFiles(std::shared_ptr<const ImageFiles> files)
    : files_(std::move(files)), is_bad_(static_cast<size_t>(files_->count())) {}

std::optional<Image> CheckedFiles::read(int64_t file) {
  std::atomic<bool>& is_bad = is_bad_[static_cast<size_t>(file)];
  if (is_bad.load(std::memory_order_acquire)) {
    return std::nullopt;
  }
  try {
    return files_->read(file);
  } catch (const Error& error) {
    const std::lock_guard lock(mutex_);
    sentences_.emplace(file, error.what());
    is_bad.store(true, std::memory_order_release);
    return std::nullopt;
  }
}

std::string CheckedFiles::sentence(int64_t file) const {
  const std::lock_guard lock(mutex_);
  return sentences_.at(file);
}

void CheckedFiles::tell(const std::vector<int64_t>& files) {
  const std::lock_guard lock(mutex_);
  for (const int64_t file : files) {
    if (told_.insert(file).second && told_sentences_.size() < kMostSentences) {
      told_sentences_.push_back(sentences_.at(file));
    }
  }
}

BadImages CheckedFiles::told() const {
  const std::lock_guard lock(mutex_);
  return {static_cast<int64_t>(told_.size()), told_sentences_};
}

std::vector<bool> validation_files(int64_t count, double share) {
  auto wanted = static_cast<int64_t>(std::floor(static_cast<double>(count) * share));
  if (share > 0 && count > 1) {
    wanted = std::max<int64_t>(wanted, 1);
  }
  return choose_evenly(wanted, count);
}

TrainingFiles::TrainingFiles(std::shared_ptr<CheckedFiles> checked, std::vector<int64_t> files,
                             bool flip, int64_t height, int64_t width, uint64_t seed)
    : checked_(std::move(checked)),
      files_(std::move(files)),
      flip_(flip),
      height_(height),
      width_(width),
      seed_(seed),
      order_(seed, static_cast<int64_t>(files_.size())) {}

StreamedImage TrainingFiles::make(int64_t number) const {
  // Elements of the image's random numbers; below() takes two of them.
  constexpr uint64_t kRow = 0;
  constexpr uint64_t kColumn = 1;
  constexpr uint64_t kReplacement = 2;
  constexpr uint64_t kMirror = 6;
  const RandomStream random{seed_, RandomPurpose::kImages, static_cast<uint64_t>(number)};
  const auto below = [&](int64_t bound, uint64_t element) {
    return static_cast<int64_t>(random.below(static_cast<uint64_t>(bound), element));
  };
  const auto count = static_cast<int64_t>(files_.size());
  const int64_t epoch = number / count;
  const int64_t replacement = below(count, kReplacement);
  StreamedImage made;
  // Behind the image's own file come all, from a random place in the epoch's order on.
  const auto file_at = [&](int64_t attempt) {
    const int64_t place = attempt == 0 ? number % count : (replacement + attempt - 1) % count;
    return files_[static_cast<size_t>(order_.at(epoch, place))];
  };
  const Image image = first_good(*checked_, count + 1, file_at, made.bad_files);
  if (image.pixels.empty()) {
    fail_for_all(*checked_, files_, "training");
  }
  const ImageSize size = size_to_cut(image, height_, width_);
  made.image =
      cut(image, below(size.height - height_ + 1, kRow), below(size.width - width_ + 1, kColumn),
          height_, width_, flip_ && random.bits(kMirror) % 2 == 1);
  return made;
}

ValidationFiles::ValidationFiles(std::shared_ptr<CheckedFiles> checked, std::vector<int64_t> files,
                                 int64_t height, int64_t width)
    : checked_(std::move(checked)), files_(std::move(files)), height_(height), width_(width) {}

StreamedImage ValidationFiles::make(int64_t number) const {
  const auto count = static_cast<int64_t>(files_.size());
  StreamedImage made;
  const auto file_at = [&](int64_t attempt) {
    return files_[static_cast<size_t>((number + attempt) % count)];
  };
  const Image image = first_good(*checked_, count, file_at, made.bad_files);
  if (image.pixels.empty()) {
    fail_for_all(*checked_, files_, "validation");
  }
  made.image = cut_centre(image, height_, width_);
  return made;
}

}  // namespace ebt
