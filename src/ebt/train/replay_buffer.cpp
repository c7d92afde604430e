#include "ebt/train/replay_buffer.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "ebt/kernels/elementwise.h"

namespace ebt {

template <class T>
void ThoughtRows<T>::resize(int64_t rows, int64_t context, int64_t vocab_size) {
  text.rows = rows;
  text.context = context;
  text.inputs.assign(static_cast<size_t>(rows * context), 0);
  text.targets.assign(static_cast<size_t>(rows * context), 0);
  logits.assign(static_cast<size_t>(rows * context * vocab_size), T{0});
}

template <class T>
ReplayBuffer<T>::ReplayBuffer(int64_t capacity, int64_t context, int64_t vocab_size)
    : vocab_size_(vocab_size) {
  slots_.resize(capacity, context, vocab_size);
}

template <class T>
void ReplayBuffer<T>::push(const ThoughtRows<T>& rows) {
  for (int64_t row = 0; row < rows.text.rows && capacity() > 0; ++row) {
    copy_row(rows, row, slots_, next_);
    next_ = (next_ + 1) % capacity();
    size_ = std::min(size_ + 1, capacity());
  }
}

template <class T>
int64_t ReplayBuffer<T>::draw(const RandomStream& stream, int64_t count,
                              ThoughtRows<T>& sample) const {
  const int64_t drawn = std::min(count, size_);
  // The first `drawn` places of a Fisher-Yates shuffle.
  std::vector<int64_t> order(static_cast<size_t>(size_));
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = 0; i < drawn; ++i) {
    const auto place = static_cast<size_t>(i);
    const uint64_t ahead = stream.below(static_cast<uint64_t>(size_ - i), place);
    std::swap(order[place], order[place + ahead]);
    copy_row(slots_, order[place], sample, i);
  }
  return drawn;
}

template <class T>
void ReplayBuffer<T>::restore(int64_t size, int64_t next) {
  const bool filling = size >= 0 && size < capacity() && next == size;
  const bool full = size == capacity() && next >= 0 && next < std::max<int64_t>(capacity(), 1);
  EBT_CHECK(filling || full, "replay buffer: {} rows with slot {} next do not fit a buffer of {}",
            size, next, capacity());
  size_ = size;
  next_ = next;
}

template <class T>
void ReplayBuffer<T>::copy_row(const ThoughtRows<T>& from, int64_t from_row, ThoughtRows<T>& to,
                               int64_t to_row) const {
  const auto copy = [&](const auto& source, auto& destination, int64_t count) {
    std::copy_n(source.begin() + from_row * count, count, destination.begin() + to_row * count);
  };
  copy(from.text.inputs, to.text.inputs, context());
  copy(from.text.targets, to.text.targets, context());
  const int64_t size = context() * vocab_size_;
  kernels::elementwise<T>().copy(size, from.logits.data() + from_row * size,
                                 to.logits.data() + to_row * size);
}

template struct ThoughtRows<float>;
template struct ThoughtRows<double>;
template class ReplayBuffer<float>;
template class ReplayBuffer<double>;

}  // namespace ebt
