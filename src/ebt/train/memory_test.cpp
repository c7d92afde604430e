#include "ebt/train/memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace ebt {
namespace {

TEST(AvailableMemory, IsSomeButNotMoreThanTheMachineHas) {
  const auto available = available_memory_bytes();
  ASSERT_TRUE(available.has_value());
  EXPECT_GT(*available, size_t{1} << 20U);
  const auto physical =
      static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  EXPECT_LE(*available, physical);
}

}  // namespace
}  // namespace ebt
