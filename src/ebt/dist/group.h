// Ranks that work on one thing together: processes on one or many machines, or threads of a test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ebt {

// One rank's view of its group. Operations on all ranks return once this rank's part is done; all
// ranks call them in the same order, with the sizes that each says. Where another rank is gone or
// unreachable they throw an Error that names it; the group is then of no further use. What an
// engine adds to this is one function, `transfer`. Used by one thread at a time.
class Group {
 public:
  virtual ~Group() = default;
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }

  // Sends to another rank and receives from it, at the same time. It calls this with the sizes
  // swapped; what is empty is neither sent nor expected.
  void exchange(int partner, std::span<const std::byte> sent, std::span<std::byte> received);
  // Every rank's part in the order of ranks, to all of them. Parts are of one size.
  void gather(std::span<const std::byte> part, std::span<std::byte> all);
  // The bytes of `root`, to all.
  void broadcast(std::span<std::byte> values, int root);
  // Returns once all ranks have called it.
  void barrier();

  // What this rank has sent and received since it joined.
  int64_t bytes_sent() const { return bytes_sent_; }
  int64_t bytes_received() const { return bytes_received_; }

 protected:
  Group(int rank, int size) : rank_(rank), size_(size) {}

 private:
  // Sends to one rank and receives from one, at the same time; neither is this one. Where `sent` or
  // `received` is empty there is nothing to do for it. Throws Error.
  virtual void transfer(int to, std::span<const std::byte> sent, int from,
                        std::span<std::byte> received) = 0;
  void counted_transfer(int to, std::span<const std::byte> sent, int from,
                        std::span<std::byte> received);

  int rank_, size_;
  int64_t bytes_sent_ = 0;
  int64_t bytes_received_ = 0;
};

// One rank alone: it has nothing to send, and all who are alone may use the same.
Group& lone_group();

// The parts of all ranks, in their order.
template <class Value>
std::vector<Value> gather_values(Group& group, const Value& part) {
  std::vector<Value> all(static_cast<size_t>(group.size()));
  group.gather(std::as_bytes(std::span(&part, 1)), std::as_writable_bytes(std::span(all)));
  return all;
}

}  // namespace ebt
