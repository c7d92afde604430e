// What is expected of a reader, whatever it reads.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

#include "ebt/core/error.h"
#include "tests/fuzz/mutator.h"

namespace ebt::testing {

// Most of what is wanted of a reader shows only where every access is watched.
#ifdef __SANITIZE_ADDRESS__
inline constexpr uint64_t kMutations = 5000;
#else
inline constexpr uint64_t kMutations = 1000;
#endif

// Reads `kMutations` inputs and expects some to be accepted and some refused: else the mutations
// would be too mild, or too wild, to test anything.
template <class Read>
void expect_refused_or_consistent(Read&& read) {
  uint64_t accepted = 0;
  for (uint64_t seed = 0; seed < kMutations && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("mutation {}", seed));
    try {
      read(Mutator(seed));
      ++accepted;
    } catch (const Error& error) {
      EXPECT_LT(std::strlen(error.what()), 1000U);
      EXPECT_EQ(std::strchr(error.what(), '\n'), nullptr) << error.what();
    } catch (const std::exception& error) {
      ADD_FAILURE() << "escaped: " << error.what();
    }
  }
  EXPECT_GT(accepted, kMutations / 100);
  EXPECT_LT(accepted, kMutations * 9 / 10);
}

}  // namespace ebt::testing
