#include "ebt/data/video/clips.h"

#include <algorithm>
#include <cmath>

#include "ebt/core/error.h"
#include "ebt/io/checksum.h"
#include "ebt/io/float_elements.h"
#include "ebt/io/folder.h"
#include "ebt/io/npy.h"

namespace ebt {
namespace fs = std::filesystem;

namespace {

bool holds_clips(const fs::path& path) {
  return path.extension() == ".npy" || path.extension() == ".safetensors";
}

// Calls visit(array) for every array of a file.
template <class Visit>
void visit_arrays(const fs::path& path, const Visit& visit) {
  if (path.extension() == ".npy") {
    visit(NpyFile(path).array());
    return;
  }
  const SafetensorsFile file(path);
  EBT_CHECK(!file.tensors().empty(), "'{}' holds no clip", path.string());
  for (const StoredTensor& tensor : file.tensors()) {
    visit(tensor);
  }
}

// `count` frames of an array (T, D), or of one of (clips, T, D), from number `first` of all on.
StoredTensor frames_of(const StoredTensor& array, int64_t first, int64_t count) {
  const int64_t width = array.shape[array.shape.rank() - 1];
  const size_t frame_bytes = static_cast<size_t>(width) * item_bytes(array.dtype);
  return {"",
          array.dtype,
          {count, width},
          array.bytes.subspan(static_cast<size_t>(first) * frame_bytes,
                              static_cast<size_t>(count) * frame_bytes)};
}

}  // namespace

Clips::Clips(const std::string& data) : folder_(data) {
  std::error_code ignored;  // whatever is wrong with the path, reading it says so
  if (fs::is_directory(folder_, ignored)) {
    for (const fs::path& path : files_below(folder_)) {
      if (holds_clips(path)) {
        files_.push_back(path);
      }
    }
    EBT_CHECK(!files_.empty(), "'{}' holds no .npy or .safetensors file", data);
  } else {
    EBT_CHECK(holds_clips(folder_), "'{}' is no folder, and no .npy or .safetensors file", data);
    files_.push_back(folder_);
    folder_ = folder_.parent_path();
  }
  for (size_t file = 0; file < files_.size(); ++file) {
    visit_arrays(files_[file], [&](const StoredTensor& array) { add(file, array); });
  }
}

void Clips::add(size_t file, const StoredTensor& array) {
  const std::string what =
      array.name.empty()
          ? fmt::format("'{}'", files_[file].string())
          : fmt::format("tensor {:?} of '{}'", array.name.substr(0, 100), files_[file].string());
  const int rank = array.shape.rank();
  EBT_CHECK(rank == 2 || rank == 3,
            "{} has the shape {}: a clip is (frames, width), a stack (clips, frames, width)", what,
            array.shape.to_string());
  EBT_CHECK(is_floating_point(array.dtype), "{} holds {}, and frames are floating-point numbers",
            what, dtype_name(array.dtype));
  const int64_t width = array.shape[rank - 1];
  EBT_CHECK(array.shape.count() > 0, "{} has the shape {}: there is no frame in it", what,
            array.shape.to_string());
  if (width_ == 0) {
    width_ = width;
  }
  EBT_CHECK(width == width_, "{} has frames of {} numbers, and {} has frames of {}", what, width,
            name(0), width_);
  const int64_t stacked = rank == 3 ? array.shape[0] : 1;
  for (int64_t number = 0; number < stacked; ++number) {
    clips_.push_back(
        {file, array.name, rank == 3 ? number : -1, array.shape[rank - 2], array.dtype});
  }
}

std::string Clips::name(int64_t clip) const {
  const Clip& found = at(clip);
  const std::string file = fmt::format("'{}'", files_[found.file].string());
  const std::string array =
      found.tensor.empty() ? file
                           : fmt::format("tensor {:?} of {}", found.tensor.substr(0, 100), file);
  return found.number < 0 ? array : fmt::format("clip {} of {}", found.number, array);
}

template <class T>
void Clips::read(int64_t clip, int64_t first, Tensor<T> frames) const {
  const Clip& wanted = at(clip);
  EBT_CHECK(first >= 0 && first + frames.dim(0) <= wanted.frames,
            "clips: frames {} to {} were asked for, of {}", first, first + frames.dim(0),
            wanted.frames);
  bool found = false;
  visit_arrays(files_[wanted.file], [&](const StoredTensor& array) {
    if (array.name != wanted.tensor) {
      return;
    }
    const int rank = array.shape.rank();
    const bool same = (rank == 3) == (wanted.number >= 0) && (rank == 2 || rank == 3) &&
                      array.shape[rank - 1] == width_ && array.shape[rank - 2] == wanted.frames &&
                      array.dtype == wanted.dtype && (rank == 2 || wanted.number < array.shape[0]);
    if (!same) {
      return;
    }
    found = true;
    const int64_t before = std::max<int64_t>(wanted.number, 0) * wanted.frames;
    read_floats(frames_of(array, before + first, frames.dim(0)), frames);
  });
  EBT_CHECK(found, "{} is no longer what it was when it was opened", name(clip));
  const T* const bad =
      std::find_if_not(frames.begin(), frames.end(), [](T value) { return std::isfinite(value); });
  EBT_CHECK(bad == frames.end(), "{}: frame {} holds {}, which is no number that can be learned",
            name(clip), first + (bad - frames.begin()) / width_, *bad);
}

uint64_t Clips::fingerprint() const {
  Checksum sum;
  sum.add(static_cast<uint64_t>(width_));
  for (const fs::path& file : files_) {
    const std::string path = file.lexically_relative(folder_).string();
    sum.add(static_cast<uint64_t>(path.size()));
    sum.add(std::string_view(path));
  }
  for (const Clip& clip : clips_) {
    sum.add(static_cast<uint64_t>(clip.file));
    sum.add(static_cast<uint64_t>(clip.frames));
    sum.add(dtype_name(clip.dtype));
  }
  return sum.value();
}

template void Clips::read(int64_t, int64_t, Tensor<float>) const;
template void Clips::read(int64_t, int64_t, Tensor<double>) const;

}  // namespace ebt
