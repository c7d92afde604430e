// Clips of video as files hold them: the frames' embeddings, one vector of D numbers each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "ebt/core/tensor.h"
#include "ebt/io/safetensors.h"

namespace ebt {

// The clips of a .npy or .safetensors file, or of all such files of a folder: arrays (T, D), one
// clip each, or (clips, T, D). Opening them reads headers alone. Thread-safe.
class Clips {
 public:
  // Throws Error when there is none, a file is damaged or holds something else, or frames differ
  // in size.
  explicit Clips(const std::string& data);

  int64_t count() const { return static_cast<int64_t>(clips_.size()); }
  int64_t files() const { return static_cast<int64_t>(files_.size()); }
  // Numbers of a frame.
  int64_t width() const { return width_; }
  int64_t frames(int64_t clip) const { return at(clip).frames; }
  // "'walk.npy'", or "clip 3 of 'walks.npy'", as messages call it.
  std::string name(int64_t clip) const;
  // frames (n, D), those of a clip from `first` on. Throws Error when the file has changed, or a
  // number is not finite.
  template <class T>
  void read(int64_t clip, int64_t first, Tensor<T> frames) const;
  // Of the files' names and of the number and type of their frames, not of what these show.
  uint64_t fingerprint() const;

 private:
  struct Clip {
    size_t file;
    std::string tensor;  // of a .safetensors file
    int64_t number;      // in a stack, else -1
    int64_t frames;
    Dtype dtype;
  };
  const Clip& at(int64_t clip) const { return clips_[static_cast<size_t>(clip)]; }
  void add(size_t file, const StoredTensor& array);

  std::filesystem::path folder_;  // of what the names of files begin at
  std::vector<std::filesystem::path> files_;
  std::vector<Clip> clips_;
  int64_t width_ = 0;
};

}  // namespace ebt
