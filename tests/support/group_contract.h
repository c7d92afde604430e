// What every engine of groups must do (src/ebt/dist/group.h), as one rank of one sees it.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "ebt/dist/group.h"

namespace ebt::testing {

// The bytes that a rank sends to another in the round `round`.
inline std::vector<uint8_t> message(int from, int to, size_t round, size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<uint8_t>(i * 7 + static_cast<size_t>(from) * 31 +
                                    static_cast<size_t>(to) * 101 + round);
  }
  return bytes;
}

// Every pair exchanges messages of one size and of two, small ones and one of `largest` bytes.
inline void expect_exchanges(Group& group, size_t largest) {
  const std::vector<size_t> sizes{1, 4096, 0, 77, largest};
  for (int other = 0; other < group.size(); ++other) {
    if (other == group.rank()) {
      continue;
    }
    for (size_t round = 0; round < sizes.size(); ++round) {
      const size_t mine = group.rank() < other ? sizes[round] : sizes[round] / 2;
      const size_t theirs = group.rank() < other ? sizes[round] / 2 : sizes[round];
      const std::vector<uint8_t> sent = message(group.rank(), other, round, mine);
      std::vector<uint8_t> received(theirs);
      const int64_t sent_before = group.bytes_sent();
      const int64_t received_before = group.bytes_received();
      group.exchange(other, std::as_bytes(std::span(sent)),
                     std::as_writable_bytes(std::span(received)));
      EXPECT_TRUE(received == message(other, group.rank(), round, theirs))
          << "rank " << group.rank() << " from " << other << ", round " << round;
      EXPECT_EQ(group.bytes_sent() - sent_before, static_cast<int64_t>(mine));
      EXPECT_EQ(group.bytes_received() - received_before, static_cast<int64_t>(theirs));
    }
  }
}

inline void expect_gathers(Group& group) {
  const std::vector<int> ranks = gather_values(group, group.rank() * 10);
  ASSERT_EQ(ranks.size(), static_cast<size_t>(group.size()));
  for (int rank = 0; rank < group.size(); ++rank) {
    EXPECT_EQ(ranks[static_cast<size_t>(rank)], rank * 10);
  }
}

inline void expect_broadcasts(Group& group) {
  for (int root = 0; root < group.size(); ++root) {
    std::vector<uint8_t> values =
        group.rank() == root ? message(root, 0, 0, 1000) : std::vector<uint8_t>(1000);
    group.broadcast(std::as_writable_bytes(std::span(values)), root);
    EXPECT_TRUE(values == message(root, 0, 0, 1000)) << "root " << root;
  }
}

// `largest`: of a message, larger than what the engine sends at once.
inline void expect_keeps_contract(Group& group, size_t largest) {
  group.barrier();
  expect_exchanges(group, largest);
  expect_gathers(group);
  expect_broadcasts(group);
  group.barrier();
}

}  // namespace ebt::testing
