#include "ebt/dist/group.h"

#include <algorithm>

#include "ebt/core/error.h"

namespace ebt {
namespace {

class LoneGroup final : public Group {
 public:
  LoneGroup() : Group(0, 1) {}

 private:
  void transfer(int /*to*/, std::span<const std::byte> /*sent*/, int /*from*/,
                std::span<std::byte> /*received*/) override {}
};

}  // namespace

void Group::counted_transfer(int to, std::span<const std::byte> sent, int from,
                             std::span<std::byte> received) {
  transfer(to, sent, from, received);
  bytes_sent_ += static_cast<int64_t>(sent.size());
  bytes_received_ += static_cast<int64_t>(received.size());
}

void Group::exchange(int partner, std::span<const std::byte> sent, std::span<std::byte> received) {
  EBT_CHECK(partner >= 0 && partner < size_ && partner != rank_,
            "exchange: rank {} of {} has no partner {}", rank_, size_, partner);
  counted_transfer(partner, sent, partner, received);
}

// A ring: every rank passes on what it received last.
void Group::gather(std::span<const std::byte> part, std::span<std::byte> all) {
  EBT_CHECK(all.size() == part.size() * static_cast<size_t>(size_),
            "gather: {} parts of {} bytes do not fill {}", size_, part.size(), all.size());
  const auto of_rank = [&](int rank) {
    return all.subspan(static_cast<size_t>(rank) * part.size(), part.size());
  };
  std::copy(part.begin(), part.end(), of_rank(rank_).begin());
  const int next = (rank_ + 1) % size_;
  const int previous = (rank_ + size_ - 1) % size_;
  for (int step = 0; step + 1 < size_; ++step) {
    counted_transfer(next, of_rank((rank_ + size_ - step) % size_), previous,
                     of_rank((previous + size_ - step) % size_));
  }
}

// A binomial tree: as many ranks again as have the bytes are given them, until all have.
void Group::broadcast(std::span<std::byte> values, int root) {
  EBT_CHECK(root >= 0 && root < size_, "broadcast: there is no rank {} of {}", root, size_);
  const int place = (rank_ + size_ - root) % size_;  // from the root on
  const auto rank_at = [&](int other) { return (other + root) % size_; };
  for (int reached = 1; reached < size_; reached *= 2) {
    if (place < reached && place + reached < size_) {
      counted_transfer(rank_at(place + reached), values, rank_at(place + reached), {});
    } else if (place >= reached && place < 2 * reached) {
      counted_transfer(rank_at(place - reached), {}, rank_at(place - reached), values);
    }
  }
}

// Dissemination (Hensgen, Finkel and Manber, 1988): after k rounds a rank has heard of 2^k others.
void Group::barrier() {
  const std::byte sent{};
  std::byte received{};
  for (int distance = 1; distance < size_; distance *= 2) {
    counted_transfer((rank_ + distance) % size_, {&sent, 1}, (rank_ + size_ - distance) % size_,
                     {&received, 1});
  }
}

Group& lone_group() {
  static LoneGroup group;
  return group;
}

}  // namespace ebt
