// The key-value cache of generation: keys and values of every text, landscape and block.
#pragma once

#include <cstdint>

#include "ebt/core/arena.h"
#include "ebt/kernels/row_attention.h"
#include "ebt/model/config.h"

namespace ebt {

template <class S>
class KeyCache {
 public:
  // For `slots` texts of up to `capacity` tokens, landscape tokens included.
  KeyCache(Arena& arena, const TextModelConfig& config, int64_t slots, int64_t capacity)
      : layers_(config.layers),
        width_(config.width),
        head_width_(config.head_width()),
        capacity_((capacity + kernels::kKeyBlock - 1) / kernels::kKeyBlock * kernels::kKeyBlock),
        contexts_(contexts_of(config)),
        values_(arena.take<S>({slots * contexts_ * layers_, 2 * width_ * capacity_})) {}

  // Landscapes whose contexts differ.
  static int64_t contexts_of(const TextModelConfig& config) {
    const bool one = config.arch != Architecture::kEbt || config.type == EbtType::kDefault;
    return one ? 1 : config.landscapes;
  }
  int64_t contexts() const { return contexts_; }
  int64_t capacity() const { return capacity_; }
  // Elements from one head's keys to the next's.
  int64_t head_stride() const { return capacity_ * head_width_; }
  // Keys of a block, head after head in the order of kernels/row_attention.h; values follow them.
  S* keys(int64_t slot, int64_t landscape, int64_t layer) const {
    const int64_t context = contexts_ == 1 ? 0 : landscape;
    return values_.data + ((slot * contexts_ + context) * layers_ + layer) * 2 * width_ * capacity_;
  }
  S* values(int64_t slot, int64_t landscape, int64_t layer) const {
    return keys(slot, landscape, layer) + width_ * capacity_;
  }
  // Bytes of one token's keys and values under one landscape.
  int64_t token_bytes() const { return layers_ * 2 * width_ * static_cast<int64_t>(sizeof(S)); }

 private:
  int64_t layers_, width_, head_width_, capacity_, contexts_;
  Tensor<S> values_;
};

}  // namespace ebt
